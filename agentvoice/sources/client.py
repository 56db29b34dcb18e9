"""Barge-in by a message of the client: a button in a browser, an app that knows better."""

from __future__ import annotations

from agentvoice.events import BargeIn, BargeInKind, ClientMessage, Event

from ._watch import EventSource


class ClientSource(EventSource):
    """Confirm when the client sends a message of this kind."""

    watches = (ClientMessage,)

    def __init__(self, kind: str = "interrupt") -> None:
        self._kind = kind

    def signal(self, event: Event) -> BargeIn | None:
        """Return a confirmation if the message is of the kind that counts."""
        assert isinstance(event, ClientMessage)  # noqa: S101 - it watches nothing else
        return BargeIn(BargeInKind.CONFIRM, "client") if event.kind == self._kind else None
