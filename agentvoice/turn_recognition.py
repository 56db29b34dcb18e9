"""Recognition by a recogniser that knows turns: it is given everything, and decides when the caller has finished."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from anyio import create_task_group

from .backlog import Backlog
from .clock import current_time
from .events import CallerTurnEnded, CallerTurnEvent, CallerTurnStarted, Event, Transcript
from .interfaces import Following, TurnRecognizer
from .logger import Logger
from .recognition import Reopening
from .segments import STALLED_S

log = Logger(__name__)

MERE_NOISE_S: Final = 1.0
"""Of sound as short as this a recogniser may make nothing."""


class TurnRecognition(Reopening):
    """`Recognition` by a recogniser that knows turns."""

    def __init__(self, recognizer: TurnRecognizer, deliver: Callable[[Event], None], *, sample_rate: int) -> None:
        super().__init__(deliver)
        self._recognizer = recognizer
        self._sample_rate = sample_rate
        self._backlog = Backlog(sample_rate)
        self._silent_since = math.inf  # when the caller began to speak that the recogniser has said nothing about
        self.deadline = math.inf
        """When a recogniser that has said nothing about all that was spoken is to be taken for broken."""

    @property
    def lost_s(self) -> float:
        """Seconds of audio that no recogniser ever got."""
        return self._backlog.lost_s

    def hear(self, pcm: bytes, *, at: float) -> None:
        """Take audio, silence included."""
        self._backlog.add(pcm, at=at)
        self._more.ring()

    def speech_started(self, at: float) -> None:
        """The recogniser finds out by itself; if it does not, it is broken."""
        self._silent_since, self.deadline = at, math.inf

    def speech_stopped(self, at: float) -> None:
        """The recogniser finds out by itself, as above."""
        if at - self._silent_since > MERE_NOISE_S:
            self.deadline = at + STALLED_S

    def handle_timer(self, now: float) -> None:
        """Give up a recogniser that says nothing at all."""
        if now >= self.deadline:
            log.warning("recognizer_stalled")
            self.deadline = math.inf
            self._session.cancel()

    def _rewind(self) -> None:
        self._backlog.rewind()

    async def _use(self) -> None:
        """Pour everything into one recogniser, and deliver what it says, until it ends."""
        async with self._recognizer.follow(self._sample_rate) as following, create_task_group() as group:
            group.start_soon(self._pour, following)
            async for event in following.events:
                self._failures = 0
                self._silent_since = self.deadline = math.inf
                if isinstance(event, CallerTurnEnded):
                    self._backlog.turn_ended()
                else:
                    self._backlog.turn_goes_on()
                self._deliver(_on_the_clock(event, self._backlog.origin))
            log.warning("recognizer_closed")
            group.cancel_scope.cancel()

    async def _pour(self, following: Following) -> None:
        while True:
            while (piece := self._backlog.take()) is not None:
                await following.feed(piece)
            await self._more.wait()


def _on_the_clock(event: CallerTurnEvent, origin: float) -> CallerTurnEvent:
    """Return an event whose times count from `origin`, with times on the call's clock."""
    match event:
        case CallerTurnStarted(at=at):
            return replace(event, at=current_time() if at is None else origin + at)
        case Transcript(words=words) | CallerTurnEnded(words=words) if words:
            shifted = tuple(replace(word, start=origin + word.start, end=origin + word.end) for word in words)
            return replace(event, words=shifted)
        case _:
            return event
