"""The caller's pace: how long this caller's pauses are, learnt from those that turned out to be no end."""

from __future__ import annotations

import math
from typing import Final

AMPLE: Final = 1.5
"""Wait so many times as long as the pauses that the caller makes."""
LEARN: Final = 0.4
"""How much of the way to go when a caller paused for longer than was expected."""
LEARN_BITTERLY: Final = 0.8
"""... and had been taken to have finished."""
FORGET: Final = 0.1
"""How much of the way back to go with each utterance that ended when it seemed to."""
REGRET_S: Final = 0.5
"""Who goes on so soon after an utterance was taken to be over had not finished it. Later, it may be an answer."""


class Pace:
    """How long to wait before a silence is the end. Pure.

    It begins with `usual_s`, and stays between `shortest_s` and `longest_s`.
    """

    def __init__(self, *, usual_s: float, shortest_s: float, longest_s: float) -> None:
        self.silence_s = usual_s
        """How long a silence ends an utterance."""
        self._shortest_s = min(shortest_s, usual_s)
        self._longest_s = max(longest_s, usual_s)
        self._stopped_at = self._ended_at = -math.inf  # of the utterance before

    def paused(self, seconds: float) -> None:
        """The caller went on after a pause."""
        self._learn(seconds, LEARN)

    def ended(self, *, stopped_at: float, now: float) -> None:
        """An utterance was taken to be over: the caller had fallen silent at `stopped_at`."""
        self._stopped_at, self._ended_at = stopped_at, now
        self.silence_s += FORGET * (self._shortest_s - self.silence_s)

    def began(self, at: float) -> None:
        """The caller began another utterance; or was it the same?"""
        if at <= self._ended_at + REGRET_S:
            self._learn(at - self._stopped_at, LEARN_BITTERLY)

    def _learn(self, pause_s: float, rate: float) -> None:
        wanted = min(AMPLE * pause_s, self._longest_s)
        self.silence_s += rate * max(0.0, wanted - self.silence_s)
