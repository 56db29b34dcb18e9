"""Who watches a call: told of everything that goes into its conversation, and of all that is decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agentvoice.commands import Command
from agentvoice.events import Event


class Observer(Protocol):
    """Watches one call from its edge. Every method returns at once and never raises into the call.

    For each step of the conversation `received` comes first, then `decided` with the same `now`.
    """

    def received(self, now: float, event: Event | None) -> None:
        """The conversation took `event`; `None` means that its timer rang."""

    def decided(self, now: float, commands: Sequence[Command]) -> None:
        """This is what it decided, and what has been carried out: nothing waits for who watches. May be empty."""

    def closed(self) -> None:
        """The call is over; nothing follows."""
