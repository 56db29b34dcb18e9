"""What the model sees of a sound: the logarithm of its energy in 80 bands, a hundred times a second.

As in OpenAI's `whisper/audio.py`: frames of 25 ms under a Hann window, and the mel scale of Slaney's Auditory Toolbox
(straight up to 1 kHz, logarithmic above, triangles of equal area).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SAMPLE_RATE: Final = 16000
FRAMES_PER_SECOND: Final = 100
_WINDOW: Final = 400
_HOP: Final = SAMPLE_RATE // FRAMES_PER_SECOND
_BANDS: Final = 80
_KNEE_HZ: Final = 1000.0
_KNEE_MEL: Final = 15.0
_STEP: Final = np.log(6.4) / 27
"""How much higher one mel is than the last, as a logarithm, above the knee."""


def log_mel(samples: NDArray[np.float32], seconds: float) -> NDArray[np.float32]:
    """Return bands by frames of floats between -1 and 1 at 16 kHz, filled up with silence to `seconds`."""
    length = round(seconds * SAMPLE_RATE)
    padded = np.pad(samples[:length], (0, max(0, length - len(samples))))
    padded = np.pad(padded, _WINDOW // 2, mode="reflect")
    frames = sliding_window_view(padded, _WINDOW)[::_HOP][:-1]
    power = np.abs(np.fft.rfft(frames * _HANN)) ** 2
    bands = np.log10(np.maximum(_FILTERS @ power.T, 1e-10))
    scaled: NDArray[np.float32] = ((np.maximum(bands, bands.max() - 8) + 4) / 4).astype(np.float32)
    return scaled


def _to_hertz(mels: NDArray[Any]) -> NDArray[Any]:
    high = _KNEE_HZ * np.exp(_STEP * (mels - _KNEE_MEL))
    return np.where(mels < _KNEE_MEL, mels * _KNEE_HZ / _KNEE_MEL, high)


def _filters() -> NDArray[np.float32]:
    """Return bands by frequencies."""
    highest = _KNEE_MEL + np.log(SAMPLE_RATE / 2 / _KNEE_HZ) / _STEP
    edges = _to_hertz(np.linspace(0, highest, _BANDS + 2))
    low, middle, high = (edges[n : n + _BANDS, None] for n in range(3))
    hertz = np.linspace(0, SAMPLE_RATE / 2, _WINDOW // 2 + 1)
    triangles = np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle))
    filters: NDArray[np.float32] = (np.maximum(0, triangles) * 2 / (high - low)).astype(np.float32)
    return filters


_FILTERS: Final = _filters()
_HANN: Final = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
