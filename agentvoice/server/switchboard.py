"""Which calls are live, and whether more are taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CancelScope, Event, move_on_after


class Switchboard:
    """Counts the calls of a server, admits no more than it was told, and can be drained."""

    def __init__(self, *, max_calls: int | None = None) -> None:
        """Take any number of calls at once, or `max_calls` at most."""
        self._max_calls = max_calls
        self._live: set[CancelScope] = set()
        self._ended = Event()
        self.draining = False
        """Whether the server is about to stop, and takes no call any more."""
        self.total = 0
        """Calls taken so far."""
        self.refused = 0
        """Calls that were turned away: the server was full, or draining."""
        self.failed = 0
        """Calls that ended in an error of ours."""

    @property
    def live(self) -> int:
        """Calls under way."""
        return len(self._live)

    @property
    def accepting(self) -> bool:
        """Whether one more call would be taken."""
        return not self.draining and (self._max_calls is None or self.live < self._max_calls)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a call for as long as the context is entered. It is cancelled if draining takes too long."""
        self.total += 1
        with CancelScope() as scope:
            self._live.add(scope)
            try:
                yield
            finally:
                self._live.remove(scope)
                self._ended.set()

    async def drain(self, *, seconds: float) -> None:
        """Take no more calls, and let those under way go on for so long; then end them."""
        self.draining = True
        with move_on_after(seconds):
            await self._all_ended()
        for scope in self._live:
            scope.cancel()
        await self._all_ended()

    async def _all_ended(self) -> None:
        while self._live:
            self._ended = Event()
            await self._ended.wait()
