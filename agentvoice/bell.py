"""A bell: wakes the tasks that wait for something to change. What has changed they see for themselves.

    while not queue:
        await bell.wait()

An `anyio.Event` for each wait, and a `CancelScope` for its deadline, do the same for three to five times as much work;
a call waits some hundreds of times a second. So on asyncio a bell is a future and a timer; elsewhere it is just those.
"""

from __future__ import annotations

import asyncio
import math

from anyio import CancelScope, Event


class Bell:
    """Rung while nobody waits, it is not heard: look first, and wait then. From the event loop only."""

    __slots__ = ("_events", "_futures")

    def __init__(self) -> None:
        self._futures: list[asyncio.Future[None]] = []
        self._events: list[Event] = []

    def ring(self) -> None:
        """Wake all who wait. Never waits."""
        for future in self._futures:
            _resolve(future)
        for event in self._events:
            event.set()

    async def wait(self, *, until: float = math.inf) -> None:
        """Wait for the bell, but no longer than `until`, on the event loop's clock (`clock.current_time`).

        It is rounded up to a whole millisecond: uvloop's timers have no finer grain, and may ring half of one early.
        Whoever looks at the time then would spin until it has come.
        """
        if until < math.inf:
            until = max(until, math.ceil(until * 1000) / 1000)  # the product may round down
        loop = asyncio._get_running_loop()  # noqa: SLF001 - documented, and says `None` where there is another
        if loop is None:
            return await self._wait_anywhere(until)
        rung = loop.create_future()
        timer = loop.call_at(until, _resolve, rung) if until < math.inf else None
        self._futures.append(rung)
        try:
            await rung
        finally:
            self._futures.remove(rung)
            if timer is not None:
                timer.cancel()
        return None

    async def _wait_anywhere(self, until: float) -> None:
        rung = Event()
        self._events.append(rung)
        try:
            with CancelScope(deadline=until):
                await rung.wait()
        finally:
            self._events.remove(rung)


def _resolve(rung: asyncio.Future[None]) -> None:
    if not rung.done():
        rung.set_result(None)
