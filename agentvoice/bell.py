"""A bell: wakes the tasks that wait for something to change. What has changed they see for themselves.

    while not queue:
        await bell.wait()

An `anyio.Event` for each wait, and a `CancelScope` for its deadline, do the same for three to five times as much work;
a call waits some hundreds of times a second. So on asyncio a bell is a future and a timer; elsewhere it is just those.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial

from anyio import CancelScope, Event


class Bell:
    """Rung while nobody waits, it is not heard: look first, and wait then. From the event loop only."""

    __slots__ = ("_wakes",)

    def __init__(self) -> None:
        self._wakes: list[Callable[[], None]] = []

    def ring(self) -> None:
        """Wake all who wait. Never waits."""
        for wake in self._wakes:
            wake()

    async def wait(self, *, until: float = math.inf) -> None:
        """Wait for the bell, but no longer than `until`, on the event loop's clock (`anyio.current_time`)."""
        loop = asyncio._get_running_loop()  # noqa: SLF001 - documented, and says `None` where there is another
        if loop is None:
            return await self._wait_anywhere(until)
        rung = loop.create_future()
        wake = partial(_resolve, rung)
        timer = loop.call_at(until, wake) if until < math.inf else None
        self._wakes.append(wake)
        try:
            await rung
        finally:
            self._wakes.remove(wake)
            if timer is not None:
                timer.cancel()
        return None

    async def _wait_anywhere(self, until: float) -> None:
        rung = Event()
        self._wakes.append(rung.set)
        try:
            with CancelScope(deadline=until):
                await rung.wait()
        finally:
            self._wakes.remove(rung.set)


def _resolve(rung: asyncio.Future[None]) -> None:
    if not rung.done():
        rung.set_result(None)
