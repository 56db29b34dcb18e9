"""Recognition of one call: its audio goes to the decoder as it comes, in small steps."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import anyio
from anyio import WouldBlock
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectSendStream

from agentvoice.events import Transcript
from agentvoice.logger import Logger

from ._desk import Desk

log = Logger(__name__)

STEP_S: Final = 0.1
"""How much audio is worth a visit to the desk. The model itself goes by steps of 0.24 s."""
LONGEST_S: Final = 0.5
"""How much is given at once when there is more, so that others get their turn."""
BACKLOG_S: Final = 120.0
"""How much may wait for a machine that cannot keep up; what comes beyond is lost."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """What the decoder has not had yet of one segment."""

    pcm: bytearray = field(default_factory=bytearray)
    ended: bool = False


class VoskListening:
    """`Listening` for one call. `run` it as long as it listens."""

    def __init__(
        self,
        desk: Desk,
        sample_rate: int,
        send: MemoryObjectSendStream[Transcript],
        receive: ObjectReceiveStream[Transcript],
    ) -> None:
        self.transcripts = receive
        self._desk = desk
        self._sample_rate = sample_rate
        self._send = send
        self._segments = deque([_Waiting()])  # the last one grows
        self._room = self._size(BACKLOG_S)
        self._lost = 0
        self._wake = anyio.Event()

    async def feed(self, pcm: bytes) -> None:
        """Take audio of the current segment."""
        taken = pcm[: self._room]
        self._room -= len(taken)
        self._lost += len(pcm) - len(taken)
        self._segments[-1].pcm += taken
        self._wake.set()

    async def finalize(self) -> None:
        """End the current segment."""
        self._segments[-1].ended = True
        self._segments.append(_Waiting())
        self._wake.set()

    async def run(self) -> None:
        """Have understood what is fed, one segment after the other."""
        try:
            while True:
                await self._send.send(await self._understand(self._segments[0]))
                self._segments.popleft()
        finally:
            if self._lost:
                log.warning("vosk_overloaded", lost_s=round(self._lost / self._size(1.0), 3))

    async def _understand(self, waiting: _Waiting) -> Transcript:
        """Follow one segment to its end, tell what it says so far, and return what it says at all."""
        segment = self._desk.segment(self._sample_rate)
        try:
            said = ""
            while True:
                pcm, last = await self._step(waiting)
                transcript = await self._desk.understand(segment, pcm, last=last)
                if last:
                    return transcript
                if transcript.text != said:
                    said = transcript.text
                    with suppress(WouldBlock):  # nobody reads them, and the next one says more
                        self._send.send_nowait(transcript)
        finally:
            segment.close()

    async def _step(self, waiting: _Waiting) -> tuple[bytes, bool]:
        """Wait for something to do; return audio, and whether it is the segment's last."""
        while len(waiting.pcm) < self._size(STEP_S) and not waiting.ended:
            self._wake = anyio.Event()
            await self._wake.wait()
        size = min(len(waiting.pcm) // 2 * 2, self._size(LONGEST_S))
        pcm = bytes(waiting.pcm[:size])
        del waiting.pcm[:size]
        self._room += size
        return pcm, waiting.ended and len(waiting.pcm) < 2

    def _size(self, seconds: float) -> int:
        return 2 * int(seconds * self._sample_rate)
