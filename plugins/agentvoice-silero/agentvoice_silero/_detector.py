"""Voice activity of one call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ._model import CONTEXTS, Floats, Model, fresh_state

FAINT: Final = 64
"""Peak, of 32,768, below which a window cannot be speech on a telephone: 54 dB under full scale."""
SETTLED: Final = 8
"""After so many faint windows (a quarter of a second) the model has nothing to remember, and is not asked any more."""


class Detector:
    """Voice activity of one call: cuts the audio into windows of 32 ms, and asks the model about those with sound."""

    window_s = 0.032

    def __init__(self, model: Model, sample_rate: int) -> None:
        self._model = model
        self._sample_rate = sample_rate
        self._samples = round(sample_rate * self.window_s)
        self._rest = b""
        self._context: Floats = np.zeros(CONTEXTS[sample_rate], np.float32)
        self._state = fresh_state()
        self._faint: float = math.inf
        """How many windows in a row were faint."""

    async def feed(self, pcm: bytes) -> Sequence[float]:
        """Return the probability of speech in each window that `pcm` completes. Takes 0.15 ms a window, on the spot:
        less than handing it to a thread would take."""
        pcm = self._rest + pcm
        size = 2 * self._samples
        whole = len(pcm) // size * size
        self._rest = pcm[whole:]
        return [self._judge(np.frombuffer(pcm, "<i2", self._samples, at)) for at in range(0, whole, size)]

    def _judge(self, window: NDArray[Any]) -> float:
        loudest = max(int(window.max()), -int(window.min()))
        self._faint = self._faint + 1 if loudest < FAINT else 0
        samples: Floats = window.astype(np.float32) / np.float32(32768)
        if self._faint > SETTLED:
            probability, self._state = 0.0, fresh_state()
        else:
            probability, self._state = self._model(
                np.concatenate((self._context, samples)), self._state, self._sample_rate
            )
        self._context = samples[-len(self._context) :]
        return probability
