"""Clocks that jump: where nothing can happen before an instant, be there now.

An hour of conversation then passes in a moment, and exactly. Real sockets and threads look idle to such a clock, and it
leaps hours past them: tests that use those keep the real one.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from typing import Any


class JumpingSelector(selectors.DefaultSelector):
    """Never waits: adds up what it would have waited for."""

    skipped = 0.0
    """Seconds that were jumped over."""

    def select(self, timeout: float | None = None) -> Any:
        """Return what is ready now; when nothing is, take the time-out for passed."""
        ready = super().select(0 if timeout else timeout)
        if timeout and not ready:
            self.skipped += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time is virtual, and begins at 0."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time, in seconds."""
        return self._jumping.skipped

    @property
    def _clock_resolution(self) -> float:
        """Let no timer ring early. asyncio allows for a coarse clock, and one that stands still would ring for ever."""
        return math.ulp(self.time())

    @_clock_resolution.setter
    def _clock_resolution(self, _: float) -> None:
        pass


def virtual(backend: str) -> tuple[str, dict[str, Any]]:
    """Return what `anyio.run` and anyio's `anyio_backend` fixture need to run `backend` in virtual time.

    For `anyio.run`, the name is its `backend` and the dictionary its `backend_options`.
    """
    if backend == "trio":
        from trio.testing import MockClock  # noqa: PLC0415 - trio is optional

        return backend, {"clock": MockClock(autojump_threshold=0)}
    return backend, {"loop_factory": JumpingLoop}
