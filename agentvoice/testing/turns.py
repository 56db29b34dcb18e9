"""Doubles of those who know turns: a recogniser that says when one begins and ends, and a model that judges pauses."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from anyio import create_memory_object_stream
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectSendStream

from agentvoice.errors import ProviderUnavailable
from agentvoice.events import (
    CallerTurnEnded,
    CallerTurnEvent,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from agentvoice.interfaces import Following
from agentvoice.voice_gate import VoiceGate

from .hearing import LoudnessActivity


@dataclass
class ScriptedTurnRecognizer:
    """`TurnRecognizer` that takes whatever is loud for speech, and understands it by a function, as `Lexicon.hear`."""

    hear: Callable[[bytes, int], str]
    """What PCM of a sample rate says."""
    eager_s: float = 0.3
    """Silence after which a turn has probably ended."""
    end_s: float = 0.6
    """Silence after which it has."""
    partial_every_s: float = 0.3
    """Audio between partial transcripts."""
    crashes: Sequence[int] = ()
    """In which of its turns, counted over its whole life, it breaks."""
    opened: int = 0
    """How often somebody began to follow a call."""
    turns: int = 0
    """Turns that have begun so far."""

    def prepare(self) -> None:
        """Nothing to load."""

    @asynccontextmanager
    async def follow(self, sample_rate: int) -> AsyncIterator[Following]:
        """Begin to follow one call."""
        self.opened += 1
        send, receive = create_memory_object_stream[CallerTurnEvent](math.inf)
        with send, receive:
            yield _ScriptedFollowing(self, sample_rate, send, receive)


class _ScriptedFollowing:
    def __init__(
        self,
        script: ScriptedTurnRecognizer,
        sample_rate: int,
        send: MemoryObjectSendStream[CallerTurnEvent],
        receive: ObjectReceiveStream[CallerTurnEvent],
    ) -> None:
        self.events = receive
        self._script = script
        self._sample_rate = sample_rate
        self._send = send
        self._detector = LoudnessActivity().detector(sample_rate)
        self._gate = VoiceGate()
        self._fed_s = self._judged_s = 0.0
        self._turn = bytearray()
        self._before = bytearray()
        self._began_at: float | None = None
        self._silent_at = math.inf
        self._said_at = 0.0
        self._likely = False

    async def feed(self, pcm: bytes) -> None:
        """Take audio; say at once what follows from it."""
        self._fed_s += len(pcm) / 2 / self._sample_rate
        kept = self._before if self._began_at is None else self._turn
        kept += pcm
        del self._before[: -2 * self._sample_rate // 2]
        for probability in await self._detector.feed(pcm):
            start, self._judged_s = self._judged_s, self._judged_s + self._detector.window_s
            self._hear(self._gate.receive(probability, start=start, end=self._judged_s))
        self._go_on()

    def _hear(self, event: SpeechStarted | SpeechStopped | None) -> None:
        match event:
            case SpeechStarted(at) if self._began_at is None:
                self._begin(at)
            case SpeechStarted():
                self._silent_at = math.inf
                if self._likely:
                    self._likely = False
                    self._send.send_nowait(CallerTurnResumed())
            case SpeechStopped(at):
                self._silent_at = at
            case None:
                pass

    def _begin(self, at: float) -> None:
        script = self._script
        script.turns += 1
        if script.turns - 1 in script.crashes:
            raise ProviderUnavailable("script", "crashed")
        self._began_at, self._said_at, self._silent_at = at, self._fed_s, math.inf
        self._turn, self._before = self._before, bytearray()
        self._send.send_nowait(CallerTurnStarted(self._words(), at))

    def _go_on(self) -> None:
        if self._began_at is None:
            return
        silent_s = self._fed_s - self._silent_at
        if silent_s >= self._script.end_s:
            self._send.send_nowait(CallerTurnEnded(self._words(), 0.9))
            self._began_at, self._likely = None, False
            self._turn.clear()
        elif silent_s >= self._script.eager_s and not self._likely:
            self._likely = True
            self._send.send_nowait(CallerTurnLikely(self._words()))
        elif silent_s < 0 and self._fed_s >= self._said_at + self._script.partial_every_s:
            self._said_at = self._fed_s
            self._send.send_nowait(Transcript(self._words(), final=False))

    def _words(self) -> str:
        return self._script.hear(bytes(self._turn), self._sample_rate)


@dataclass
class ScriptedJudge:
    """`EndOfTurn` by a function of the words."""

    probability: Callable[[str], float] = lambda _: 1.0
    asked: list[str] = field(default_factory=list)
    """The words of each pause that it was asked about."""

    def prepare(self) -> None:
        """Nothing to load."""

    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:  # noqa: ARG002 - it goes by the words
        """Say what the script says."""
        self.asked.append(text)
        return self.probability(text)
