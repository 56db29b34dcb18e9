"""Voice activity of one call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from anyio.lowlevel import checkpoint

from agentvoice.errors import ProviderError

from ._desk import WINDOW_S, Desk, Window
from ._model import CONTEXTS, Floats, fresh_state

FAINT: Final = 64
"""Amplitude, of 32,768, below which a window cannot be speech on a telephone: 54 dB under full scale."""
SETTLED: Final = 8
"""After so many faint windows (a quarter of a second) the model has nothing to remember, and is not asked any more."""
FULL_SCALE: Final = np.float32(1 / 32768)
AT_A_TIME: Final = 8
"""After so many windows at once, others have a turn."""


class Detector:
    """Voice activity of one call: cuts the audio into windows of 32 ms, and asks the model about those with sound."""

    window_s = WINDOW_S

    def __init__(self, desk: Desk, sample_rate: int) -> None:
        self._desk = desk
        self._context = CONTEXTS[sample_rate]
        self._size = 2 * round(sample_rate * self.window_s)
        self._pcm = bytearray()
        self._samples = np.zeros((1, self._context + self._size // 2), np.float32)
        self._window = self._samples[0, self._context :]
        self._state = fresh_state()
        self._faint: float = math.inf
        """How many windows in a row were faint."""
        self._judged: list[float] = []
        """What nobody was told yet."""

    async def feed(self, pcm: bytes) -> Sequence[float]:
        """Return the probability of speech in each window that `pcm` completes.

        When it is cancelled, or fails, nothing is lost: the next `feed` goes on where it was, and returns the rest. A
        window that the model failed on counts as silence.

        Raises:
            ProviderError: the model failed.
        """
        self._pcm += pcm
        while len(self._pcm) >= self._size:
            await self._judge()
            if len(self._judged) % AT_A_TIME == 0:
                await checkpoint()
        judged, self._judged = self._judged, []
        return judged

    async def _judge(self) -> None:
        """Judge the oldest window. Until that is done, all is as it was before."""
        pcm = np.frombuffer(self._pcm[: self._size], "<i2")
        amplitude = (int(pcm.max()) - int(pcm.min())) / 2  # a line with an offset may be silent all the same
        faint = self._faint + 1 if amplitude < FAINT else 0
        np.multiply(pcm, FULL_SCALE, out=self._window)
        if faint > SETTLED:
            self._settle(0.0, fresh_state(), faint)
            return
        window = Window(self._samples, self._state)
        try:
            await self._desk.judge(self, window)
        except ProviderError:
            self._settle(0.0, fresh_state(), faint)
            raise
        self._settle(window.probability, window.state, faint)

    def _settle(self, probability: float, state: Floats, faint: float) -> None:
        self._judged.append(probability)
        self._state, self._faint = state, faint
        self._samples[0, : self._context] = self._samples[0, -self._context :]
        del self._pcm[: self._size]
