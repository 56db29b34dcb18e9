"""Silence: nobody has had the floor for some time, and the agent may want to ask whether somebody is there."""

from __future__ import annotations

import math


class Silence:
    """Count the silences since the caller was last heard. Pure: call `handle_timer` at `deadline`."""

    def __init__(self, after_s: float) -> None:
        """`after_s` is how long nobody may have the floor before it counts."""
        self._after_s = after_s
        self._times = 0
        self.deadline = math.inf
        """When to call `handle_timer`, on the clock that `now` comes from."""

    def observe(self, *, quiet: bool, now: float) -> None:
        """Say whether the floor is free."""
        if not quiet:
            self.deadline = math.inf
        elif self.deadline == math.inf:
            self.deadline = now + self._after_s

    def answered(self) -> None:
        """The caller said something: the next silence is the first again."""
        self._times = 0

    def handle_timer(self, *, now: float) -> int:
        """Return which silence in a row this is, from 1; 0 when there is none. Harmless when called early."""
        if now < self.deadline:
            return 0
        self.deadline = now + self._after_s
        self._times += 1
        return self._times
