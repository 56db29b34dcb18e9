"""The desk where the windows of all calls meet: many at once cost the model a third of what they cost alone."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

import anyio
import numpy as np
from anyio import current_time, get_cancelled_exc_class, sleep_until
from anyio.lowlevel import RunVar

from agentvoice.errors import ProviderError

from ._model import Floats, Model

WINDOW_S: Final = 0.032
CROWD: Final = 10
"""With so many calls in sound it pays to gather their windows. Fewer are answered on the spot: that takes 1.5 ms for
all of them, and there is little to save."""
GATHER_S: Final = 0.002
"""How long a window may wait for others."""
LARGEST: Final = 32
"""Windows judged at once: they hold the event loop for a millisecond. More of them wait for the next gathering."""


@dataclass(slots=True, eq=False)
class Window:
    """One window of one call."""

    samples: Floats
    """Its context and itself, as a batch of one."""
    state: Floats
    """Before it is judged: what it is judged with. After that: what its call remembers."""
    probability: float = 0.0


@dataclass(slots=True, eq=False)
class Gathering:
    """Windows that will be judged together."""

    due: float
    windows: list[Window] = field(default_factory=list)
    others: list[anyio.Event] = field(default_factory=list)
    """For each of them but the first: set when it is over. One for all would wake them in any order, on trio."""
    over: bool = False
    """Whether nobody can join any more."""
    judged: bool = False
    error: Exception | None = None


@dataclass(slots=True, eq=False)
class Queue:
    """What stands before the desk in one event loop."""

    gathering: Gathering
    crowd: int = 0
    """How many calls had sound lately."""
    seen: set[Hashable] = field(default_factory=set)
    seen_until: float = 0.0

    def count(self, call: Hashable, now: float) -> int:
        """Take note of a call with sound; return how many there are."""
        if now >= self.seen_until:
            self.crowd, self.seen, self.seen_until = len(self.seen), set(), now + WINDOW_S
        self.seen.add(call)
        return max(self.crowd, len(self.seen))

    def join(self, window: Window, now: float) -> Gathering:
        """Return the gathering that it is part of now."""
        if self.gathering.over or len(self.gathering.windows) >= LARGEST:
            self.gathering = Gathering(max(now, self.gathering.due) + GATHER_S)
        self.gathering.windows.append(window)
        return self.gathering


class Desk:
    """Asks the model, for all calls of one sample rate."""

    def __init__(self, model: Model, sample_rate: int) -> None:
        self._model = model
        self._sample_rate = sample_rate
        self._queues: RunVar[Queue] = RunVar(f"agentvoice_silero_desk_{sample_rate}")

    async def judge(self, call: Hashable, window: Window) -> None:
        """Judge a window. On the spot, unless many calls have sound: then within `GATHER_S`, with theirs.

        Raises:
            ProviderError: the model failed, on this window or on one that was judged with it.
        """
        now, queue = current_time(), self._queue
        if queue.count(call, now) < CROWD:
            error = self._ask([window])
        else:
            gathering = queue.join(window, now)
            await self._wait(gathering, window)
            if not gathering.judged:
                gathering.judged, gathering.error = True, self._ask(gathering.windows)
            error = gathering.error
        if error is not None:
            raise ProviderError("silero", f"{error}; the calls of this batch begin afresh") from error

    @property
    def _queue(self) -> Queue:
        """The queue of this event loop."""
        queue = self._queues.get(None)
        if queue is None:
            queue = Queue(Gathering(current_time(), over=True))
            self._queues.set(queue)
        return queue

    async def _wait(self, gathering: Gathering, window: Window) -> None:
        """Wait until the gathering is over. The first of it looks at the clock; when that one is cancelled, the others
        go on without it."""
        try:
            if gathering.windows[0] is window:
                await self._lead(gathering)
            else:
                gathering.others.append(over := anyio.Event())
                await over.wait()
        except get_cancelled_exc_class():
            gathering.windows.remove(window)
            raise

    async def _lead(self, gathering: Gathering) -> None:
        try:
            await sleep_until(gathering.due)
        finally:
            gathering.over = True
            for other in gathering.others:
                other.set()

    def _ask(self, windows: list[Window]) -> Exception | None:
        """Have the model judge them all, or none."""
        try:
            samples = np.concatenate([window.samples for window in windows])
            states = np.concatenate([window.state for window in windows], axis=1)
            probabilities, states = self._model(samples, states, self._sample_rate)
        except Exception as error:  # noqa: BLE001 - raised to each call whose window it was
            return error
        for number, (window, probability) in enumerate(zip(windows, probabilities.tolist(), strict=True)):
            window.probability = probability
            window.state = states[:, number : number + 1].copy()  # a view would keep the states of all the others
        return None
