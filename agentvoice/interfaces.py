"""The seams: what a plugin implements. Few methods each, so that one fits into an afternoon.

| entry point group       | seam               | made                                              |
| ----------------------- | ------------------ | ------------------------------------------------- |
| `agentvoice.vad`        | `VoiceActivity`    | once a process; `detector()` once a call          |
| `agentvoice.recognizer` | `SpeechRecognizer` | once a process; `listen()` once a call            |
|                         | or `TurnRecognizer`| once a process; `follow()` once a call            |
| `agentvoice.end_of_turn`| `EndOfTurn`        | once a process, shared by all calls               |
| `agentvoice.cleaner`    | `AudioCleaner`     | once a process; `cleaning()` once a call          |
| `agentvoice.llm`        | `LanguageModel`    | once a process, shared by all calls               |
| `agentvoice.engine`     | `SpeechEngine`     | once a speech server                              |
| `agentvoice.synthesizer`| `Synthesizer`      | once a process, shared by all calls               |

An entry point names a class that can be called without arguments; a synthesizer's may be given the `voicing` that the
settings ask for. Importing its module and making an instance cost nothing: models load in `prepare`, which the process
calls once, in a worker thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias, runtime_checkable

from anyio.abc import ObjectReceiveStream

from .audio import AudioFormat
from .events import CallerTurnEvent, ContextEvent, LineEvent, Transcript, Transfer
from .markup import Markup
from .voicing import Voicing


class VoiceActivity(Protocol):
    """Tells speech from silence. Loaded once; every call gets a detector of its own."""

    def prepare(self) -> None:
        """Load what has to be loaded. Blocks; called once, in a worker thread, before the first call.

        Raises:
            AssetUnavailable: the model is not there and cannot be fetched; the message says what to do.
        """

    def detector(self, sample_rate: int) -> VoiceDetector:
        """Return a fresh detector for one call, for PCM of `sample_rate` (8000 or 16000)."""


class VoiceDetector(Protocol):
    """The state of voice activity detection for one call."""

    window_s: float
    """Seconds of audio that one probability is about."""

    async def feed(self, pcm: bytes) -> Sequence[float]:
        """Take signed 16-bit little-endian PCM of any length; return the probability of speech (0..1)
        of each window that it completes, oldest first. Often empty."""


class SpeechRecognizer(Protocol):
    """Turns speech into words. Loaded once; every call listens on its own."""

    def prepare(self) -> None:
        """As `VoiceActivity.prepare`."""

    def listen(self, sample_rate: int) -> AbstractAsyncContextManager[Listening]:
        """Begin to listen to one call, whose audio is PCM of `sample_rate`."""


class Listening(Protocol):
    """Recognition of one call's segments of speech.

    A segment is a stretch of audio with speech in it, a little silence before it included: `feed` it
    piece by piece, then `finalize` it. One `Transcript` with `final=True` follows each `finalize`, in
    order, with empty text when nothing was understood; partial ones may come at any time before it.
    Times of words count from the first sample of their segment.
    """

    transcripts: ObjectReceiveStream[Transcript]

    async def feed(self, pcm: bytes) -> None:
        """Take signed 16-bit little-endian PCM of any length. Returns at once; never waits for recognition."""

    async def finalize(self) -> None:
        """Say that the segment has ended. Returns at once; the final transcript comes on `transcripts`."""


@runtime_checkable
class TurnRecognizer(Protocol):
    """Turns speech into words, and knows when the caller begins and ends a turn. Loaded once; every call is followed on
    its own."""

    def prepare(self) -> None:
        """As `VoiceActivity.prepare`."""

    def follow(self, sample_rate: int) -> AbstractAsyncContextManager[Following]:
        """Begin to follow one call, whose audio is PCM of `sample_rate`."""


class Following(Protocol):
    """Recognition of all that one caller says, the silence in between included.

    On `events` each turn goes: `CallerTurnStarted`, partial `Transcript`s with all the words of the turn so far, any
    number of `CallerTurnLikely` and `CallerTurnResumed` in turn, `CallerTurnEnded`. Times count from the first sample
    that was fed. When the stream ends, or `feed` raises, a new one is opened, and given again what the caller said in
    the turn that was under way.
    """

    events: ObjectReceiveStream[CallerTurnEvent]

    async def feed(self, pcm: bytes) -> None:
        """Take signed 16-bit little-endian PCM of any length. Returns at once; never waits for recognition."""


class EndOfTurn(Protocol):
    """Tells a pause for breath from the end of what the caller has to say."""

    def prepare(self) -> None:
        """As `VoiceActivity.prepare`."""

    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:
        """Return how likely it is, between 0 and 1, that the caller has finished.

        Asked at each pause once it is understood: `text` is what the caller has said in this turn, and `pcm` the last
        seconds of it, at most `HEARD_S`, with the beginning of the silence, as signed 16-bit little-endian PCM of 8000
        or 16000 Hz. Cancelled when the caller goes on. Never blocks the event loop.
        """


HEARD_S: Final = 8.0
"""How much audio `EndOfTurn.judge` is given at most, in seconds."""


class AudioCleaner(Protocol):
    """Takes noise, or the agent's own echo, out of what the line receives. Loaded once; every call has a state of its
    own."""

    def prepare(self) -> None:
        """As `VoiceActivity.prepare`."""

    def cleaning(self, sample_rate: int) -> Cleaning:
        """Return what cleans one call's audio, PCM of `sample_rate` (8000 or 16000).

        Raises:
            ValueError: it does not know that sample rate.
        """


class Cleaning(Protocol):
    """The state of cleaning one call's audio."""

    delay_s: float
    """How much later a sample comes out than it went in, in seconds."""

    def clean(self, pcm: bytes) -> bytes:
        """Take signed 16-bit little-endian PCM of any length; return as much, cleaned, `delay_s` late, silence first.

        Takes far less than a frame lasts, on the spot.
        """

    def played(self, pcm: bytes) -> None:
        """Take what the far end's loudspeaker played meanwhile, the same number of samples as the next `clean`."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A language model asks for a tool to be run."""

    id: str
    """What the answer is to be labelled with; unique within a conversation."""
    name: str
    arguments: str
    """JSON of an object, as the model wrote it: whole, but not checked."""


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of what a language model is shown."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: Sequence[ToolCall] = ()
    """What the assistant asked for, besides what it said."""
    tool_call_id: str = ""
    """Which request a message of the role `tool` answers."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool, as a language model is told of it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of an object."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer has cost, in tokens."""

    prompt: int
    """Tokens read, those that the provider remembered included."""
    completion: int
    """Tokens written."""
    remembered: int = 0
    """How many of `prompt` the provider had in its cache."""


