"""What the model is shown: eight seconds of sound as Whisper sees it.

The log-mel spectrogram of A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022),
section 2.2, on sound brought to zero mean and unit variance. Mels are those of M. Slaney's Auditory Toolbox (1998),
with triangles of equal area.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]

RATE: Final = 16000
SAMPLES: Final = 8 * RATE
WINDOW: Final = 400
HOP: Final = 160
BANDS: Final = 80

_FAINTEST: Final = 1e-10
"""Power below which nothing is told apart."""
_RANGE: Final = 8.0
"""How far below the loudest is as good as silent, in powers of ten."""
_KNEE_HZ: Final = 1000.0
"""Up to here mels are linear in frequency, 15 of them; above, 27 of them are a factor of 6.4."""
_KNEE_MEL: Final = 15.0
_STEEPNESS: Final = 27.0 / np.log(6.4)


def filters() -> Floats:
    """Return how much each of the spectrum's 201 lines counts in each of the 80 bands, evenly spaced in mels."""
    highest = _KNEE_MEL + _STEEPNESS * np.log(RATE / 2 / _KNEE_HZ)
    mels = np.linspace(0.0, highest, BANDS + 2)
    linear, bent = mels * _KNEE_HZ / _KNEE_MEL, _KNEE_HZ * np.exp((mels - _KNEE_MEL) / _STEEPNESS)
    corners = np.where(mels < _KNEE_MEL, linear, bent)
    low, peak, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    lines = np.fft.rfftfreq(WINDOW, 1 / RATE)
    triangles = np.minimum((lines - low) / (peak - low), (high - lines) / (high - peak)).clip(0.0)
    return np.asarray(triangles * 2.0 / (high - low))


_FILTERS: Final = filters()
_HANN: Final = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)


def features(sound: Floats) -> NDArray[np.float32]:
    """Return 80 bands by 800 hops of 10 ms of `sound`, floats at 16 kHz: its last eight seconds, silence before it."""
    sound = sound[-SAMPLES:].astype(np.float64)
    sound = np.pad(sound, (SAMPLES - len(sound), 0))
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    windows = sliding_window_view(np.pad(sound, WINDOW // 2, mode="reflect"), WINDOW)[:SAMPLES:HOP]
    spectrum = np.fft.rfft(windows * _HANN)
    power = spectrum.real**2 + spectrum.imag**2
    logarithms = np.log10(np.maximum(_FILTERS @ power.T, _FAINTEST))
    return np.asarray((np.maximum(logarithms, logarithms.max() - _RANGE) + 4.0) / 4.0, np.float32)
