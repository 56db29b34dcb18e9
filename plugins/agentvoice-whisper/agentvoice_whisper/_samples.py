"""The caller's audio as the model wants it."""

from __future__ import annotations

from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from ._features import SAMPLE_RATE

_FRAME: Final = SAMPLE_RATE // 50
_QUIET: Final = 0.05
"""What is fainter than so much of the loudest is not yet speech."""


def floats(pcm: bytes, sample_rate: int) -> NDArray[np.float32]:
    """Return signed 16-bit little-endian PCM as floats between -1 and 1 at 16 kHz."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    resampled: NDArray[np.float32] = soxr.resample(samples, sample_rate, SAMPLE_RATE)
    return resampled


def sounding(samples: NDArray[np.float32]) -> tuple[float, float]:
    """Return from when to when there is more than a faint sound, in seconds."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    peaks = np.abs(frames).max(axis=1, initial=0)
    (loud,) = np.nonzero(peaks > _QUIET * peaks.max(initial=0))
    if not loud.size:
        return 0.0, len(samples) / SAMPLE_RATE
    return float(loud[0]) * _FRAME / SAMPLE_RATE, float(loud[-1] + 1) * _FRAME / SAMPLE_RATE
