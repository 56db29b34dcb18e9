"""What happened in a call, told from its trace. Pure: a trace goes in, frozen values come out.

Times are seconds since `zero`, which is the moment the call began or any other on its clock, such as the start of a
recording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from agentvoice.commands import HeardText, TurnState


@dataclass(frozen=True, slots=True)
class Stretch:
    """How long a turn was in one state."""

    state: TurnState
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class ContextSpan:
    """The life of one context."""

    id: str
    opened: float
    ended: float


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and when it was spoken."""

    text: str
    start: float
    end: float
    heard: bool = True
    """False for a word of the agent's that was cut; its time is when it would have been spoken."""
    position: float = 0.0
    """Seconds of its turn's audio at its end."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A label in the playout."""

    name: str
    sent: float
    returned: float | None
    """`None` when it never came back."""
    cleared: bool
    """Whether a `clear` threw it back, so that it proves nothing."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of time in which something was heard without a break."""

    start: float
    end: float


LATENCY_PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "end of turn": ("caller_stopped", "utterance_final"),
    "model": ("utterance_final", "first_token"),
    "text": ("first_token", "first_text_sent"),
    "voice": ("first_text_sent", "first_audio_received"),
    "line": ("first_audio_received", "first_frame_out"),
}
"""What the time from the caller's last word to the agent's first is made of: steps of `TurnClosed.timeline`."""


@dataclass(frozen=True, slots=True)
class TurnStory:
    """One contribution of the agent."""

    id: str
    prompt: str
    opened: float
    closed: float
    outcome: TurnState
    """The state it ended in, or was in when the trace ends."""
    generated: str
    heard: HeardText | None
    contexts: Sequence[ContextSpan]
    states: Sequence[Stretch]
    words: Sequence[Word]
    marks: Sequence[Mark]
    sounds: Sequence[Sound]
    """When it was heard, as the commands tell."""
    timeline: Mapping[str, float]
    reason: str = ""

    @property
    def response_s(self) -> float | None:
        """From the caller's last word to the first frame handed over; `None` where there was no caller or no frame."""
        if {"caller_stopped", "first_frame_out"} <= self.timeline.keys():
            return self.timeline["first_frame_out"] - self.timeline["caller_stopped"]
        return None

    @property
    def latency(self) -> Sequence[tuple[str, float, float]]:
        """The parts of `response_s`, one after the other: name, start, end. They sum to the whole.

        What was done ahead of its turn (a speculative answer) takes no time.
        """
        if self.response_s is None:
            return []
        last = self.timeline["first_frame_out"]
        edges = [self.timeline["caller_stopped"]]
        for _, until in LATENCY_PARTS.values():
            edges.append(min(last, max(edges[-1], self.timeline.get(until, edges[-1]))))
        return [(name, start, end) for name, (start, end) in zip(LATENCY_PARTS, pairwise(edges), strict=True)]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One contribution of the caller."""

    text: str
    start: float
    end: float
    decided: float
    """When it was taken to be over."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What the recogniser made of a segment at some moment."""

    at: float
    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class BargeInStory:
    """The caller, or somebody else, wanted the floor while the agent had it."""

    turn_id: str
    source: str
    """Whose signal decided it."""
    at: float
    """When the caller began to speak, or the first signal came."""
    held: float | None
    """When the agent's speech was held on suspicion."""
    decided: float
    confirmed: bool
    """Whether it cut the turn; otherwise the agent went on."""
    cleared: float | None
    """When the far end was told to forget what it had not played."""
    silent: float | None
    """When the agent fell silent, as the commands tell."""


@dataclass(frozen=True, slots=True)
class Hole:
    """The line ran dry in the middle of a turn."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Story:
    """A call."""

    call_id: str
    agent: str
    start: float
    end: float
    turns: Sequence[TurnStory]
    utterances: Sequence[Utterance]
    segments: Sequence[Sound]
    """When the caller spoke, by voice activity."""
    understood: Sequence[Understood]
    barge_ins: Sequence[BargeInStory]
    holes: Sequence[Hole]
    keys: Sequence[tuple[float, str]]
    stale_frames: int
    """Frames of a dead context that were handed to the line all the same."""
    stale_dropped: int
    """Pieces of audio of dead contexts that were dropped at the gate."""
    ended_by: str
    """`agent`, or the reason the far end gave; empty when the trace just ends."""

    @property
    def responses(self) -> Sequence[float]:
        """Every turn's `response_s` that there is, in seconds."""
        return [turn.response_s for turn in self.turns if turn.response_s is not None]
