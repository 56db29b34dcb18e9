"""The desk where all calls of a process queue for a worker thread."""

from __future__ import annotations

from functools import partial

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from agentvoice.events import Transcript

from ._segment import Segment
from ._shelf import Shelf


class Desk:
    """Has segments understood in worker threads, first come, first served, and never on the event loop."""

    def __init__(self, shelf: Shelf, *, threads: int) -> None:
        self._shelf = shelf
        self._threads = threads
        self._limiter: RunVar[CapacityLimiter] = RunVar("agentvoice_vosk_desk")

    def segment(self, sample_rate: int) -> Segment:
        """Begin a segment, whose audio is PCM of `sample_rate`."""
        return Segment(self._shelf, sample_rate)

    async def understand(self, segment: Segment, pcm: bytes, *, last: bool) -> Transcript:
        """As `Segment.understand`. When this is cancelled the thread is left to itself: it is done soon."""
        work = partial(segment.understand, pcm, last=last)
        return await to_thread.run_sync(work, limiter=self._queue, abandon_on_cancel=True)

    @property
    def _queue(self) -> CapacityLimiter:
        """The limiter of this event loop."""
        limiter = self._limiter.get(None)
        if limiter is None:
            limiter = CapacityLimiter(self._threads)
            self._limiter.set(limiter)
        return limiter
