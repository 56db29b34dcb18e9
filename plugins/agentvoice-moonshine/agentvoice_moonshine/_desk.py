"""The desk where all calls of a process queue for the model: final transcripts before partial ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from ._model import Cancelled, Model, Understood

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Desk:
    """One worker thread at a time uses the model: two would take as long, and the cores from those who play audio."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._limiter: RunVar[CapacityLimiter] = RunVar("agentvoice_moonshine_desk")
        self._urgent = 0

    @property
    def busy(self) -> bool:
        """Whether a partial transcript would have to wait."""
        return self._urgent > 0 or self._queue.available_tokens < 1

    @property
    def _queue(self) -> CapacityLimiter:
        """The limiter of this event loop."""
        limiter = self._limiter.get(None)
        if limiter is None:
            limiter = CapacityLimiter(1)
            self._limiter.set(limiter)
        return limiter

    async def final(self, samples: NDArray[np.float32], *, cancelled: Callable[[], bool]) -> Understood:
        """Understand a segment, or a part that will not change. Whatever is partial gives way.

        Raises:
            Cancelled: as `cancelled` said.
        """
        self._urgent += 1
        try:
            return await self._understand(samples, cancelled)
        finally:
            self._urgent -= 1

    async def partial(self, samples: NDArray[np.float32], *, cancelled: Callable[[], bool]) -> Understood | None:
        """Understand a segment that still grows; `None` when something more important came."""
        try:
            return await self._understand(samples, lambda: self._urgent > 0 or cancelled())
        except Cancelled:
            return None

    async def _understand(self, samples: NDArray[np.float32], cancelled: Callable[[], bool]) -> Understood:
        work = partial(self._model, samples, cancelled=cancelled)
        return await to_thread.run_sync(work, limiter=self._queue, abandon_on_cancel=True)
