"""RNNoise's own interface (`rnnoise.h`): frames of 10 ms at 48 kHz, as floats in the range of 16-bit integers."""

from __future__ import annotations

import ctypes
import weakref
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

FRAME: Final = 480
DELAY: Final = 960
"""Samples: a frame of overlap, and one that the model looks ahead."""


class Library:
    """The shared library, with the model that is built into it."""

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        self._library.rnnoise_create.argtypes = [ctypes.c_void_p]
        self._library.rnnoise_create.restype = ctypes.c_void_p
        self._library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
        self._library.rnnoise_destroy.restype = None
        self._library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3
        self._library.rnnoise_process_frame.restype = ctypes.c_float

    def denoiser(self) -> Denoiser:
        """Return the state of one stream."""
        return Denoiser(self._library)


class Denoiser:
    """One stream. Its memory outside Python is given back with it."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._process = library.rnnoise_process_frame
        self._state = library.rnnoise_create(None)
        weakref.finalize(self, library.rnnoise_destroy, self._state)

    def __call__(self, frame: Floats) -> Floats:
        """Take `FRAME` samples, contiguous; return as many, `DELAY` late."""
        out = np.empty(FRAME, np.float32)
        self._process(self._state, out.ctypes.data, frame.ctypes.data)
        return out
