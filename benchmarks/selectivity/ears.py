"""The real ears, on a clock that the audio advances: what the agent hears of a line, and when.

Recognition takes as long on that clock as it takes the processor, measured as it runs, so latencies are honest however
busy the machine is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from time import thread_time

import anyio
from anyio import create_memory_object_stream, create_task_group, current_time, sleep, sleep_until
from numpy import float32
from numpy.typing import NDArray

from agentvoice.audio import TELEPHONE
from agentvoice.events import CallerAudio, Event, SpeechStarted, SpeechStopped, Transcript
from agentvoice.hearing import Hearing
from agentvoice.interfaces import Listening
from agentvoice_moonshine._desk import Desk
from agentvoice_moonshine._listening import MoonshineListening
from agentvoice_moonshine._model import Model, Understood
from agentvoice_moonshine._recognizer import Moonshine
from agentvoice_silero import Silero

FRAME_S = 0.02
FRAME = TELEPHONE.size(FRAME_S)
POLL_S = 0.005
"""How soon the model notices that nobody wants its answer: it asks before each token."""


class MeteredDesk(Desk):
    """Moonshine's desk for one call, with no thread: the model runs at once, and its time passes afterwards."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._metered = model
        self._serving = anyio.Lock()
        self.spent_s: list[float] = []

    @property
    def busy(self) -> bool:
        return self._urgent > 0 or self._serving.locked()

    async def final(self, samples: NDArray[float32], *, cancelled: Callable[[], bool]) -> Understood:  # noqa: ARG002
        self._urgent += 1
        try:
            async with self._serving:
                understood, cost = self._run(samples)
                await sleep(cost)
                return understood
        finally:
            self._urgent -= 1

    async def partial(self, samples: NDArray[float32], *, cancelled: Callable[[], bool]) -> Understood | None:
        async with self._serving:
            understood, cost = self._run(samples)
            until = current_time() + cost
            while current_time() < until:
                if self._urgent or cancelled():
                    return None
                await sleep(min(POLL_S, until - current_time()))
            return understood

    def _run(self, samples: NDArray[float32]) -> tuple[Understood, float]:
        began = thread_time()
        understood = self._metered(samples)
        self.spent_s.append(thread_time() - began)
        return understood, self.spent_s[-1]


class MeteredMoonshine(Moonshine):
    """Moonshine, as the plugin has it, on that desk."""

    desk: MeteredDesk

    def prepare(self) -> None:
        super().prepare()
        assert self._desk
        self.desk = MeteredDesk(self._desk._model)  # noqa: SLF001 - there is no other way to its model

    @asynccontextmanager
    async def listen(self, sample_rate: int) -> AsyncIterator[Listening]:
        send, receive = create_memory_object_stream[Transcript](64)
        with send, receive:
            listening = MoonshineListening(self.desk, sample_rate, send, receive, self._partial_every_s)
            async with create_task_group() as group:
                group.start_soon(listening.run)
                yield listening
                group.cancel_scope.cancel()


class Models:
    """Both models, loaded once."""

    def __init__(self) -> None:
        self.recognizer = MeteredMoonshine()
        self.recognizer.prepare()
        self._silero = Silero()
        self._silero.prepare()

    def ears(self, deliver: Callable[[Event], None]) -> Hearing:
        """Return ears for one call."""
        return Hearing(self._silero, self.recognizer, TELEPHONE, deliver)


async def overhear(models: Models, line: bytes) -> Sequence[tuple[float, Event]]:
    """Return what is heard on a line, and when: seconds since its beginning. In virtual time."""
    heard: list[tuple[float, Event]] = []
    began = current_time()
    hearing = models.ears(lambda event: heard.append((current_time() - began, _moved(event, -began))))
    async with create_task_group() as group:
        group.start_soon(hearing.run)
        for start in range(0, len(line) - FRAME + 1, FRAME):
            await sleep_until(began + (start + FRAME) / 8000)
            hearing.feed(CallerAudio(line[start : start + FRAME], start))
        group.cancel_scope.cancel()
    return heard


class Memory:
    """Ears that hear again what was heard before: hearing does not depend on what the agent does about it."""

    def __init__(self, heard: Sequence[tuple[float, Event]], deliver: Callable[[Event], None]) -> None:
        self._heard = heard
        self._deliver = deliver

    def feed(self, event: CallerAudio) -> None:
        """Nothing is said on the line itself."""

    async def run(self) -> None:
        began = current_time()
        for at, event in self._heard:
            await sleep_until(began + at)
            self._deliver(_moved(event, began))
        await anyio.sleep_forever()


def _moved(event: Event, seconds: float) -> Event:
    """Return an event as it is on a clock that is ahead by so much."""
    return replace(event, at=event.at + seconds) if isinstance(event, SpeechStarted | SpeechStopped) else event
