"""Barge-in by a supervisor: somebody who listens in, and cuts in over HTTP (`server.supervision`)."""

from __future__ import annotations

from agentvoice.events import BargeIn, BargeInKind, Event, SupervisorCutIn

from ._watch import EventSource


class SupervisorSource(EventSource):
    """Confirm when a supervisor cuts in."""

    watches = (SupervisorCutIn,)

    def signal(self, event: Event) -> BargeIn:  # noqa: ARG002 - it watches nothing else
        """Return a confirmation."""
        return BargeIn(BargeInKind.CONFIRM, "supervisor")
