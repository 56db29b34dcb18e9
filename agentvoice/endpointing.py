"""Endpointing: deciding that the caller has finished.

The caller's speech comes as segments between silences, each with a final transcript of its own. An utterance is
as many of them as it takes: it is *likely* over as soon as a segment is understood, which is worth a speculative
turn, and *over* when the silence has lasted. How long that is depends on the words, on what a model makes of the pause,
and on the caller's own pace. A recogniser that knows turns decides by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from .commands import JudgePause, UtteranceEnded
from .events import (
    CallerTurnEnded,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    EndOfTurnJudged,
    HearingEvent,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from .pace import Pace
from .unfinished import Sounds, sounds


@dataclass(frozen=True, slots=True)
class UtteranceLikely:
    """The caller has probably finished, with these words."""

    text: str


@dataclass(frozen=True, slots=True)
class UtteranceResumed:
    """The caller goes on: what was likely is not so."""


Decision: TypeAlias = UtteranceLikely | UtteranceResumed | JudgePause | UtteranceEnded

SURE: Final = 0.5
"""From this probability on a model's judgement is that the caller has finished."""


@dataclass(frozen=True, slots=True)
class Endpointing:
    """How patient the agent is. Seconds of silence."""

    silence_s: float = 0.5
    """What ends an utterance that sounds finished, until more is known of the caller."""
    shortest_s: float = 0.5
    """What does for a caller who never pauses."""
    longest_s: float = 1.0
    """What does for one who makes long pauses."""
    sure_s: float = 0.5
    """What does when a model (`EndOfTurn`) finds it finished as well, whatever the caller's pace."""
    patience_s: float = 2.0
    """What ends one that does not sound finished: it stops at "and", "my", "um", in the middle of a number; or a model
    finds so."""
    wait_s: float = 8.0
    """What ends one in which the caller asked for time: "hold on"."""
    transcript_s: float = 1.5
    """How long after the silence began to wait for a recogniser that still owes a final transcript."""
    late_s: float = 4.0
    """... and has not understood a single word yet."""
    turn_s: float = 7.0
    """How long to wait for a recogniser that knows turns, and has not said that this one is over."""
    language: str = "en"
    """Whose words tell that more is to come; see `unfinished.LANGUAGES`."""


