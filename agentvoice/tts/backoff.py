"""How long to wait before the next attempt to connect."""

from __future__ import annotations

from random import Random


class Backoff:
    """At once, then ever later, with jitter, so that many clients do not come back in the same instant."""

    def __init__(self, random: Random, *, first_s: float = 0.1, factor: float = 2.0, most_s: float = 10.0) -> None:
        self._random = random
        self._first_s = first_s
        self._factor = factor
        self._most_s = most_s
        self._step_s = 0.0

    def next(self) -> float:
        """Return how many seconds to wait."""
        delay = self._step_s * self._random.uniform(0.5, 1.0)
        self._step_s = min(self._most_s, self._step_s * self._factor or self._first_s)
        return delay

    def reset(self) -> None:
        """Say that the connection was good for something."""
        self._step_s = 0.0
