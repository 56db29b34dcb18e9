"""The plugin: one model that all calls of a process share. What it needs is imported with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from agentvoice.assets import ensure

from ._weights import MODEL, WEIGHTS

if TYPE_CHECKING:
    from ._model import Model


class SmartTurn:
    """`EndOfTurn` by Smart Turn v3.2: from the sound alone, in any of 23 languages."""

    def __init__(self) -> None:
        self._model: Model | None = None
        self._queue: RunVar[CapacityLimiter] = RunVar("agentvoice_smart_turn_queue")

    def prepare(self) -> None:
        """Load the model: a file of 9 MB, fetched once into the user's cache."""
        from ._model import Model  # noqa: PLC0415 - takes a third of a second

        self._model = self._model or Model(ensure(WEIGHTS) / MODEL.name)

    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:  # noqa: ARG002 - it goes by the sound
        """Return how likely it is that the caller has finished, by the last eight seconds of `pcm`.

        One worker thread at a time uses the model, for whichever call; who is cancelled leaves the queue at once.
        """
        return await to_thread.run_sync(self._judge, pcm, sample_rate, limiter=self._limiter, abandon_on_cancel=True)

    @property
    def _limiter(self) -> CapacityLimiter:
        """The limiter of this event loop."""
        limiter = self._queue.get(None)
        if limiter is None:
            limiter = CapacityLimiter(1)
            self._queue.set(limiter)
        return limiter

    def _judge(self, pcm: bytes, sample_rate: int) -> float:
        self.prepare()
        assert self._model is not None  # noqa: S101 - `prepare` has just seen to it
        return self._model(pcm, sample_rate)
