"""From probabilities of speech to the moments when the caller began to speak and fell silent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .events import SpeechStarted, SpeechStopped


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What counts as speech, and how long it takes to be believed."""

    start: float = 0.5
    """Probability from which a window may begin speech."""
    stop: float = 0.35
    """Probability below which a window may end it. Lower than `start`, so that speech does not flicker."""
    speech_s: float = 0.06
    """Speech shorter than this, in seconds, is a click. Every barge-in waits this long."""
    silence_s: float = 0.2
    """Silence shorter than this, in seconds, is a pause between syllables."""


ORDINARY: Final = Sensitivity()
"""What suits a telephone."""


class Hearable(StrEnum):
    """What the gate believes."""

    SILENCE = "silence"
    PERHAPS_SPEECH = "perhaps speech"
    SPEECH = "speech"
    PERHAPS_SILENCE = "perhaps silence"


_SILENCE: Final = Hearable.SILENCE
_SPEECH: Final = Hearable.SPEECH


class VoiceGate:
    """Decide when speech starts and stops, from one probability a window. Pure.

    Give it every window in order. Each event's `at` is the edge of the window where the change began, not of the one
    that made it certain.
    """

    def __init__(self, sensitivity: Sensitivity = ORDINARY) -> None:
        self._sensitivity = sensitivity
        self._changed_at = 0.0
        """When the first window of what is only perhaps so began."""
        self.state = Hearable.SILENCE

    @property
    def speaking(self) -> bool:
        """Whether speech has started, and not stopped."""
        return self.state in {Hearable.SPEECH, Hearable.PERHAPS_SILENCE}

    def receive(self, probability: float, *, start: float, end: float) -> SpeechStarted | SpeechStopped | None:
        """Take the probability that there is speech between `start` and `end`, in seconds; return what it settles."""
        sure = self._sensitivity
        if probability < sure.start if self.state is _SILENCE else probability >= sure.stop and self.state is _SPEECH:
            return None  # more of the same, as most windows are
        self._suspect(probability, start)
        lasted = end - self._changed_at + 1e-6  # so many windows of a whole length, however the sum was rounded
        if self.state is Hearable.PERHAPS_SPEECH and lasted >= self._sensitivity.speech_s:
            self.state = Hearable.SPEECH
            return SpeechStarted(self._changed_at)
        if self.state is Hearable.PERHAPS_SILENCE and lasted >= self._sensitivity.silence_s:
            self.state = Hearable.SILENCE
            return SpeechStopped(self._changed_at)
        return None

    def _suspect(self, probability: float, start: float) -> None:
        """Follow one window, without believing it yet."""
        loud, quiet = probability >= self._sensitivity.start, probability < self._sensitivity.stop
        match self.state:
            case Hearable.SILENCE if loud:
                self.state, self._changed_at = Hearable.PERHAPS_SPEECH, start
            case Hearable.PERHAPS_SPEECH if quiet:
                self.state = Hearable.SILENCE
            case Hearable.SPEECH if quiet:
                self.state, self._changed_at = Hearable.PERHAPS_SILENCE, start
            case Hearable.PERHAPS_SILENCE if loud:
                self.state = Hearable.SPEECH
            case _:
                pass  # more of the same, or between the thresholds: nothing changes

    def starve(self, at: float) -> SpeechStopped | None:
        """Say that no audio has come since `at`: whoever cannot be heard is not speaking."""
        if self.state is Hearable.PERHAPS_SILENCE:
            at = self._changed_at
        speaking, self.state = self.speaking, Hearable.SILENCE
        return SpeechStopped(at) if speaking else None
