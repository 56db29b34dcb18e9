"""The inbox of a call: everything that happened to it and has not been dealt with."""

from __future__ import annotations

from collections import deque

from anyio.lowlevel import checkpoint

from .bell import Bell
from .events import Event


class Inbox:
    """Events in the order in which they were delivered. Whoever delivers one never waits."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._bell = Bell()

    def put(self, event: Event) -> None:
        """Say that something happened. From the event loop only."""
        self._events.append(event)
        self._bell.ring()

    def take(self) -> Event | None:
        """Return what happened next; `None` when that was all."""
        return self._events.popleft() if self._events else None

    async def wait(self, *, until: float) -> None:
        """Wait for an event, but no longer than `until`, on the event loop's clock. May return with neither."""
        if self._events:
            await checkpoint()
        else:
            await self._bell.wait(until=until)

    async def settle(self) -> None:
        """Let everything come in that happens at this very instant. On a real clock that is over at once."""
