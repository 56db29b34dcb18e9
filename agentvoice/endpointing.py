"""Endpointing: deciding that the caller has finished.

The caller's speech comes as segments between silences, each with a final transcript of its own. An utterance is
as many of them as it takes: it is *likely* over as soon as a segment is understood, which is worth a speculative
turn, and *over* when the silence has lasted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from .commands import UtteranceEnded
from .events import SpeechStarted, SpeechStopped, Transcript

_UNFINISHED: Final = re.compile(
    r"(?:\b(?:and|or|but|so|to|the|a|an|of|for|with|at|in|on|is|my|um+|uh+|uhm|er+|erm|hmm+|hold on|let me see)"
    r"[\s.,…-]*|,|\.\.\.|…|-)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class UtteranceLikely:
    """The caller has probably finished, with these words."""

    text: str


@dataclass(frozen=True, slots=True)
class UtteranceResumed:
    """The caller goes on: what was likely is not so."""


Decision: TypeAlias = UtteranceLikely | UtteranceResumed | UtteranceEnded


@dataclass(frozen=True, slots=True)
class Endpointing:
    """How patient the agent is."""

    silence_s: float = 0.5
    """Silence that ends an utterance which sounds finished."""
    patience_s: float = 1.4
    """Silence that ends one which does not: it stops at "and", "my", "um"..."""
    transcript_s: float = 1.5
    """How long after the silence began to wait for a recogniser that still owes a final transcript."""


class Endpointer:
    """Decide when an utterance is over. Pure: call `handle_timer` at `deadline`."""

    def __init__(self, patience: Endpointing = Endpointing()) -> None:
        self._patience = patience
        self._finals: list[str] = []
        self._partial = ""
        self._owed = 0  # final transcripts that segments still wait for
        self._speaking = False
        self._started_at: float | None = None
        self._stopped_at = 0.0
        self._confidence: float | None = None
        self._likely = ""
        self.deadline = math.inf
        """When to call `handle_timer`, on the clock that `now` comes from."""

    @property
    def idle(self) -> bool:
        """Whether nothing of the caller's is under way."""
        return self._started_at is None

    @property
    def likely(self) -> str:
        """The words of an utterance that has probably ended; empty while there is none."""
        return self._likely

    @property
    def words(self) -> str:
        """The utterance so far, as far as it is understood."""
        return " ".join(text for text in (*self._finals, self._partial) if text)

    def receive(self, event: SpeechStarted | SpeechStopped | Transcript) -> Sequence[Decision]:
        """Take what hearing reports; return what follows from it at once."""
        match event:
            case SpeechStarted(at):
                self._speaking = True
                self._started_at = at if self._started_at is None else self._started_at
                return self._changed()
            case SpeechStopped(at) if self._speaking:
                self._speaking, self._stopped_at = False, at
                self._owed += 1
                return self._changed()
            case Transcript(text, final=False) if not self.idle:
                self._partial = text.strip()
            case Transcript(text, final=True, confidence=confidence) if self._owed:
                self._owed -= 1
                self._partial = ""
                self._confidence = confidence
                if text.strip():
                    self._finals.append(text.strip())
                return self._changed()
            case _:
                pass  # late news of an utterance that is over
        return []

    def _changed(self) -> Sequence[Decision]:
        """Find the new deadline, and whether the end became likely or unlikely."""
        if self._speaking:
            self.deadline = math.inf
            was, self._likely = self._likely, ""
            return [UtteranceResumed()] if was else []
        if self._owed:
            self.deadline = self._stopped_at + self._patience.transcript_s
            return []
        finished = not _UNFINISHED.search(self.words)
        self.deadline = self._stopped_at + (self._patience.silence_s if finished else self._patience.patience_s)
        if finished and self.words and self.words != self._likely:
            self._likely = self.words
            return [UtteranceLikely(self._likely)]
        return []

    def handle_timer(self, *, now: float) -> Sequence[UtteranceEnded]:
        """Return what the passing of time has decided. Harmless when called early.

        Speech in which no word was understood ends without a trace.
        """
        if now < self.deadline:
            return []
        text, started_at = self.words, self._started_at
        ended = UtteranceEnded(text, started_at or 0.0, self._stopped_at, self._confidence)
        self._finals, self._partial, self._likely = [], "", ""
        self._owed, self._started_at, self._confidence = 0, None, None
        self.deadline = math.inf
        return [ended] if text else []
