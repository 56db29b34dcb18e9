"""How a recogniser of turns is told to tell them apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

from agentvoice.tts.messages import RequestRejected, rejected

from .messages import Configure

TURN_RANGES: Final = {
    "start_threshold": (0.5, 0.9),
    # Both ranges of the protocol's history, 0.3 to 0.6 and 0.3 to 0.8: the wider one.
    "eager_end_threshold": (0.3, 0.8),
    "end_threshold": (0.05, 0.5),
    "end_timeout_ms": (640, 11_200),
}
"""What each may be."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities that the caller is within a turn, and patience."""

    start_threshold: float = 0.8
    """Above it a turn begins."""
    eager_end_threshold: float = 0.4
    """Below it the turn has probably ended."""
    end_threshold: float = 0.2
    """Below it the turn has ended."""
    end_timeout_ms: float = 5600.0
    """The longest silence within a turn, in milliseconds."""

    def changed(self, by: Configure) -> Self:
        """Return them after a `config` message.

        Raises:
            RequestRejected: a value is out of its range, or they are not in their order; the message says what may be.
        """
        given = {name: getattr(by, name) for name in TURN_RANGES}
        turns = replace(self, **{name: value for name, value in given.items() if value is not None})
        for name, (low, high) in TURN_RANGES.items():
            within(name, getattr(turns, name), low, high)
        if not turns.start_threshold > turns.eager_end_threshold > turns.end_threshold:
            raise bad(
                "thresholds fall: start_threshold > eager_end_threshold > end_threshold; these are "
                f"{turns.start_threshold:g}, {turns.eager_end_threshold:g} and {turns.end_threshold:g}"
            )
        return turns


def within(name: str, value: float, low: float, high: float) -> None:
    """Look whether a value is in its range.

    Raises:
        RequestRejected: it is not.
    """
    if not low <= value <= high:
        raise bad(f"{name} must be from {low:g} to {high:g}; it is {value:g}")


def bad(message: str) -> RequestRejected:
    """Return what to raise about a request that cannot be done."""
    return rejected(None, "Invalid request", message)
