"""The longest that a call may last, with when to say so beforehand; and the most that it may cost."""

from __future__ import annotations

import math


class CallLimit:
    """Watch how long a call lasts. Pure: call `handle_timer` at `deadline`."""

    def __init__(self, call_s: float, warn_s: float) -> None:
        """A call may last `call_s`, and `warn_s` before its end is the time to say so."""
        self._call_s = call_s
        self._warn_s = min(warn_s, call_s)
        self._warns_at = self._ends_at = math.inf

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`, on the clock that `now` comes from."""
        return min(self._warns_at, self._ends_at)

    def start(self, now: float) -> None:
        """The call begins."""
        self._ends_at = now + self._call_s
        self._warns_at = self._ends_at - self._warn_s if self._call_s < math.inf else math.inf

    def handle_timer(self, *, now: float) -> float | None:
        """Return how many seconds are left, when that has to be said: once, and at the end 0."""
        if now < self.deadline:
            return None
        self._warns_at = math.inf
        return max(0.0, self._ends_at - now)


class Spending:
    """Count what a call costs, and tell once when that is as much as it may."""

    def __init__(self, tokens: float, characters: float) -> None:
        """A call may use so many tokens of language models, read and written, and so many spoken characters."""
        self._left = {"tokens": tokens, "characters": characters}

    def spend(self, what: str, amount: float) -> bool:
        """Count some more; return whether that was the last there was."""
        before = self._left[what]
        self._left[what] = before - amount
        return before > 0 >= self._left[what]
