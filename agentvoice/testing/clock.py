"""Clocks that jump: where nothing can happen before an instant, be there now.

An hour of conversation then passes in a moment, and exactly. Real sockets and threads look idle to such a clock, and it
leaps hours past them: tests that use those keep the real one.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, MutableSequence, Sequence
from contextvars import Context, copy_context
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import count
from random import Random
from selectors import BaseSelector, SelectorKey
from typing import Any, Final

_ASK_EVERY: Final = 64
"""Turns of the loop after which the system is asked, however much there is to run."""
_OWN: Final = 1
"""The files that an idle loop watches: its own pipe."""
_FEW: Final = 128
"""Cancelled timers that may lie about."""


class _Handle(asyncio.TimerHandle):
    """As asyncio's, but made in one step: a simulated call makes thousands."""

    __slots__ = ()
    _context: Context
    _callback: Callable[..., object]
    _loop: JumpingLoop
    _repr: str | None
    _source_traceback: None

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: JumpingLoop,
        context: Context,
    ) -> None:
        self._when, self._callback, self._args, self._loop, self._context = when, callback, args, loop, context
        self._scheduled = self._cancelled = False
        self._repr = self._source_traceback = None

    def cancel(self) -> None:
        """Never call back; as asyncio's, which looks at more."""
        if not self._cancelled:
            self._cancelled = True
            self._callback, self._args = _nothing, ()
            if self._scheduled:
                self._loop._cancelled += 1


def _nothing() -> None:
    """What is called back once nothing is to be any more."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time is virtual, and begins at 0.

    It never waits: once nothing is ready it is at the next timer's instant. What asyncio's own loop does once a turn,
    look at the system and at the timers, this one does where it matters, which is much less often.
    """

    _ready: deque[_Handle]
    _selector: BaseSelector
    _stopping: bool
    _process_events: Callable[[Sequence[tuple[SelectorKey, int]]], None]

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._timers: list[tuple[float, int, _Handle]] = []
        self._numbers = count()  # timers of one instant ring in the order in which they were set
        self._cancelled = 0  # timers that will not ring, among the others
        self._watched = self._selector.get_map()
        self._idle: list[Callable[[], object]] = []

    def time(self) -> float:
        """Return the virtual time, in seconds."""
        return self._now

    def call_at(  # type: ignore[override] # mypy would know what the callback is called with
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back at an instant; as asyncio's."""
        if self._cancelled > _FEW and self._cancelled > len(self._timers) // 2:
            self._forget_the_cancelled()
        timer = _Handle(when, callback, args, self, context or copy_context())
        timer._scheduled = True
        heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def call_soon(  # type: ignore[override] # as above
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Call back with the next turn; as asyncio's."""
        handle = _Handle(self._now, callback, args, self, context or copy_context())
        self._ready.append(handle)
        return handle

    def when_settled(self, callback: Callable[[], object]) -> None:
        """Call back once nothing more can happen before the clock moves."""
        self._idle.append(callback)

    async def settled(self) -> None:
        """Wait until nothing more can happen before the clock moves."""
        waiter = self.create_future()
        self.when_settled(partial(_resolve, waiter))
        await waiter

    # ------------------------------------------------------------------ what asyncio's loop calls

    def _run_once(self) -> None:
        """Have many turns, where asyncio's loop has one, and look at the system."""
        ready = self._ready
        for _ in range(_ASK_EVERY):
            if not ready:
                self._go_on()
            for _ in range(len(ready)):
                handle = ready.popleft()
                if handle._cancelled:
                    continue
                try:
                    handle._context.run(handle._callback, *handle._args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # noqa: BLE001 - as asyncio does
                    told = {"message": f"Exception in callback {handle!r}", "exception": error, "handle": handle}
                    self.call_exception_handler(told)
            if self._stopping:
                return
        self._ask_the_system(0)

    def _go_on(self) -> None:
        """Nothing is ready: the instant is over, or at least what was known of it."""
        if len(self._watched) > _OWN:
            self._ask_the_system(0)  # whatever it has to say is said at this instant
        if self._idle and not self._ready:
            self._tell_the_idle()
        elif not self._ready:
            self._jump()

    def _tell_the_idle(self) -> None:
        idle, self._idle = self._idle, []
        for callback in idle:
            callback()

    def _jump(self) -> None:
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            self._pop()
        if not timers:
            self._ask_the_system(None)
        else:
            self._now = max(self._now, timers[0][0])
            while timers and timers[0][0] <= self._now:
                self._ready.append(self._pop())

    def _ask_the_system(self, timeout: float | None) -> None:
        self._process_events(self._selector.select(timeout))

    def _pop(self) -> _Handle:
        timer = heappop(self._timers)[2]
        self._cancelled -= timer._cancelled
        timer._scheduled = False
        return timer

    def _forget_the_cancelled(self) -> None:
        """Most deadlines are far away, and never met."""
        self._timers = [each for each in self._timers if not each[2]._cancelled]
        heapify(self._timers)
        self._cancelled = 0


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


async def settled() -> None:
    """Wait, in virtual time, until nothing more can happen at this instant: all others wait for a later one."""
    match asyncio._get_running_loop():
        case JumpingLoop() as loop:
            await loop.settled()
        case None:
            from trio.testing import wait_all_tasks_blocked  # noqa: PLC0415 - trio is optional

            await wait_all_tasks_blocked()


def when_settled(callback: Callable[[], object]) -> bool:
    """Have a jumping loop call back once nothing more can happen at this instant. Return whether it does."""
    match asyncio._get_running_loop():
        case JumpingLoop() as loop:
            loop.when_settled(callback)
            return True
    return False


def _keep_tasks_in_order() -> None:
    """Have trio run the tasks of one instant of virtual time in the order in which they became ready, as asyncio does.

    It tosses a coin for each batch, so that nobody relies on an order; but two hooks that are started by the same event
    would then speak in another order each time. Its coin is private; pytest-trio and Hypothesis reach for it as well.
    """
    from trio._core import _run  # noqa: PLC0415

    class Coin(Random):
        @property
        def _falls(self) -> bool:
            try:
                clock = _run.current_clock()
            except RuntimeError:  # trio's own clock is being made: it tosses for where it begins
                return True
            return bool(getattr(clock, "autojump_threshold", math.inf) == math.inf)

        def random(self) -> float:
            return super().random() if self._falls else 0.0  # reversed, since trio takes them from the end

        def shuffle(self, batch: MutableSequence[Any]) -> None:  # instead, once Hypothesis has been imported
            super().shuffle(batch) if self._falls else batch.reverse()

    if type(_run._r) is Random:
        _run._r = Coin()


def virtual(backend: str) -> tuple[str, dict[str, Any]]:
    """Return what `anyio.run` and anyio's `anyio_backend` fixture need to run `backend` in virtual time.

    For `anyio.run`, the name is its `backend` and the dictionary its `backend_options`.
    """
    if backend == "trio":
        from trio.testing import MockClock  # noqa: PLC0415 - trio is optional

        _keep_tasks_in_order()
        return backend, {"clock": MockClock(autojump_threshold=0)}
    return backend, {"loop_factory": JumpingLoop}