class Endpointer:
    """Decide when an utterance is over. Pure: call `handle_timer` at `deadline`."""

    def __init__(self, patience: Endpointing = Endpointing(), *, judged: bool = False) -> None:
        """`judged`: a model can be asked about each pause."""
        self._patience = patience
        self._is_judged = judged
        self._pace = Pace(usual_s=patience.silence_s, shortest_s=patience.shortest_s, longest_s=patience.longest_s)
        self._parts: list[Transcript] = []
        self._partial = ""
        self._owed = 0  # final transcripts that segments still wait for
        self._speaking = False
        self._in_turn = False  # a recogniser that knows turns has said that this is one
        self._judged: float | None = None  # what a model thinks of the pause
        self._started_at: float | None = None
        self._stopped_at = 0.0
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
        return " ".join(text for text in (*(part.text.strip() for part in self._parts), self._partial) if text)

    # ------------------------------------------------------------------ what is heard

    def receive(self, event: HearingEvent, *, now: float) -> Sequence[Decision]:
        """Take what hearing reports; return what follows from it at once."""
        match event:
            case SpeechStarted(at):
                self._begin(at)
                self._speaking, self._judged = True, None
                return self._changed()
            case SpeechStopped(at) if self._speaking:
                self._speaking, self._stopped_at = False, at
                self._owed += not self._in_turn
                return self._changed()
            case Transcript(text, final=False) if not self.idle:
                self._partial = text.strip()
                return self._changed() if self._owed else []
            case Transcript(final=True) if self._owed:
                self._owed -= 1
                self._partial = ""
                if event.text.strip():
                    self._parts.append(event)
                return self._changed()
            case EndOfTurnJudged(probability) if not (self.idle or self._speaking):
                self._judged = probability
                return self._changed()
            case CallerTurnStarted() | CallerTurnLikely() | CallerTurnResumed() | CallerTurnEnded():
                return self._told(event, now)
            case _:
                pass  # late news of an utterance that is over
        return []

    def _begin(self, at: float) -> None:
        if self._started_at is not None:
            if not self._speaking:
                self._pace.paused(at - self._stopped_at)
            return
        self._started_at = self._stopped_at = at
        self._pace.began(at)

    def _told(
        self, event: CallerTurnStarted | CallerTurnLikely | CallerTurnResumed | CallerTurnEnded, now: float
    ) -> Sequence[Decision]:
        """A recogniser that knows turns decides: its word counts for more than the silence."""
        if self.idle:
            if isinstance(event, CallerTurnLikely | CallerTurnResumed):
                return []
            self._begin(now if not isinstance(event, CallerTurnStarted) or event.at is None else event.at)
        self._in_turn, self._owed = True, 0
        match event:
            case CallerTurnStarted(words):
                self._partial = words.strip()
                return self._changed()
            case CallerTurnLikely(text):
                self._partial = text.strip()
                return self._become_likely()
            case CallerTurnResumed():
                return self._resume()
            case CallerTurnEnded():  # pragma: no branch - the last there is
                self._parts, self._partial = [_as_transcript(event)], ""
                self._stopped_at = now if self._speaking else self._stopped_at
                return self._end(now)

    # ------------------------------------------------------------------ what follows

    def _changed(self) -> Sequence[Decision]:
        """Find the new deadline, and whether the end became likely or unlikely."""
        if self._in_turn:
            self.deadline = math.inf if self._speaking else self._stopped_at + self._patience.turn_s
            return []
        if self._speaking:
            self.deadline = math.inf
            return self._resume()
        if self._owed:
            self.deadline = self._stopped_at + (self._patience.transcript_s if self.words else self._patience.late_s)
            return []
        ending = sounds(self.words, self._patience.language)
        self.deadline = self._stopped_at + self._silence_s(ending)
        if ending is not Sounds.FINISHED:
            return []
        ask = self._is_judged and self._judged is None and self.words
        return [*([JudgePause(self.words)] if ask else []), *self._become_likely()]

    def _silence_s(self, ending: Sounds) -> float:
        """Return how long a silence is the end, for words that end so."""
        patience = self._patience
        if ending is Sounds.ASKS_FOR_TIME:
            return patience.wait_s
        if ending is Sounds.UNFINISHED:
            return patience.patience_s
        if self._judged is None:
            return self._pace.silence_s
        return patience.sure_s if self._judged >= SURE else patience.patience_s

    def _become_likely(self) -> Sequence[Decision]:
        if not self.words or self.words == self._likely:
            return []
        self._likely = self.words
        return [UtteranceLikely(self._likely)]

    def _resume(self) -> Sequence[Decision]:
        was, self._likely = self._likely, ""
        return [UtteranceResumed()] if was else []

    def handle_timer(self, *, now: float) -> Sequence[UtteranceEnded]:
        """Return what the passing of time has decided. Harmless when called early.

        Speech in which no word was understood ends without a trace.
        """
        return self._end(now) if now >= self.deadline else []

    def _end(self, now: float) -> Sequence[UtteranceEnded]:
        parts, text = self._parts, self.words
        ended = UtteranceEnded(
            text,
            self._started_at or 0.0,
            self._stopped_at,
            min((part.confidence for part in parts if part.confidence is not None), default=None),
            tuple(word for part in parts for word in part.words),
            _alternatives(parts),
            next((part.language for part in reversed(parts) if part.language), ""),
        )
        if text:
            self._pace.ended(stopped_at=self._stopped_at, now=now)
        self._parts, self._partial, self._likely = [], "", ""
        self._owed, self._started_at, self._judged = 0, None, None
        self._in_turn = self._speaking = False
        self.deadline = math.inf
        return [ended] if text else []


def _as_transcript(event: CallerTurnEnded) -> Transcript:
    return Transcript(
        event.text.strip(), final=True, confidence=event.confidence, words=event.words, language=event.language
    )


def _alternatives(parts: Sequence[Transcript]) -> tuple[str, ...]:
    """Return other readings of the whole: in each one segment is read in another way."""
    texts = [part.text.strip() for part in parts]
    return tuple(
        " ".join([*texts[:index], other, *texts[index + 1 :]])
        for index, part in enumerate(parts)
        for other in part.alternatives
    )
