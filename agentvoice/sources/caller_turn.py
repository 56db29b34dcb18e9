"""Barge-in by a recogniser that knows turns: it says itself when the caller has taken the floor."""

from __future__ import annotations

from agentvoice.events import BargeIn, BargeInKind, CallerTurnStarted, Event

from ._watch import EventSource


class CallerTurnSource(EventSource):
    """Signal that the caller has begun a turn, by a recogniser that waits until it is sure of that.

    Deepgram Flux (`StartOfTurn`) and Cartesia Ink (`turn.start`) are such. With the words that it has recognised, which
    the policy judges; without any, it is taken at its word.
    """

    watches = (CallerTurnStarted,)

    def signal(self, event: Event) -> BargeIn:
        """Return the words so far, or a confirmation where there are none."""
        assert isinstance(event, CallerTurnStarted)  # noqa: S101 - it watches nothing else
        words = event.words.strip()
        return BargeIn(BargeInKind.ONSET if words else BargeInKind.CONFIRM, "caller_turn", words)
