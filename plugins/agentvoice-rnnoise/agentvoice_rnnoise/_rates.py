"""From the telephone's rates to 48 kHz and back, frame by frame: a windowed sinc, as a product with a matrix.

A stream of soxr's would hold 12 to 120 ms back here, in pieces of changing length. This holds 1.5 ms back at 8 kHz,
half of that at 16, always the same, and costs 20 us a frame.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from ._library import FRAME, Floats

RATE: Final = 48000
REACH: Final = 12
"""Samples of the lower rate on each side that an output sample is made of: its delay too."""
_BETA: Final = 6.0
"""Of Kaiser's window: 60 dB."""


class Raise:
    """Frames of a lower rate as frames of 48 kHz, `REACH` samples of the lower rate late."""

    def __init__(self, sample_rate: int) -> None:
        self._matrix = _interpolation(RATE // sample_rate)
        self._past: Floats = np.zeros(2 * REACH, np.float32)

    def __call__(self, frame: Floats) -> Floats:
        """Take 10 ms; return as much."""
        samples = np.concatenate((self._past, frame))
        self._past = samples[-2 * REACH :]
        raised: Floats = samples @ self._matrix
        return raised


class Lower:
    """Frames of 48 kHz as frames of a lower rate, `REACH` samples of the lower rate late."""

    def __init__(self, sample_rate: int) -> None:
        self._matrix = _decimation(RATE // sample_rate)
        self._past: Floats = np.zeros(2 * REACH * (RATE // sample_rate), np.float32)

    def __call__(self, frame: Floats) -> Floats:
        """Take 10 ms; return as much."""
        samples = np.concatenate((self._past, frame))
        self._past = samples[-len(self._past) :]
        lowered: Floats = samples @ self._matrix
        return lowered


def _filter(distance: Floats) -> Floats:
    """Return the weight of a sample at so many samples of the lower rate."""
    window = np.i0(_BETA * np.sqrt(np.clip(1 - (distance / REACH) ** 2, 0, None))) / np.i0(_BETA)
    return np.where(np.abs(distance) < REACH, np.sinc(distance) * window, 0).astype(np.float32)


@lru_cache(2)
def _interpolation(factor: int) -> Floats:
    """Return what frames with their past are multiplied with: one column for each sample that comes out."""
    taken = np.arange(2 * REACH + FRAME // factor)[:, None]
    wanted = np.arange(FRAME)[None, :] / factor + REACH
    return _filter((wanted - taken).astype(np.float32))


@lru_cache(2)
def _decimation(factor: int) -> Floats:
    """As `_interpolation`."""
    taken = np.arange(2 * REACH * factor + FRAME)[:, None] / factor
    wanted = np.arange(FRAME // factor)[None, :] + REACH
    return _filter((wanted - taken).astype(np.float32)) / np.float32(factor)
