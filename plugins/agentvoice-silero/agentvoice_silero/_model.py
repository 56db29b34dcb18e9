"""The model itself: what it is given, and what it gives back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

CONTEXTS: Final = {8000: 32, 16000: 64}
"""For each sample rate that it knows: samples of the window before, which it is given again with each one."""


def fresh_state() -> Floats:
    """Return what the model remembers at the beginning of a call."""
    return np.zeros((2, 1, 128), np.float32)


class Model:
    """Silero v6: the probability of speech in a window of 32 ms, given the state that the window before it left.

    It takes the windows of many calls at once, each with a state of its own, and answers as it would one by one.
    """

    def __init__(self, weights: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # more of them would only spin
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        self._rates = {rate: np.array(rate, np.int64) for rate in CONTEXTS}

    def __call__(self, samples: Floats, states: Floats, sample_rate: int) -> tuple[Floats, Floats]:
        """Take a row of context and window for each call, as floats between -1 and 1, and the states, (2, calls, 128);
        return the probabilities and the new states."""
        given: dict[str, Any] = {"input": samples, "state": states, "sr": self._rates[sample_rate]}
        probabilities, states = self._session.run(None, given)
        return probabilities[:, 0], states
