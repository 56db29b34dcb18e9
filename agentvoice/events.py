"""What happens to a call, as frozen values. Times are seconds on the clock that `now` comes from.

Whoever receives one matches on its class. A new fact is a new class, not one more optional field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from .utterance import HeardWord
from .voicing import Voicing

# ------------------------------------------------------------------ the caller


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The line is open. The first event of every call."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Voice activity: the caller began to speak."""

    at: float
    """When the speech began, which is a little earlier than when it was noticed."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Voice activity: the caller fell silent, for now."""

    at: float
    """When the last speech ended."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the recogniser makes of the current segment of the caller's speech."""

    text: str
    """The whole segment so far; each partial transcript replaces the one before it."""
    final: bool
    """Whether the segment is over and the text will not change again."""
    confidence: float | None = None
    """Between 0 and 1, where the recogniser says."""
    words: tuple[HeardWord, ...] = ()
    """The words with their times; none from a recogniser that does not know them."""
    alternatives: tuple[str, ...] = ()
    """Other readings of the segment, the likeliest first."""
    language: str = ""
    """In which language, such as `en`; empty where the recogniser does not say."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The caller pressed a key (DTMF)."""

    key: str
    """One of `0123456789*#ABCD`."""


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """The caller's client, where it is a program, says something of its own."""

    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class CallerTurnStarted:
    """A recogniser that knows turns: the caller has taken the floor."""

    words: str = ""
    """What it has understood by then."""
    at: float | None = None
    """When the caller began to speak, on the call's clock, where the recogniser says."""


@dataclass(frozen=True, slots=True)
class CallerTurnLikely:
    """A recogniser that knows turns: the caller has probably finished ("eager end of turn")."""

    text: str


@dataclass(frozen=True, slots=True)
class CallerTurnResumed:
    """A recogniser that knows turns: the caller goes on, after all."""


@dataclass(frozen=True, slots=True)
class CallerTurnEnded:
    """A recogniser that knows turns: the caller has finished, and has said this."""

    text: str
    confidence: float | None = None
    words: tuple[HeardWord, ...] = ()
    """The words with their times; none from a recogniser that does not know them."""
    language: str = ""


@dataclass(frozen=True, slots=True)
class EndOfTurnJudged:
    """A model has listened to the pause that the caller is making."""

    probability: float
    """How likely it is, between 0 and 1, that the caller has finished."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The far end is gone."""

    reason: str = "caller"


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """Audio from the caller, in the transport's format. It goes to hearing, never to the conversation."""

    audio: bytes = field(repr=False)
    start: int
    """Samples since the line's media began, by the far end's own count: gaps and repeats show here."""


# ------------------------------------------------------------------ barge-in


class BargeInKind(StrEnum):
    """How sure a source is that the caller wants the floor."""

    ONSET = "onset"
    """Perhaps: hold the agent's speech, lose nothing."""
    CONFIRM = "confirm"
    """Yes: cut."""
    RETRACT = "retract"
    """No, it was a cough: go on."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """An input source's word that the caller, or somebody else, wants the agent to stop."""

    kind: BargeInKind
    source: str
    """Which source says so, for the log."""
    words: str = ""
    """What has been recognised so far, where the source knows words; the policy judges them."""


@dataclass(frozen=True, slots=True)
class SupervisorCutIn:
    """A person who listens in wants the agent to stop."""


# ------------------------------------------------------------------ the agent


@dataclass(frozen=True, slots=True)
class TextProduced:
    """The agent produced a piece of a turn's text."""

    turn_id: str
    text: str
    protected: bool = False
    """Whether it may not be interrupted until it was heard; see `protection`."""