Thought: TypeAlias = str | ToolCall | Usage
"""What a language model's answer comes in: text as it is written, whole tool calls, and at the end its cost."""


class LanguageModel(Protocol):
    """Continues a conversation, token by token."""

    def prepare(self) -> None:
        """As `VoiceActivity.prepare`."""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[Thought]:
        """Yield the assistant's next message in pieces: text, spaces included, and calls of `tools`.

        A tool call is yielded once it is whole; several may follow each other. `Usage`, where the provider
        tells it, comes last. With `schema` (JSON Schema of an object) the text joined is JSON that conforms to it.
        Closing the iterator, or cancelling the task that reads it, stops generation at once.

        Raises:
            ProviderError: the model cannot answer.
        """


@dataclass(frozen=True, slots=True)
class WordTime:
    """When a word is spoken, in seconds since the start of the audio that it belongs to."""

    word: str
    """As written in the text, with its punctuation, without spaces."""
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class PhonemeTime:
    """When a phoneme is spoken, in seconds since the start of the utterance."""

    phoneme: str
    """In the International Phonetic Alphabet, with its stress and length, such as `ˈuː`."""
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that a speech engine offers."""

    id: str
    name: str
    language: str
    """A language code, such as `en`."""
    description: str = ""
    gender: Literal["masculine", "feminine", "gender_neutral"] | None = None


@dataclass(frozen=True, slots=True)
class SpokenPiece:
    """A stretch of synthesised speech, whole samples, never empty."""

    pcm: bytes
    """Signed 16-bit little-endian PCM, one channel."""
    words: Sequence[WordTime] = ()
    """The words that begin in this stretch, in seconds since the start of the *utterance* (not of the piece)."""
    phonemes: Sequence[PhonemeTime] = ()
    """The phonemes that begin in this stretch; none from an engine that does not know them."""


class SpeechEngine(Protocol):
    """Turns text into speech, for the speech server."""

    voices: Sequence[Voice]
    """What it can speak with; the first is the default."""

    def prepare(self) -> None:
        """As `VoiceActivity.prepare`."""

    def sample_rate(self, voice: str, wanted: int) -> int:
        """Return the rate that `synthesize` will deliver when asked for `wanted`: an engine with a fixed
        rate returns that, and the server resamples."""

    def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:
        """Speak `text`, yielding pieces as they are made. Called in a worker thread, one text at a time
        for each worker; closing the iterator stops it.

        `voice` is the id of one of `voices`; `speed` 1.0 is natural; `sample_rate` is what the method of
        that name returned. Every whitespace-separated token of `text` appears once in the pieces' words,
        exactly as written.
        """


class MessageStream(Protocol):
    """A connection that carries whole messages: a WebSocket of any library, or a pair in memory."""

    async def send(self, message: str) -> None:
        """Send one text message; waits while the peer is slow.

        Raises:
            anyio.BrokenResourceError: the connection is gone.
        """

    async def receive(self) -> str | bytes:
        """Wait for one message.

        Raises:
            anyio.EndOfStream: the peer closed the connection, for whatever reason.
        """

    async def aclose(self) -> None:
        """Close the connection. Whoever receives is told at once; the rest takes no longer than a second. Harmless when
        it is closed already."""


class Transport(Protocol):
    """A phone line, as a call sees it. Sending never waits: a transport queues, and a `clear` overtakes."""

    audio: AudioFormat
    """What the line carries, both ways."""

    has_marks: bool
    """Whether the far end reports marks back."""

    has_keys: bool
    """Whether the carrier reports the keys that the caller presses. Where it does not, they are heard in the audio."""

    async def run(self) -> None:
        """Send what is queued, until the line is hung up or the task is cancelled. The call runs it."""

    async def receive(self) -> LineEvent:
        """Wait for what the far end says next. After `HungUp` comes nothing more.

        A message that makes no sense is logged and skipped, never raised.
        """

    def send_audio(self, audio: bytes) -> None:
        """Queue audio in the line's format."""

    def send_mark(self, name: str) -> None:
        """Queue a label, which the far end reports back once all audio before it was played."""

    def clear(self) -> None:
        """Make the far end forget what it has not played yet. Overtakes everything queued, and drops it."""

    def hang_up(self) -> None:
        """End the call, once what is queued has been sent."""


