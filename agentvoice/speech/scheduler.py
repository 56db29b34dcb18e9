"""Edge: who speaks next. A few worker threads make speech for all contexts of all sockets, stretch by stretch.

A context that has not been heard yet goes first, the shorter before the longer; then the one whose listener would run
dry first. So a "yes" is never behind chapters, a chapter that is seconds ahead of its listener waits for one that is
not, and those that are equally far ahead take turns.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from time import perf_counter
from typing import Final, Protocol, TypeAlias, TypeVar

import structlog
from anyio import CapacityLimiter, Semaphore, create_task_group, to_thread

from agentvoice.clock import current_time
from agentvoice.interfaces import SpeechEngine

from .contexts import Job
from .convert import Spoken, speak

log = structlog.get_logger()
_PATIENCE_S: Final = 0.03
"""How long each character of a first utterance may wait, in seconds: half of the time that it takes to say it."""
_SLICE_S: Final = 0.01
"""How long a worker goes on with a context that is being heard: to hand work to a thread costs a tenth of a
millisecond, which is more than the whole of a short stretch."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A job's next stretch of speech."""

    job: Job
    spoken: Spoken
    step_ms: float
    """How long it took to make, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Finished:
    """All of a job was spoken."""

    job: Job


@dataclass(frozen=True, slots=True)
class Broke:
    """The engine could not speak a job. Those after it in the same lane are not tried."""

    job: Job
    reason: str


Outcome: TypeAlias = Stretch | Finished | Broke


class RunInThread(Protocol):
    """Run a function that blocks, away from the event loop."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """Return what it returns."""


class Lane:
    """The jobs of one context, in order. Made by `Scheduler.lane`."""

    def __init__(self, deliver: Callable[[Outcome], None], has_room: Callable[[], bool]) -> None:
        self.deliver: Final = deliver
        self.has_room: Final = has_room
        self.jobs: deque[Job] = deque()
        self.speech: Iterator[Spoken] | None = None
        """What the first job says, once it has been begun."""
        self.words_left = 0
        """How many words of it are still to be said."""
        self.dry_at = 0.0
        """When somebody who listens from the first sound on has heard all of it; 0 before the first."""
        self.busy = False
        """Whether it waits for a worker, or has one."""
        self.stopped = False


class Scheduler:
    """Shares the workers between lanes. Its methods never wait; `run` does the work.

    `in_thread` may run the engine elsewhere, or at once: then stretches are made one by one, and a test is exact in
    virtual time.
    """

    def __init__(self, engine: SpeechEngine, *, workers: int = 2, in_thread: RunInThread | None = None) -> None:
        self._engine = engine
        self._workers = workers
        self._in_thread = in_thread
        self._slice_s = 0.0 if in_thread else _SLICE_S
        self._waiting: list[tuple[bool, float, int, Lane]] = []
        self._tickets = count()
        self._ready = Semaphore(0)

    def lane(self, *, deliver: Callable[[Outcome], None], has_room: Callable[[], bool]) -> Lane:
        """Return a lane for one context. `deliver` is called from the event loop."""
        return Lane(deliver, has_room)

    def submit(self, lane: Lane, job: Job) -> None:
        """Have a job spoken after those that the lane has."""
        lane.jobs.append(job)
        self.resume(lane)

    def resume(self, lane: Lane) -> None:
        """Look again whether the lane has work, and room for its outcome. Harmless when it has not."""
        if lane.busy or lane.stopped or not lane.jobs or not lane.has_room():
            return
        lane.busy = True
        heard = lane.dry_at > 0
        patience = 0.0 if heard else len(lane.jobs[0].utterance.text) * _PATIENCE_S
        due = max(lane.dry_at, current_time() + patience)
        heapq.heappush(self._waiting, (heard, due, next(self._tickets), lane))
        self._ready.release()

    def stop(self, lane: Lane) -> None:
        """Speak no more of it, and deliver nothing any more."""
        lane.stopped = True
        lane.jobs.clear()
        if not lane.busy:
            self._let_go(lane)

    async def run(self) -> None:
        """Work until cancelled."""
        limiter = CapacityLimiter(self._workers)
        thread: RunInThread = partial(to_thread.run_sync, limiter=limiter, abandon_on_cancel=True)
        async with create_task_group() as group:
            for _ in range(self._workers):
                group.start_soon(self._work, self._in_thread or thread)

    async def _work(self, in_thread: RunInThread) -> None:
        while True:
            await self._ready.acquire()
            *_, lane = heapq.heappop(self._waiting)
            if not lane.stopped:
                await self._advance(lane, in_thread)
            lane.busy = False
            if lane.stopped:
                await in_thread(partial(self._let_go, lane))
            else:
                self.resume(lane)

    async def _advance(self, lane: Lane, in_thread: RunInThread) -> None:
        """Make what comes next. After the stretch with the last word there is hardly anything left: make that, too."""
        job = lane.jobs[0]
        if lane.speech is None:
            lane.speech, lane.words_left = speak(self._engine, job.utterance), len(job.utterance.text.split())
        while True:
            began = current_time()
            made = await in_thread(partial(_make, lane.speech, self._slice_s if lane.dry_at else 0.0, job))
            step_ms = (current_time() - began) * 1000 / len(made)
            for one in made:
                if lane.stopped:
                    return
                self._deliver(lane, job, one, step_ms)
            if not isinstance(made[-1], Spoken) or lane.words_left > 0 or lane.stopped:
                return

    def _deliver(self, lane: Lane, job: Job, made: Spoken | Exception | None, step_ms: float) -> None:
        outcome: Outcome
        match made:
            case Spoken():
                lane.words_left -= len(made.words)
                lane.dry_at = max(lane.dry_at, current_time()) + job.utterance.output.seconds(len(made.audio))
                outcome = Stretch(job, made, step_ms)
            case None:
                outcome = Finished(job)
            case Exception():  # whatever is wrong with an engine ends one context, not the server
                log.warning("synthesis_failed", error=repr(made))
                outcome = Broke(job, str(made) or type(made).__name__)
        if not isinstance(made, Spoken):
            lane.speech = None
            lane.jobs.popleft()
        lane.deliver(outcome)

    @staticmethod
    def _let_go(lane: Lane) -> None:
        """Close what the engine has begun, so that it can clean up."""
        speech, lane.speech = lane.speech, None
        if isinstance(speech, Iterator) and hasattr(speech, "close"):
            speech.close()


def _make(speech: Iterator[Spoken], slice_s: float, job: Job) -> list[Spoken | Exception | None]:
    """Make a stretch, and more while the slice of time lasts, up to a second of speech. `None` stands for the end."""
    made: list[Spoken | Exception | None] = []
    until, room = perf_counter() + slice_s, job.utterance.output.bytes_per_second
    while True:
        try:
            one = next(speech, None)
        except Exception as error:  # noqa: BLE001  # it is delivered
            return [*made, error]
        made.append(one)
        if one is None:
            return made
        room -= len(one.audio)
        if room <= 0 or perf_counter() >= until:
            return made