@dataclass(frozen=True, slots=True)
class TextPaused:
    """More of a turn's text comes, but not at once: what there is shall be spoken."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class TextEnded:
    """The agent has produced all of a turn's text."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class ReplyMended:
    """What produced a turn's text broke down; what the agent says instead follows. For those who watch."""

    turn_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """What a language model's answer has cost, for a turn. For those who watch."""

    turn_id: str
    read: int
    """Tokens of the prompt, those that the provider remembered included."""
    written: int
    remembered: int = 0


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """What produced a turn's text broke down."""

    turn_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SayRequested:
    """Somebody asked for a turn that says `text`, prompted by nothing the caller said."""

    turn_id: str
    text: str
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class PlayRequested:
    """Somebody asked for a turn that plays a sound, in the transport's format, instead of speaking."""

    turn_id: str
    audio: bytes = field(repr=False)
    text: str = ""
    """The words in it, for the history."""
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Whoever asked for a turn does not want it any more."""

    turn_id: str


@dataclass(frozen=True, slots=True)
class HandedOff:
    """Another agent takes over. What it says next is its own; what was said stays."""

    agent: str
    """Its class, for the log."""
    instructions: str
    voicing: Voicing | None = None
    """How it sounds; `None` for as everybody else."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """To whom the caller is put through."""

    to: str
    """A telephone number or a SIP address, as the carrier takes it."""
    summary: str = ""
    """What that person is told before the caller is put through."""


@dataclass(frozen=True, slots=True)
class HangUpRequested:
    """The agent wants to hang up once its last word has been played."""

    transfer: Transfer | None = None
    """To whom the caller is put through instead, if to anybody."""


# ------------------------------------------------------------------ the agent's tools


class OnInterrupt(StrEnum):
    """What becomes of a tool that still runs when its turn is over, because the caller cut in or for another reason."""

    CANCEL = "cancel"
    """It is cancelled with its turn."""
    FINISH = "finish"
    """It finishes, and nothing more is said of it."""
    FINISH_AND_TELL = "finish_and_tell"
    """It finishes, and the model learns what came of it in the next turn."""


class ToolOutcome(StrEnum):
    """How the running of a tool ended."""

    DONE = "done"
    FAILED = "failed"
    """It raised, took too long, or was not given what it needs."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ToolRequested:
    """The model asks, in a turn, for a tool to be run."""

    turn_id: str
    tool_call_id: str
    name: str
    arguments: str
    """JSON of an object, as the model wrote it."""
    round: int = 1
    """Which of the turn's messages asks: what is asked for at once has the same number."""
    pure: bool = False
    """Whether running it changes nothing, so that it may run before the turn is confirmed."""
    on_interrupt: OnInterrupt = OnInterrupt.FINISH_AND_TELL


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A tool runs no more."""

    tool_call_id: str
    outcome: ToolOutcome
    result: str
    """What the model is to be told."""


# ------------------------------------------------------------------ the speech provider


@dataclass(frozen=True, slots=True)
class AudioReceived:
    """Synthesised audio of one context, in the transport's format."""

    context_id: str
    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WordsReceived:
    """When words of one context are spoken, in seconds since the start of the context's audio."""

    context_id: str
    words: tuple[tuple[str, float, float], ...]
    """Word, start, end."""


@dataclass(frozen=True, slots=True)
class PhonemesReceived:
    """When phonemes of one context are spoken, on the same clock as words. For those who watch, such as a face."""

    context_id: str
    phonemes: tuple[tuple[str, float, float], ...]
    """Phoneme (IPA), start, end."""


@dataclass(frozen=True, slots=True)
class ContextDone:
    """Every sample of the context has been delivered."""

    context_id: str


@dataclass(frozen=True, slots=True)
class ContextFailed:
    """The context ended early: the provider refused it, or its socket was lost."""

    context_id: str
    reason: str
    retryable: bool
    """Whether a successor context may succeed."""


# ------------------------------------------------------------------ the line


@dataclass(frozen=True, slots=True)
class MarkReturned:
    """The far end reports a mark back: all audio before it was played, or thrown away by a `clear`."""

    name: str


Event: TypeAlias = (
    CallStarted
    | SpeechStarted
    | SpeechStopped
    | Transcript
    | EndOfTurnJudged
    | CallerTurnStarted
    | CallerTurnLikely
    | CallerTurnResumed
    | CallerTurnEnded
    | KeyPressed
    | ClientMessage
    | HungUp
    | BargeIn
    | SupervisorCutIn
    | TextProduced
    | TextPaused
    | TextEnded
    | ReplyFailed
    | ReplyMended
    | TokensUsed
    | SayRequested
    | PlayRequested
    | StopRequested
    | HandedOff
    | HangUpRequested
    | ToolRequested
    | ToolEnded
    | AudioReceived
    | WordsReceived
    | PhonemesReceived
    | ContextDone
    | ContextFailed
    | MarkReturned
)

HearingEvent: TypeAlias = (
    SpeechStarted
    | SpeechStopped
    | Transcript
    | EndOfTurnJudged
    | CallerTurnStarted
    | CallerTurnLikely
    | CallerTurnResumed
    | CallerTurnEnded
)
"""What is heard of the caller, and what endpointing goes by."""

CallerTurnEvent: TypeAlias = Transcript | CallerTurnStarted | CallerTurnLikely | CallerTurnResumed | CallerTurnEnded
"""What a recogniser that knows turns says."""

AgentEvent: TypeAlias = SayRequested | PlayRequested | StopRequested | HandedOff | HangUpRequested
"""What an agent asks for, besides the text of its turns."""

LineEvent: TypeAlias = CallerAudio | KeyPressed | ClientMessage | MarkReturned | HungUp
"""What a transport receives."""

ContextEvent: TypeAlias = AudioReceived | WordsReceived | PhonemesReceived | ContextDone | ContextFailed
"""What a speech provider delivers."""
