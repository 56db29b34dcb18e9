"""A speech provider in memory: the server's end of the context protocol, with a voice of tones and faults on demand."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random
from typing import Final

from anyio import BrokenResourceError, CancelScope, EndOfStream, create_task_group, sleep, sleep_forever
from anyio.abc import TaskGroup

from agentvoice.audio import AudioFormat, from_linear
from agentvoice.bell import Bell
from agentvoice.clock import current_time
from agentvoice.errors import ProviderError
from agentvoice.interfaces import MessageStream, WordTime
from agentvoice.speech.tone import ToneEngine
from agentvoice.streams import MemoryStream, memory_pair
from agentvoice.tts.wire import (
    Cancel,
    Chunk,
    Done,
    Failure,
    FlushDone,
    Generate,
    Interval,
    PhonemeTimestamps,
    RequestRejected,
    Response,
    Timestamps,
    Unknown,
    UnknownMember,
    parse_request,
    render_response,
)


@dataclass(frozen=True, slots=True)
class SpeechFault:
    """What goes wrong with one context. Seconds are of its audio."""

    ignores_cancel: bool = False
    """Goes on talking after a cancel, and says `done` in the end."""
    done_after_cancel: bool = False
    """Stops at a cancel, but says `done`."""
    never_done: bool = False
    """All audio comes, its end does not."""
    stalls_after_s: float | None = None
    """Says nothing more after so much audio."""
    drops_after_s: float | None = None
    """Closes the socket after so much audio, and with it all contexts."""
    fails: Failure | None = None
    """Answers the first text with this error, which names the context unless its `context_id` is `None`."""
    words_late: bool = False
    """Tells when words are spoken only after the audio of their text has come."""
    nonsense: bool = False
    """Mixes in messages that mean nothing, and such about contexts that nobody knows."""


_SOUND: Final = SpeechFault()


@dataclass(slots=True)
class SpokenContext:
    """What happened to one context, for assertions. Times are those of the event loop."""

    id: str
    request: Generate
    """The first one, with everything that was asked for."""
    requests: list[Generate] = field(default_factory=list)
    """All of them."""
    socket: int = 0
    """Number of the connection, from 0."""
    opened_at: float = 0.0
    cancelled_at: float | None = None
    done_at: float | None = None
    sent_s: float = 0.0
    """Seconds of audio that were sent."""

    @property
    def text(self) -> str:
        """Everything that was to be spoken."""
        return "".join(request.transcript for request in self.requests)


class ScriptedSpeech:
    """Speaks to any client of the context protocol over a connection in memory, in virtual time.

        speech = ScriptedSpeech(latency_s=0.2, faults={1: SpeechFault(stalls_after_s=0.5)})
        async with ContextSynthesizer(speech.connect) as tts: ...

    The voice is the tone engine's: each word a tone of 60 ms and 45 ms a character, its last 60 ms silent, in whatever
    format was asked for. The first audio of a context comes `latency_s` (give or take `jitter_s`) after its first
    text, then each chunk of `chunk_s` takes `real_time_factor` (give or take `rate_jitter`) of its length. `faults` are
    by the number of the context, from 0, in order of their first text over all connections. `refusals` are what the
    first connections are answered with, one each; `None` lets one through. With `idle_s`, a connection on which nothing
    was asked for so long is closed. With `expires_s`, a context that waits for text for so long after its audio ends
    with `done`. With `most_contexts`, one more than that on a connection closes it, as some providers do; those that
    were cancelled and still talk count.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        latency_s: float = 0.1,
        jitter_s: float = 0.0,
        real_time_factor: float = 0.1,
        rate_jitter: float = 0.0,
        chunk_s: float = 0.1,
        word_times: bool = True,
        faults: Mapping[int, SpeechFault] | None = None,
        refusals: Iterable[ProviderError | None] = (),
        handshake_s: float = 0.0,
        idle_s: float = float("inf"),
        expires_s: float = float("inf"),
        most_contexts: int | None = None,
    ) -> None:
        self._random = Random(seed)
        self.latency_s, self.jitter_s = latency_s, jitter_s
        self.real_time_factor, self.rate_jitter, self.chunk_s = real_time_factor, rate_jitter, chunk_s
        self.word_times = word_times
        self.faults = dict(faults or {})
        self.handshake_s, self.idle_s, self.expires_s = handshake_s, idle_s, expires_s
        self._refusals = list(refusals)
        self.most_contexts = most_contexts
        self.over_cap = 0
        """How often there was one too many."""
        self.contexts: list[SpokenContext] = []
        """All contexts so far, in order of their first text."""
        self._named: dict[str, SpokenContext] = {}
        self.requests: list[Generate | Cancel] = []
        """Everything that clients said, in order."""
        self.handshakes = 0
        """How many connections were made."""
        self.connections: set[MemoryStream] = set()
        """Those that are open: their server's ends."""

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[MessageStream, None]:
        """Make a connection, as `streams.connect_websocket` does."""
        await sleep(self.handshake_s)
        refusal = self._refusals.pop(0) if self._refusals else None
        if refusal is not None:
            raise refusal
        client, server = memory_pair()
        number, self.handshakes = self.handshakes, self.handshakes + 1
        self.connections.add(server)
        async with create_task_group() as group:
            group.start_soon(_Connection(self, number, server, group).run)
            try:
                yield client
            finally:
                self.connections.discard(server)
                await client.aclose()
                await server.aclose()
                group.cancel_scope.cancel()

    async def drop(self) -> None:
        """Close all connections at once."""
        for server in list(self.connections):
            await server.aclose()

    def named(self, context_id: str) -> SpokenContext:
        """Return what happened to a context; `KeyError` when no text of it arrived."""
        return self._named[context_id]

    def begin(self, context: SpokenContext) -> tuple[SpeechFault, float]:
        """Take note of a new context; return what shall go wrong with it, and when its audio shall begin."""
        fault = self.faults.get(len(self.contexts), _SOUND)
        self.contexts.append(context)
        self._named[context.id] = context
        return fault, max(0.0, self.latency_s + self._random.uniform(-1, 1) * self.jitter_s)

    def rate(self) -> float:
        """Return how much of its length the next chunk takes."""
        if not self.rate_jitter:
            return self.real_time_factor
        return max(0.0, self.real_time_factor + self._random.uniform(-1, 1) * self.rate_jitter)


