"""Whether a line carries as many samples a second as it says."""

from __future__ import annotations

from typing import Final

WATCHED_S: Final = 4.0
"""How long to count. Carriers deliver what they buffered while the call was set up in one go."""
OFF: Final = 0.25
"""By so much of the declared rate a clock is not wrong, but the declaration."""


class RateCheck:
    """Count samples against the clock, from when the first second is over. Pure."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._first_at: float | None = None
        self._began_at: float | None = None
        self._samples = 0
        self._settled = False

    def receive(self, samples: int, *, now: float) -> int | None:
        """Take so many samples that arrived; return the rate at which they come, once, if it is another."""
        if self._settled:
            return None
        self._first_at = now if self._first_at is None else self._first_at
        if now < self._first_at + 1:
            return None
        if self._began_at is None:
            self._began_at = now
            return None
        self._samples += samples
        lasted = now - self._began_at
        if lasted < WATCHED_S:
            return None
        self._settled = True
        rate = self._samples / lasted
        return None if abs(rate / self._sample_rate - 1) < OFF else round(rate)
