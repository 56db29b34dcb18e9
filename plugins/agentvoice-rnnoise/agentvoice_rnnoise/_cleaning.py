"""One call's audio on its way through RNNoise."""

from __future__ import annotations

from typing import Final

import numpy as np

from agentvoice.framing import Framed

from ._library import DELAY, FRAME, Floats, Library
from ._rates import RATE, REACH, Lower, Raise

FAINT: Final = 64
"""Peak, of 32,768, below which a frame is nothing that anybody hears on a telephone: 54 dB under full scale."""
SETTLED: Final = 10
"""After so many faint frames (a tenth of a second) all sound has come out, and silence follows for nothing."""


class Denoising:
    """The state of cleaning one call's audio. A frame of 10 ms takes 0.7 ms, on the spot; in silence, nothing much."""

    def __init__(self, library: Library, sample_rate: int) -> None:
        size = sample_rate * FRAME // RATE
        self.delay_s = size / sample_rate + DELAY / RATE + 2 * REACH / sample_rate
        self._raise, self._denoise, self._lower = Raise(sample_rate), library.denoiser(), Lower(sample_rate)
        self._framed = Framed(2 * size, self._process)
        self._faint = 0
        """How many frames in a row were faint."""

    def clean(self, pcm: bytes) -> bytes:
        """Take PCM of any length; return as much, `delay_s` late."""
        return self._framed(pcm)

    def played(self, pcm: bytes) -> None:
        """What the far end plays does not matter here."""

    def _process(self, frame: bytes) -> bytes:
        samples: Floats = np.frombuffer(frame, "<i2").astype(np.float32)
        self._faint = self._faint + 1 if np.abs(samples).max() < FAINT else 0
        if self._faint > SETTLED:
            return bytes(len(frame))
        cleaned = self._lower(self._denoise(self._raise(samples)))
        return np.clip(np.rint(cleaned), -32768, 32767).astype("<i2").tobytes()