class _Connection:
    """One connection: a task that reads, and one that speaks for each context."""

    def __init__(self, speech: ScriptedSpeech, number: int, stream: MemoryStream, group: TaskGroup) -> None:
        self._speech = speech
        self._number = number
        self._stream = stream
        self._group = group
        self._voices: dict[str, _Voice] = {}

    async def run(self) -> None:
        with CancelScope() as idle:
            while True:
                idle.deadline = current_time() + self._speech.idle_s
                try:
                    message = await self._stream.receive()
                except EndOfStream:
                    return
                await self._take(message)
        await self._stream.aclose()

    async def _take(self, message: str) -> None:
        try:
            request = parse_request(message)
        except RequestRejected as rejected:
            await self.say(rejected.failure)
            return
        self._speech.requests.append(request)
        voice = self._voices.get(request.context_id)
        match request:
            case Cancel():
                if voice is not None:
                    await voice.cancel()
            case Generate() if voice is not None:
                voice.take(request)
            case Generate(transcript=text) if text.strip() and len(self._voices) == self._speech.most_contexts:
                self._speech.over_cap += 1
                await self.close()
            case Generate(transcript=text) if text.strip():
                context = SpokenContext(request.context_id, request, socket=self._number, opened_at=current_time())
                voice = self._voices[context.id] = _Voice(self, self._speech, context)
                voice.take(request)
                self._group.start_soon(voice.run)
            case _:
                pass  # a finish that crossed the end

    def forget(self, context_id: str) -> None:
        self._voices.pop(context_id, None)

    async def close(self) -> None:
        await self._stream.aclose()

    async def say(self, response: Response) -> None:
        try:
            text = "not JSON" if isinstance(response, Unknown | UnknownMember) else render_response(response)
            await self._stream.send(text)
        except BrokenResourceError:
            pass  # the reader notices, and ends