@runtime_checkable
class Transfers(Protocol):
    """A transport whose carrier can put a caller through to somebody else."""

    def transfer(self, transfer: Transfer) -> None:
        """End the call as `Transport.hang_up` does, and have the carrier put the caller through."""


@runtime_checkable
class HasVoices(Protocol):
    """A synthesizer whose provider tells which voices there are."""

    async def voices(self) -> Sequence[Voice]:
        """Return them all. May be asked before the synthesizer is entered.

        Raises:
            ProviderError: they cannot be had.
        """


class Synthesizer(Protocol):
    """A speech provider, shared by all calls of the process. Sending never waits: it queues.

    Made ready by whoever owns it (`async with`), before the first word of the first call.
    """

    markup: Markup
    """What text may hold besides words. Calls leave out what is not named here."""

    def open(
        self,
        context_id: str,
        *,
        audio: AudioFormat,
        deliver: Callable[[ContextEvent], None],
        voicing: Voicing | None = None,
    ) -> None:
        """Begin a context, to sound as `voicing` says. Whatever happens to it is delivered by calling `deliver`, from
        the event loop; `ContextDone` or `ContextFailed` comes last, and nothing after a `cancel`."""

    def send(self, context_id: str, text: str) -> None:
        """Send text, exactly as it shall be joined with what was sent before. Ignored when the context has ended."""

    def finish(self, context_id: str) -> None:
        """Say that no more text comes. Ignored when the context has ended."""

    def cancel(self, context_id: str) -> None:
        """Say that nothing of the context is wanted any more. Ignored when the context has ended."""
