"""Doubles of the ears: voice activity by loudness, and a recogniser that hears by script, with faults."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

from anyio import create_memory_object_stream, create_task_group, sleep, sleep_forever
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening, VoiceDetector

from .lexicon import LOUD, loudness

WINDOW_S: Final = 0.032


class LoudnessActivity:
    """`VoiceActivity` that takes whatever is loud for speech."""

    def __init__(self, *, loud: float = LOUD) -> None:
        """`loud` is the mean absolute sample, of 32,768, from which a window is speech."""
        self._loud = loud

    def prepare(self) -> None:
        """Nothing to load."""

    def detector(self, sample_rate: int) -> VoiceDetector:
        """Return a fresh detector."""
        if sample_rate not in {8000, 16000}:
            raise ValueError(f"sample_rate is {sample_rate}; it has to be 8000 or 16000")
        return _LoudnessDetector(sample_rate, self._loud)


class _LoudnessDetector:
    window_s = WINDOW_S

    def __init__(self, sample_rate: int, loud: float) -> None:
        self._window = 2 * round(sample_rate * WINDOW_S)
        self._loud = loud
        self._rest = b""

    async def feed(self, pcm: bytes) -> Sequence[float]:
        pcm = self._rest + pcm
        whole = len(pcm) // self._window * self._window
        self._rest = pcm[whole:]
        if pcm.count(0, 0, whole) == whole:
            return [0.02] * (whole // self._window)
        windows = (pcm[at : at + self._window] for at in range(0, whole, self._window))
        return [0.98 if loudness(window) >= self._loud else 0.02 for window in windows]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one segment."""

    crashes: bool = False
    """The recogniser breaks in the middle of the segment."""
    rejects: bool = False
    """It refuses to go on in the middle of the segment, and for good."""
    never_answers: bool = False
    """No final transcript comes."""
    feed_blocks_s: float = 0.0
    """The first `feed` takes so long, although it must not."""


SOUND: Final = Fault()


@dataclass
class ScriptedRecognizer:
    """`SpeechRecognizer` that hears by script: a function of the audio (as `Lexicon.hear`), or texts in their order.

    The texts, and the faults by the number of the segment, are counted over the recogniser's whole life, so that a
    segment which is given again after a crash comes as the next one.
    """

    script: Callable[[bytes, int], str] | Sequence[str]
    latency_s: float = 0.1
    """From `finalize` to the final transcript, in seconds, give or take `jitter_s`."""
    jitter_s: float = 0.0
    partial_every_s: float = 0.3
    """Audio between partial transcripts, in seconds."""
    opens_after_s: float = 0.0
    """How long it takes to begin to listen, in seconds."""
    faults: Mapping[int, Fault] = field(default_factory=dict)
    fails_to_open: int = 0
    """How many of the first attempts to listen fail."""
    opened: int = 0
    """Attempts to listen so far."""
    random: Random = field(default_factory=lambda: Random(0))
    """Where the jitter comes from."""
    segments: list[bytes] = field(default_factory=list)
    """The PCM of every segment that was begun."""

    def prepare(self) -> None:
        """Nothing to load."""

    @asynccontextmanager
    async def listen(self, sample_rate: int) -> AsyncIterator[Listening]:
        """Begin to listen, as the script says."""
        self.opened += 1
        await sleep(self.opens_after_s)
        if self.opened <= self.fails_to_open:
            raise ProviderUnavailable("script", "does not open")
        send, receive = create_memory_object_stream[Transcript](math.inf)
        ended, endings = create_memory_object_stream[int](math.inf)
        with send, receive, ended, endings:
            async with create_task_group() as group:
                listening = _ScriptedListening(self, sample_rate, send, receive, ended)
                group.start_soon(listening.answer, endings)
                yield listening
                group.cancel_scope.cancel()


class _ScriptedListening:
    def __init__(
        self,
        script: ScriptedRecognizer,
        sample_rate: int,
        send: MemoryObjectSendStream[Transcript],
        receive: MemoryObjectReceiveStream[Transcript],
        ended: MemoryObjectSendStream[int],
    ) -> None:
        self.transcripts: ObjectReceiveStream[Transcript] = receive
        self._script = script
        self._sample_rate = sample_rate
        self._send = send
        self._number: int | None = None
        self._unheard = 0  # bytes since the last partial transcript
        self._ended = ended

    def _begin(self) -> int:
        if self._number is None:
            self._number = len(self._script.segments)
            self._script.segments.append(b"")
            self._unheard = 0
        return self._number

    async def feed(self, pcm: bytes) -> None:
        fresh = self._number is None
        number = self._begin()
        fault = self._script.faults.get(number, SOUND)
        if fault.crashes and not fresh:
            raise ProviderUnavailable("script", "crashed")
        if fault.rejects and not fresh:
            raise ProviderRejected("script", "the account is closed")
        if fresh:
            await sleep(fault.feed_blocks_s)
        self._script.segments[number] += pcm
        self._unheard += len(pcm)
        if self._unheard >= 2 * self._sample_rate * self._script.partial_every_s:
            self._unheard = 0
            if text := self._text(number, final=False):
                self._send.send_nowait(Transcript(text, final=False))

    async def finalize(self) -> None:
        self._ended.send_nowait(self._begin())
        self._number = None

    async def answer(self, endings: MemoryObjectReceiveStream[int]) -> None:
        """Send one final transcript a segment, in order."""
        async for number in endings:
            if self._script.faults.get(number, SOUND).never_answers:
                await sleep_forever()
            script = self._script
            await sleep(max(0.0, script.latency_s + script.random.uniform(-1, 1) * script.jitter_s))
            self._send.send_nowait(Transcript(self._text(number, final=True), final=True, confidence=0.9))

    def _text(self, number: int, *, final: bool) -> str:
        script = self._script.script
        if callable(script):
            return script(self._script.segments[number], self._sample_rate)
        return script[number] if final and number < len(script) else ""


@dataclass
class ScriptedEndOfTurn:
    """`EndOfTurn` that judges by script: a function of audio, sample rate and text, or probabilities in their order.

    The last of them stays.
    """

    script: Callable[[bytes, int, str], float] | Sequence[float]
    latency_s: float = 0.05
    """How long a judgement takes, in seconds."""
    crashes: Collection[int] = ()
    """The judgements that break, by their number."""
    asked: list[tuple[bytes, int, str]] = field(default_factory=list)
    """The questions so far, those included whose answer nobody waited for."""

    def prepare(self) -> None:
        """Nothing to load."""

    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:
        """Judge, as the script says."""
        number = len(self.asked)
        self.asked.append((pcm, sample_rate, text))
        await sleep(self.latency_s)
        if number in self.crashes:
            raise ProviderUnavailable("script", "crashed")
        if callable(self.script):
            return self.script(pcm, sample_rate, text)
        return self.script[min(number, len(self.script) - 1)]
