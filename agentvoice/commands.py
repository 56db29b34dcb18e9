"""What the conversation decides, as frozen values. The edge (`call.py`) carries them out, in order.

Those of the last group ask for nothing: they tell whoever watches (hooks, traces, logs) what was decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from .events import Transfer
from .utterance import Utterance
from .voicing import Voicing

# ------------------------------------------------------------------ the agent


@dataclass(frozen=True, slots=True)
class StartReply:
    """Let the agent produce the turn's text."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class StopReply:
    """Cancel everything that produces the turn's text. Harmless when nothing does."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class StartTool:
    """Run the tool that was asked for."""

    tool_call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class StopTool:
    """Cancel a tool that runs. `ToolEnded` tells whether that came in time."""

    tool_call_id: str


@dataclass(frozen=True, slots=True)
class AnswerTool:
    """Let the reply that asked for a tool have the result."""

    tool_call_id: str
    result: str


# ------------------------------------------------------------------ the speech provider


@dataclass(frozen=True, slots=True)
class OpenContext:
    """Begin a context on the speech socket."""

    context_id: str
    turn_id: str
    voicing: Voicing | None = None
    """How it shall sound; `None` for the way that the process set."""


@dataclass(frozen=True, slots=True)
class SpeakText:
    """Send text on a context. More may follow."""

    context_id: str
    text: str


@dataclass(frozen=True, slots=True)
class FinishContext:
    """No more text comes on this context; its audio is still wanted."""

    context_id: str


@dataclass(frozen=True, slots=True)
class CancelContext:
    """Nothing of this context is wanted any more."""

    context_id: str


# ------------------------------------------------------------------ the line


@dataclass(frozen=True, slots=True)
class SendAudio:
    """Hand audio of one context to the transport."""

    context_id: str
    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendMark:
    """Hand a mark to the transport."""

    name: str


@dataclass(frozen=True, slots=True)
class ClearPlayout:
    """Have the far end forget what it has not played. Overtakes everything queued."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call from this side."""

    transfer: Transfer | None = None
    """To whom the caller is put through instead, if to anybody."""


# ------------------------------------------------------------------ what was decided


class TurnState(StrEnum):
    """Where a turn is in its life; `turn.TRANSITIONS` has the arrows."""

    OPEN = "open"
    THINKING = "thinking"
    SPEAKING = "speaking"
    HELD = "held"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Evidence(StrEnum):
    """How well we know what was heard, best first."""

    MARKS_AND_WORDS = "marks+words"
    """The far end confirmed what it played, and the provider told when each word is spoken."""
    MARKS = "marks"
    """The far end confirmed what it played; words are placed by their share of the text."""
    CLOCK_AND_WORDS = "clock+words"
    """No marks: what was handed over, less what the clock says cannot have been played yet."""
    CLOCK = "clock"
    """Neither marks nor word times."""


@dataclass(frozen=True, slots=True)
class HeardText:
    """The part of a turn whose audio was played."""

    text: str
    """A prefix of the turn's text, cut between words."""
    seconds: float
    """How much of the turn's audio was played."""
    evidence: Evidence
    bound_s: float
    """The most by which `seconds` may be wrong."""
    complete: bool
    """Whether all of the turn was played."""


@dataclass(frozen=True, slots=True)
class JudgePause:
    """Ask the model of turns about the pause that the caller is making; `EndOfTurnJudged` is its answer."""

    text: str
    """What the caller has said in this utterance."""


@dataclass(frozen=True, slots=True)
class UtteranceEnded(Utterance):
    """The caller has finished a contribution."""


@dataclass(frozen=True, slots=True)
class TurnOpened:
    """A turn exists, and has a context of its own."""

    turn_id: str
    context_id: str
    prompt: str
    """The utterance that it answers; empty when the agent speaks of its own accord."""


@dataclass(frozen=True, slots=True)
class TurnConfirmed:
    """A speculative turn was right: the caller has finished, with the words that it answers."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class ContextSucceeded:
    """A turn goes on in another context; the old id is dead."""

    turn_id: str
    old: str
    new: str
    text_offset: int
    """The character of the turn's text at which the new context begins."""


@dataclass(frozen=True, slots=True)
class TurnChanged:
    """A turn moved along an arrow of its state table."""

    turn_id: str
    state: TurnState


@dataclass(frozen=True, slots=True)
class TurnClosed:
    """A turn is over."""

    turn_id: str
    context_id: str
    """The last one it had."""
    outcome: TurnState
    generated: str
    """All text that was produced for it."""
    heard: HeardText | None
    """`None` when nothing of it was played."""
    timeline: Mapping[str, float]
    """When each step happened, on the call's clock: `caller_stopped`, `utterance_final`, `opened`,
    `first_token`, `first_text_sent`, `first_audio_received`, `first_frame_out`, `barge_in`, `silenced`,
    `heard_until`. Steps that did not happen are absent."""
    reason: str = ""
    """Why it failed."""
    unheard: str = ""
    """What it had to say and was not heard saying: the rest of its text, from the first word not heard whole."""


@dataclass(frozen=True, slots=True)
class ProtectedHeard:
    """A protected stretch of a turn was played to its end."""

    turn_id: str
    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SilenceFell:
    """Nobody has had the floor for long."""

    times: int
    """How often in a row, since the caller was last heard."""


@dataclass(frozen=True, slots=True)
class LimitNear:
    """The call will soon have lasted as long as it may."""

    left_s: float


@dataclass(frozen=True, slots=True)
class Spent:
    """The call has cost as much as it may."""

    what: str
    """`tokens` or `characters`."""


@dataclass(frozen=True, slots=True)
class BargeInDecided:
    """What the interruption controller made of the signals: `held`, `resumed`, or `confirmed`."""

    turn_id: str
    decision: str
    source: str
    """The source whose signal, or `deadline` when time, decided it."""


@dataclass(frozen=True, slots=True)
class StaleDropped:
    """Something of a dead context arrived and was dropped at the gate."""

    context_id: str
    size: int
    """Bytes of audio; 0 for anything else."""


Command: TypeAlias = (
    StartReply
    | StopReply
    | StartTool
    | StopTool
    | AnswerTool
    | OpenContext
    | SpeakText
    | FinishContext
    | CancelContext
    | SendAudio
    | SendMark
    | ClearPlayout
    | HangUp
    | JudgePause
    | UtteranceEnded
    | TurnOpened
    | TurnConfirmed
    | ContextSucceeded
    | TurnChanged
    | TurnClosed
    | ProtectedHeard
    | SilenceFell
    | LimitNear
    | Spent
    | BargeInDecided
    | StaleDropped
)
