"""Edge: `Listening` by a recogniser that takes a whole segment at once, such as Whisper or a service with one request.

What it takes to make a recogniser of a function that turns audio into words:

    class Acme:
        def prepare(self) -> None:
            self._model = acme.load()

        def listen(self, sample_rate: int) -> AbstractAsyncContextManager[Listening]:
            return listen_in_batches(self._transcribe, sample_rate)

        async def _transcribe(self, pcm: bytes, sample_rate: int) -> Transcript:
            text = await to_thread.run_sync(self._model.recognise, pcm, sample_rate, abandon_on_cancel=True)
            return Transcript(text, final=True)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import anyio
from anyio import CancelScope, WouldBlock, create_memory_object_stream, create_task_group
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectSendStream

from .batch_segments import BatchSegments
from .errors import ProviderError
from .events import Transcript
from .interfaces import Listening
from .logger import Logger

log = Logger(__name__)

Transcribe: TypeAlias = Callable[[bytes, int], Awaitable[Transcript]]
"""Says what signed 16-bit little-endian PCM of a sample rate says: whole samples, never none. Times of words count from
its first sample. May be cancelled at any time, and must not block the event loop."""


@asynccontextmanager
async def listen_in_batches(
    transcribe: Transcribe,
    sample_rate: int,
    *,
    shortest_s: float = 0.1,
    longest_s: float = 25.0,
    kept_s: float = 60.0,
    at_once: int = 1,
    partial_every_s: float | None = None,
) -> AsyncIterator[Listening]:
    """Listen to one call whose audio is PCM of `sample_rate`, by transcribing each segment as soon as it has ended.

    A segment of less than `shortest_s` is not transcribed: it says nothing. One that gets longer than `longest_s` is
    transcribed in parts, cut in pauses, while it still grows. Up to `at_once` parts or segments are transcribed at the
    same time; their transcripts come in order. Of those that have to wait, the oldest are given up when there are more
    than `kept_s` of them. With `partial_every_s` the segment that grows is transcribed every so many seconds of it, as
    long as nothing else is; that is dropped when the segment ends.

    Leaving cancels whatever is being transcribed.

    Raises:
        ProviderError: `transcribe` raised it.
    """
    send, receive = create_memory_object_stream[Transcript](64)
    segments = BatchSegments(sample_rate, shortest_s=shortest_s, longest_s=longest_s, kept_s=kept_s)
    listening = _BatchListening(transcribe, sample_rate, segments, send, receive)
    with send, receive:
        try:
            async with create_task_group() as group:
                for _ in range(at_once):
                    group.start_soon(listening.understand)
                group.start_soon(listening.answer)
                if partial_every_s is not None:
                    group.start_soon(listening.guess, partial_every_s)
                yield listening
                group.cancel_scope.cancel()
        except* ProviderError as failed:
            raise _first(failed) from failed
        finally:
            if segments.lost_s:
                log.warning("recognizer_too_slow", lost_s=round(segments.lost_s, 3))


class _BatchListening:
    def __init__(
        self,
        transcribe: Transcribe,
        sample_rate: int,
        segments: BatchSegments,
        send: MemoryObjectSendStream[Transcript],
        receive: ObjectReceiveStream[Transcript],
    ) -> None:
        self.transcripts = receive
        self._transcribe = transcribe
        self._sample_rate = sample_rate
        self._segments = segments
        self._send = send
        self._guessing = CancelScope()
        self._changed = anyio.Event()

    async def feed(self, pcm: bytes) -> None:
        self._segments.add(pcm)
        self._notify()

    async def finalize(self) -> None:
        self._segments.end()
        self._notify()

    def _notify(self) -> None:
        """Wake up everybody, but who has begun to guess: that gives way to whatever has to be transcribed."""
        if not self._segments.idle:
            self._guessing.cancel()
        self._changed.set()
        self._changed = anyio.Event()

    async def understand(self) -> None:
        """Transcribe one part after the other, as they come."""
        while True:
            while (part := self._segments.take()) is not None:
                self._segments.settle(part, await self._transcribe(part.pcm, self._sample_rate))
                self._notify()
            await self._changed.wait()

    async def answer(self) -> None:
        """Deliver the final transcripts."""
        while True:
            while due := self._segments.answers():
                for transcript in due:
                    await self._send.send(transcript)
            await self._changed.wait()

    async def guess(self, every_s: float) -> None:
        """Transcribe the segment that grows, again and again."""
        while True:
            while (part := self._segments.guessable(every_s)) is not None:
                with CancelScope() as self._guessing:
                    said = await self._transcribe(part.pcm, self._sample_rate)
                    if not self._guessing.cancel_called:
                        self._tell(self._segments.guessed(part, said))
            await self._changed.wait()

    def _tell(self, transcript: Transcript) -> None:
        if transcript.text:
            with suppress(WouldBlock):  # nobody reads them as fast as they come, and the next one says more
                self._send.send_nowait(transcript)


def _first(group: BaseExceptionGroup[ProviderError]) -> ProviderError:
    """Return one of the errors, which are all about the same."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
