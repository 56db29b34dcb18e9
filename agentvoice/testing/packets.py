"""How a carrier packs the caller's audio: a message a frame, or, where nobody waits for it, silence by the second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agentvoice.audio import TELEPHONE

from .carrier import FRAME_S

FRAME: Final = TELEPHONE.size(FRAME_S)
SETTLED_FRAMES: Final = 18
"""After so much silence whoever listens has noticed that the caller has stopped (`voice_gate.Sensitivity`)."""
PRE_ROLL_FRAMES: Final = 24
"""So much of what precedes speech a recogniser is given with it (`hearing.PRE_ROLL_S`)."""
_SILENCE: Final = TELEPHONE.silence(FRAME)


@dataclass(frozen=True, slots=True)
class Packing:
    """How many frames a message may have."""

    frames: int = 1
    """Of speech, and of the silence around it."""
    silent_frames: int = 1
    """Of silence that has lasted. It means the same to whoever listens, and costs a simulation next to nothing."""


REAL: Final = Packing()
"""As Twilio does it: 20 ms a message, come what may."""
SIMULATED: Final = Packing(silent_frames=50)
"""Exact to the frame where it matters, and a message a second where it does not."""
COARSE: Final = Packing(frames=5, silent_frames=100)
"""As carriers do it that send 100 ms a message: quicker to simulate, and the caller is heard a little later."""


class Packer:
    """Takes the caller's audio in whole frames, and yields messages: the number of their first frame, and audio."""

    def __init__(self, packing: Packing = REAL) -> None:
        self._packing = packing
        self._held = bytearray()
        self._number = 0  # of the first frame that is held
        self._silent = 0  # frames of silence until now

    @property
    def room(self) -> int:
        """How many frames may follow before a message goes out."""
        return self._limit - len(self._held) // FRAME - 1

    @property
    def _limit(self) -> int:
        return self._packing.silent_frames if self._silent >= SETTLED_FRAMES else self._packing.frames

    def say(self, audio: bytes) -> Iterator[tuple[int, bytes]]:
        """Take one frame, or as many as there is `room` for that go on with what was said before."""
        count = len(audio) // FRAME
        if audio == _SILENCE * count:
            self._silent += count
        else:
            if self._silent >= SETTLED_FRAMES:
                yield from self._part()
            self._silent = 0
        self._held += audio
        if len(self._held) >= self._limit * FRAME:
            yield self._take(len(self._held))

    def flush(self) -> Iterator[tuple[int, bytes]]:
        """Yield what is held."""
        if self._held:
            yield self._take(len(self._held))

    def _part(self) -> Iterator[tuple[int, bytes]]:
        """Send what is held, its end in messages of the usual size: a recogniser is given what precedes speech."""
        usual = self._packing.frames * FRAME
        tail = math.ceil(min(len(self._held), PRE_ROLL_FRAMES * FRAME) / usual) * usual
        if len(self._held) > tail:
            yield self._take(len(self._held) - tail)
        while self._held:
            yield self._take(min(usual, len(self._held)))

    def _take(self, size: int) -> tuple[int, bytes]:
        number, audio = self._number, bytes(self._held[:size])
        del self._held[:size]
        self._number += size // FRAME
        return number, audio
