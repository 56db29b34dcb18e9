"""Clocks that jump: where nothing can happen before an instant, be there now.

An hour of conversation then passes in a moment, and exactly. Real sockets and threads look idle to such a clock, and it
leaps hours past them: tests that use those keep the real one.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import MutableSequence
from random import Random
from typing import Any, Final

_ASK_EVERY: Final = 64


class JumpingSelector(selectors.DefaultSelector):
    """Never waits: adds up what it would have waited for."""

    skipped = 0.0
    """Seconds that were jumped over."""
    _turns = 0

    def __init__(self) -> None:
        super().__init__()
        self.idle: list[asyncio.Future[None]] = []
        """Whom to tell before the clock moves."""

    def select(self, timeout: float | None = None) -> Any:
        """Return what is ready now; when nothing is, take the time-out for passed.

        While there is something to run, the system is asked only now and then: that costs more than most tasks do.
        """
        self._turns += 1
        if timeout == 0 and self._turns % _ASK_EVERY:
            return []
        ready = super().select(0 if timeout or self.idle else timeout)
        if timeout == 0 or ready:
            return ready
        if self.idle:
            self._tell_the_idle()
        elif timeout:
            self.skipped += timeout
        return []

    def _tell_the_idle(self) -> None:
        idle, self.idle = self.idle, []
        for waiter in idle:
            if not waiter.done():
                waiter.set_result(None)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time is virtual, and begins at 0."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time, in seconds."""
        return self._jumping.skipped

    async def settled(self) -> None:
        """Wait until nothing more can happen before the clock moves."""
        waiter = self.create_future()
        self._jumping.idle.append(waiter)
        await waiter

    @property
    def _clock_resolution(self) -> float:
        """Let no timer ring early. asyncio allows for a coarse clock, and one that stands still would ring for ever."""
        return math.ulp(self.time())

    @_clock_resolution.setter
    def _clock_resolution(self, _: float) -> None:
        pass


async def settled() -> None:
    """Wait, in virtual time, until nothing more can happen at this instant: all others wait for a later one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        from trio.testing import wait_all_tasks_blocked  # noqa: PLC0415 - trio is optional

        await wait_all_tasks_blocked()
    else:
        if isinstance(loop, JumpingLoop):
            await loop.settled()


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

    if type(_run._r) is Random:  # noqa: SLF001
        _run._r = Coin()  # noqa: SLF001


def virtual(backend: str) -> tuple[str, dict[str, Any]]:
    """Return what `anyio.run` and anyio's `anyio_backend` fixture need to run `backend` in virtual time.

    For `anyio.run`, the name is its `backend` and the dictionary its `backend_options`.
    """
    if backend == "trio":
        from trio.testing import MockClock  # noqa: PLC0415 - trio is optional

        _keep_tasks_in_order()
        return backend, {"clock": MockClock(autojump_threshold=0)}
    return backend, {"loop_factory": JumpingLoop}
