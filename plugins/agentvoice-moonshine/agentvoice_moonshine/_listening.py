"""Recognition of one call: partial transcripts by understanding the growing segment again and again."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Final

import anyio
from anyio import WouldBlock
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectSendStream

from agentvoice.events import Transcript

from ._desk import Desk
from ._segment import LONGEST_S, Segment
from ._text import modern, plausible

FIRST_S: Final = 0.7
"""Of a segment shorter than this, the silence that precedes it included, the model guesses what nobody said."""


class MoonshineListening:
    """`Listening` for one call. `run` it as long as it listens."""

    def __init__(
        self,
        desk: Desk,
        sample_rate: int,
        send: MemoryObjectSendStream[Transcript],
        receive: ObjectReceiveStream[Transcript],
        partial_every_s: float,
    ) -> None:
        self.transcripts = receive
        self._desk = desk
        self._sample_rate = sample_rate
        self._send = send
        self._partial_every_s = partial_every_s
        self._growing = Segment(sample_rate)
        self._ended: deque[Segment] = deque()
        self._closed = False
        self._wake = anyio.Event()

    async def feed(self, pcm: bytes) -> None:
        """Take audio of the current segment."""
        self._growing.add(pcm)
        self._wake.set()

    async def finalize(self) -> None:
        """End the current segment; what is partial and under way is dropped for it."""
        self._ended.append(self._growing)
        self._growing = Segment(self._sample_rate)
        self._wake.set()

    async def run(self) -> None:
        """Understand what is fed: what has ended first."""
        try:
            while True:
                self._wake = anyio.Event()
                if self._ended:
                    await self._answer(self._ended[0])
                    self._ended.popleft()
                elif self._growing.seconds > LONGEST_S:
                    await self._settle(self._growing)
                elif self._is_guess_due():
                    await self._guess(self._growing)
                else:
                    await self._wake.wait()
        finally:
            self._closed = True  # a thread that still works on it may stop

    def _is_guess_due(self) -> bool:
        segment = self._growing
        return segment.seconds >= FIRST_S and segment.fresh_s >= self._partial_every_s and not self._desk.busy

    async def _answer(self, segment: Segment) -> None:
        while segment.seconds > LONGEST_S:
            await self._settle(segment)
        text, confidence = "", None
        if segment.seconds:
            understood = await self._desk.final(segment.samples(), cancelled=self._is_closed)
            if plausible(understood):
                text, confidence = understood.text, understood.confidence
        await self._send.send(Transcript(modern(segment.spell(text)), final=True, confidence=confidence))

    async def _settle(self, segment: Segment) -> None:
        """Understand the first part of a segment that is too long, and take it off."""
        samples, size = segment.part()
        understood = await self._desk.final(samples, cancelled=self._is_closed)
        segment.cut(size, understood.text if plausible(understood) else "")

    async def _guess(self, segment: Segment) -> None:
        segment.fresh_s = 0.0
        understood = await self._desk.partial(segment.samples(), cancelled=self._is_out_of_date)
        if understood is None or self._ended or not plausible(understood):
            return
        with suppress(WouldBlock):  # nobody reads them as fast as they come, and the next one says more
            self._send.send_nowait(Transcript(modern(segment.spell(understood.text)), final=False))

    def _is_closed(self) -> bool:
        return self._closed

    def _is_out_of_date(self) -> bool:
        return self._closed or bool(self._ended)
