"""Barge-in by voice: something like speech is an onset, silence takes it back."""

from __future__ import annotations

from agentvoice.events import BargeIn, BargeInKind, Event, SpeechStarted, SpeechStopped

from ._watch import EventSource


class VoiceActivitySource(EventSource):
    """Signal what voice activity detection hears, long before any word is known."""

    watches = (SpeechStarted, SpeechStopped)

    def signal(self, event: Event) -> BargeIn | None:
        """Return an onset when the caller begins, a retraction when the caller falls silent."""
        kind = BargeInKind.ONSET if isinstance(event, SpeechStarted) else BargeInKind.RETRACT
        return BargeIn(kind, "voice")
