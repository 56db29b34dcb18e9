"""The model itself: what it is given, and what it gives back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import soxr

from ._features import RATE, features


class Model:
    """Smart Turn v3.2: how likely it is that somebody who just fell silent has finished."""

    def __init__(self, weights: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # the other cores are for those who play audio
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])

    def __call__(self, pcm: bytes, sample_rate: int) -> float:
        """Take signed 16-bit PCM of any sample rate and length; return a probability. Takes 50 ms."""
        sound = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float32) / np.float32(32768)
        if sample_rate != RATE:
            sound = soxr.resample(sound, sample_rate, RATE)
        [[[probability]]] = self._session.run(None, {"input_features": features(sound)[None]})
        return float(probability)
