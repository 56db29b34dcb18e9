"""The model itself: what it is given, and what it gives back."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
import soxr

from ._features import RATE, SAMPLES, features

HISS: Final = 0.003
"""How loud, relative to its peak, the noise is that a telephone's sound is given. A telephone has nothing above 4 kHz,
which the model was hardly ever shown: with a little noise there it hears a voice on hold as well as in wide band."""
_NOISE: Final = np.random.default_rng(1).standard_normal(SAMPLES).astype(np.float32)


class Model:
    """Smart Turn v3.2: how likely it is that somebody who just fell silent has finished."""

    def __init__(self, weights: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # the other cores are for those who play audio
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])

    def __call__(self, pcm: bytes, sample_rate: int) -> float:
        """Take signed 16-bit PCM of 8000 or 16000 Hz and any length; return a probability. Takes 50 to 100 ms."""
        sound = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float32) / np.float32(32768)
        if sample_rate < RATE:
            sound = soxr.resample(sound, sample_rate, RATE)[-SAMPLES:]
            sound += HISS * np.abs(sound).max(initial=0.0) * _NOISE[: len(sound)]
        [[[probability]]] = self._session.run(None, {"input_features": features(sound)[None]})
        return float(probability)