class _Voice:
    """One context, spoken."""

    def __init__(self, connection: _Connection, speech: ScriptedSpeech, context: SpokenContext) -> None:
        self._connection = connection
        self._speech = speech
        self._context = context
        self._fault, self._latency_s = speech.begin(context)
        self._submissions: list[Generate] = []
        self._more = Bell()
        self._scope = CancelScope()

    def take(self, request: Generate) -> None:
        self._context.requests.append(request)
        self._submissions.append(request)
        self._more.ring()

    async def cancel(self) -> None:
        self._context.cancelled_at = current_time()
        if self._fault.ignores_cancel:
            return
        self._scope.cancel()
        self._connection.forget(self._context.id)
        if self._fault.done_after_cancel:
            await self._connection.say(Done(self._context.id))

    async def run(self) -> None:
        with self._scope:
            await self._speak()

    async def _speak(self) -> None:
        context_id = self._context.id
        await sleep(self._latency_s)
        if self._fault.fails is not None:
            named = self._fault.fails.context_id is not None
            await self._connection.say(replace(self._fault.fails, context_id=context_id if named else None))
            self._connection.forget(context_id)
            return
        finished = False
        while not finished:
            while self._submissions:
                request = self._submissions.pop(0)
                await self._utter(request.transcript)
                await self._connection.say(FlushDone(context_id))
                finished = not request.continue_
            if not finished:
                finished = await self._expires()
        self._connection.forget(context_id)
        if not self._fault.never_done:
            self._context.done_at = current_time()
            await self._connection.say(Done(context_id))

    async def _expires(self) -> bool:
        """Wait for more text; return whether that took too long."""
        await self._more.wait(until=current_time() + self._speech.expires_s)
        return not self._submissions

    async def _utter(self, text: str) -> None:
        output = self._context.request.output
        assert output is not None  # noqa: S101 - a request with text has one
        size, late = output.size(self._speech.chunk_s), self._fault.words_late
        began, audio, words = self._context.sent_s, b"", list[Interval]()
        for piece, word in _spoken(text, output):
            words.append((word.word, began + word.start_s, began + word.end_s))
            audio += piece
            while len(audio) >= size:
                if not late:
                    await self._tell(words)
                await self._chunk(audio[:size], output.seconds(size))
                audio = audio[size:]
        if not late:
            await self._tell(words)
        if audio:
            await self._chunk(audio, output.seconds(len(audio)))
        await self._tell(words)

    async def _tell(self, words: list[Interval]) -> None:
        """Say when words are spoken, all at once, and forget them."""
        if words and self._speech.word_times:
            await self._connection.say(Timestamps(self._context.id, tuple(words)))
        if words and self._context.request.add_phoneme_timestamps:
            await self._connection.say(PhonemeTimestamps(self._context.id, tuple(_letters(words))))
        words.clear()

    async def _chunk(self, audio: bytes, seconds: float) -> None:
        context, fault = self._context, self._fault
        await sleep(seconds * self._speech.rate())
        if fault.stalls_after_s is not None and context.sent_s >= fault.stalls_after_s:
            await sleep_forever()
        if fault.drops_after_s is not None and context.sent_s >= fault.drops_after_s:
            await self._connection.close()
            return
        context.sent_s += seconds
        await self._connection.say(Chunk(context.id, audio))
        if fault.nonsense:
            await self._connection.say(Unknown(None, None, 0))
            await self._connection.say(Done("nobody-knows"))


@lru_cache(maxsize=1024)
def _spoken(text: str, output: AudioFormat) -> Sequence[tuple[bytes, WordTime]]:
    """Return the words of a text: the audio of each, and when it is spoken."""
    pieces = ToneEngine().synthesize(text, voice="tone", speed=1.0, sample_rate=output.sample_rate)
    return [(from_linear(piece.pcm, output.encoding), piece.words[0]) for piece in pieces]


def _letters(words: Iterable[Interval]) -> Iterator[Interval]:
    """Take every letter for a phoneme, and share out its word's time."""
    for word, start, end in words:
        each = (end - start) / len(word)
        for number, letter in enumerate(word):
            yield letter, start + number * each, start + (number + 1) * each
