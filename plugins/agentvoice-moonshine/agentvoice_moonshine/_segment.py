"""One segment of speech as it grows, and the parts into which a long one is cut."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import soxr
from numpy.typing import NDArray

from ._model import SAMPLE_RATE

LONGEST_S: Final = 12.0
"""The model was taught on segments of this order, and loses the thread in longer ones."""
_SEARCH_S: Final = 3.0
"""Where to look for a pause to cut at: so far back from there."""
_PAUSE_S: Final = 0.1


class Segment:
    """What was fed of one segment, less the parts that have been understood already."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._pcm = bytearray()
        self.settled: list[str] = []
        """Texts of the parts that were cut off."""
        self.fresh_s = 0.0
        """Audio since `fresh_s` was last set to nought, in seconds."""

    def add(self, pcm: bytes) -> None:
        """Append signed 16-bit little-endian PCM."""
        self._pcm += pcm
        self.fresh_s += len(pcm) / 2 / self._sample_rate

    @property
    def seconds(self) -> float:
        """How long it is, without the parts that were cut off."""
        return len(self._pcm) / 2 / self._sample_rate

    def samples(self) -> NDArray[np.float32]:
        """Return all of it as the model wants it: floats at 16 kHz."""
        return self._convert(len(self._pcm))

    def part(self) -> tuple[NDArray[np.float32], int]:
        """Return as much as is good for the model, up to a quiet moment, and how many bytes that is; see `cut`."""
        end = int(min(self.seconds, LONGEST_S) * self._sample_rate)
        begin = max(0, end - int(_SEARCH_S * self._sample_rate))
        samples = np.abs(np.frombuffer(self._pcm[2 * begin : 2 * end], "<i2").astype(np.float32))
        width = int(_PAUSE_S * self._sample_rate)
        loudness = np.convolve(samples, np.ones(width), "valid")
        middle = begin + int(loudness.argmin()) + width // 2
        return self._convert(2 * middle), 2 * middle

    def cut(self, size: int, text: str) -> None:
        """Take off the first `size` bytes, which say `text`."""
        del self._pcm[:size]
        self.settled.append(text)

    def spell(self, text: str) -> str:
        """Return `text` of what is left behind that of the parts."""
        return " ".join(part for part in (*self.settled, text) if part)

    def _convert(self, size: int) -> NDArray[np.float32]:
        pcm: NDArray[Any] = np.frombuffer(bytes(self._pcm[: size // 2 * 2]), "<i2")
        samples: NDArray[np.float32] = soxr.resample(pcm.astype(np.float32) / 32768, self._sample_rate, SAMPLE_RATE)
        return samples
