"""The caller's frames, put in order and on the call's clock.

A frame says by the far end's own count where it belongs. By that count it is a repeat, follows the last one, or leaves
a gap; and it says when it was spoken better than its arrival does, because arrival jitters and the count does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from .audio import AudioFormat
from .events import CallerAudio

REORDER_FRAMES: Final = 2
"""How many frames may be early before the missing one is given up."""
FILL_S: Final = 0.5
"""At most so much of a gap is filled with silence: enough for speech to end in it."""
RESTART_S: Final = 10.0
"""A jump larger than this is no gap: the far end began to count anew."""
CREEP: Final = 0.001
"""Seconds a second by which the far end's clock may be slower than ours."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Audio that follows what came before without a gap."""

    audio: bytes = field(repr=False)
    at: float
    """When its first sample was spoken, in seconds on the call's clock."""


class Sequencer:
    """Order frames, drop repeats, fill gaps. Pure."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._next: int | None = None
        self._early: dict[int, bytes] = {}
        self._offset = math.inf
        """Seconds on the call's clock at the far end's sample 0. The quickest frame so far knows it best."""
        self._heard_at = 0.0
        self.lost = 0
        """Samples that never came."""
        self.repeated = 0
        """Frames that came twice, or too late."""

    def receive(self, frame: CallerAudio, *, now: float) -> Iterator[Stretch]:
        """Take a frame that arrived at `now`; yield what is in order because of it. Exhaust the iterator."""
        size = len(frame.audio) // self._audio.sample_bytes * self._audio.sample_bytes
        if not size:
            return
        if self._next is not None and abs(frame.start - self._next) > RESTART_S * self._audio.sample_rate:
            self._next, self._offset = None, math.inf
            self._early.clear()
        self._synchronise(frame.start + size // self._audio.sample_bytes, now)
        self._early[frame.start] = frame.audio[:size]
        yield from self._in_order()

    def _synchronise(self, end: int, now: float) -> None:
        """Let a frame that ends with sample `end` say what time it is over there."""
        offset = now - end / self._audio.sample_rate
        self._offset = min(offset, self._offset + CREEP * (now - self._heard_at))
        self._heard_at = now

    def _in_order(self) -> Iterator[Stretch]:
        while self._early:
            start = min(self._early)
            samples = len(self._early[start]) // self._audio.sample_bytes
            gap = 0 if self._next is None else start - self._next
            if gap > samples // 2 and len(self._early) <= REORDER_FRAMES:
                return
            audio = self._early.pop(start)
            if gap < -(samples // 2):
                self.repeated += 1
                continue
            if gap > samples // 2:
                self.lost += gap
                fill = min(gap, int(FILL_S * self._audio.sample_rate))
                yield Stretch(self._audio.silence(fill * self._audio.sample_bytes), self._time(start - fill))
                self._next = None
            # Less than half a frame off is how a far end rounds its timestamps, not a gap.
            self._next = start if self._next is None else self._next
            yield Stretch(audio, self._time(self._next))
            self._next += samples

    def _time(self, sample: int) -> float:
        return self._offset + sample / self._audio.sample_rate
