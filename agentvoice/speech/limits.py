"""What clients may use of a speech server, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one socket may use, and for how long."""

    buffer_delay_s: float = 3.0
    """How long text may wait when the client does not say (`max_buffer_delay_ms`)."""
    expiry_s: float = 5.0
    """How long an open context lives after its last audio was sent. The provider says 1; a model may think longer."""
    idle_s: float = 300.0
    """How long a socket stays open without a request."""
    waiting_characters: int = 200_000
    """The most text of one context that may wait to be spoken."""


class Slots:
    """How many contexts may live at once, over all sockets that share this."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0

    def take(self) -> bool:
        """Take one; false when there is none."""
        if self.taken >= self.limit:
            return False
        self.taken += 1
        return True

    def release(self) -> None:
        """Give one back."""
        self.taken -= 1
