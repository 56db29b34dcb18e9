"""Barge-in by words: "stop" acts at once, "mm-hm" never does; the policy knows which is which."""

from __future__ import annotations

from agentvoice.events import BargeIn, BargeInKind, Event, Transcript

from ._watch import EventSource


class TranscriptSource(EventSource):
    """Signal the caller's words as the recogniser finds them, partial ones included."""

    watches = (Transcript,)

    def signal(self, event: Event) -> BargeIn | None:
        """Return the words so far, if there are any."""
        assert isinstance(event, Transcript)  # noqa: S101 - it watches nothing else
        return BargeIn(BargeInKind.ONSET, "words", event.text) if event.text.strip() else None
