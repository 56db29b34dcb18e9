"""Barge-in by a key: whoever presses one has heard enough."""

from __future__ import annotations

from agentvoice.events import BargeIn, BargeInKind, Event, KeyPressed

from ._watch import EventSource


class KeySource(EventSource):
    """Confirm when the caller presses one of `keys`."""

    watches = (KeyPressed,)

    def __init__(self, keys: str = "0123456789*#ABCD") -> None:
        self._keys = keys

    def signal(self, event: Event) -> BargeIn | None:
        """Return a confirmation if the key is one of those that count."""
        assert isinstance(event, KeyPressed)  # noqa: S101 - it watches nothing else
        return BargeIn(BargeInKind.CONFIRM, "keys") if event.key in self._keys else None
