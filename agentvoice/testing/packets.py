"""How a carrier packs the caller's audio: a message a frame, or more at once where nothing is decided by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agentvoice.audio import TELEPHONE

from .carrier import FRAME_S

FRAME: Final = TELEPHONE.size(FRAME_S)
SETTLED_FRAMES: Final = 18
"""After so much silence whoever listens has noticed that the caller has stopped (`voice_gate.Sensitivity`)."""
_SILENCE: Final = TELEPHONE.silence(FRAME)


@dataclass(frozen=True, slots=True)
class Packing:
    """How many frames a message may have."""

    frames: int = 1
    """Where speech begins and ends."""
    spoken_frames: int = 1
    """Of speech that has lasted. Its words are heard a little later for it, and nothing else is."""
    spoken_after: int = 50
    """For how many frames speech has to go on for that. Whether it cuts in has mostly been decided by then."""
    silent_frames: int = 1
    """Of silence that has lasted. It means the same to whoever listens, and costs a simulation next to nothing."""


REAL: Final = Packing()
"""As Twilio does it: 20 ms a message, come what may."""
SIMULATED: Final = Packing(spoken_frames=5, silent_frames=50)
"""Exact to the frame where speech begins and ends; once it has lasted, 100 ms a message; a second of silence."""
COARSE: Final = Packing(frames=10, spoken_frames=10, silent_frames=100)
"""200 ms a message, which is more than carriers send: quicker to simulate, and the caller is heard a little later."""


class Packer:
    """Takes the caller's audio in whole frames, and returns messages: the number of their first frame, and audio."""

    def __init__(self, packing: Packing = REAL) -> None:
        self._packing = packing
        self._held = bytearray()
        self._number = 0  # of the first frame that is held
        self._silent = self._spoken = 0  # frames of silence until now, or of sound

    @property
    def room(self) -> int:
        """How many frames may follow before a message goes out."""
        return self._limit - len(self._held) // FRAME - 1

    @property
    def _limit(self) -> int:
        if self._silent >= SETTLED_FRAMES:
            return self._packing.silent_frames
        return self._packing.spoken_frames if self._spoken >= self._packing.spoken_after else self._packing.frames

    def say(self, audio: bytes) -> Sequence[tuple[int, bytes]]:
        """Take one frame, or as many as there is `room` for that go on with what was said before."""
        count, messages = len(audio) // FRAME, list[tuple[int, bytes]]()
        if audio == _SILENCE * count:
            self._silent, self._spoken = self._silent + count, 0
        else:
            if self._silent >= SETTLED_FRAMES:
                messages += self.flush()
            self._silent, self._spoken = 0, self._spoken + count
        self._held += audio
        if len(self._held) >= self._limit * FRAME:
            messages += self.flush()
        return messages

    def flush(self) -> Sequence[tuple[int, bytes]]:
        """Return what is held."""
        if not self._held:
            return []
        number, audio = self._number, bytes(self._held)
        self._held.clear()
        self._number += len(audio) // FRAME
        return [(number, audio)]
