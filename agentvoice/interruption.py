"""Interruption: from signals that somebody wants the floor to a decision.

Sources signal (`BargeIn`); the controller judges by its policy and says `HOLD`, `RESUME` or `CUT`:

    idle ──turn audible──► speaking ──onset──► held ──confirm, stop word, enough words or speech──► cut
                              ▲                  │
                              └──retract, backchannel, time-out──┘

Words count in every state: a quick "stop" whose transcript comes after the silence still cuts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from anyio.abc import ObjectReceiveStream

from .errors import UsageError
from .events import BargeIn, BargeInKind
from .listening import LANGUAGES, consists_of, contains, count, may_become, tokens, without_repeats

if TYPE_CHECKING:
    from .call import Call


class InterruptionSource(Protocol):
    """Anything that can tell that the agent should stop: a voice, a key, a supervisor."""

    def signals(self, call: Call) -> AbstractAsyncContextManager[ObjectReceiveStream[BargeIn]]:
        """Watch one call, for as long as the context is entered; what is noticed comes on the stream."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What it takes to interrupt. The defaults suit a phone line and English."""

    min_speech_s: float = 1.0
    """Speech that has lasted this long interrupts, whatever its words, unless they are backchannels."""
    min_words: int = 3
    """So many words, not all of them backchannels, interrupt, once somebody has spoken for `words_after_s`."""
    words_after_s: float = 0.9
    """Speech that ended sooner interrupts by a stop word alone: of a listener's few words a recogniser makes others."""
    hold_s: float = 1.5
    """The longest that the agent pauses on a mere suspicion."""
    backchannels: frozenset[str] = LANGUAGES["en"].backchannels
    """Words and phrases of a listener who does not want the floor, in lower case."""
    stop_words: frozenset[str] = LANGUAGES["en"].stop_words
    """Words and phrases that take the floor at once."""
    hears_echo: bool = False
    """Take words for the caller's even where the agent was just heard to say them."""

    def for_language(self, language: str) -> Policy:
        """Return this policy with the words of another language: `PHONE.for_language("de")`.

        Raises:
            UsageError: its words are not known here.
        """
        words = LANGUAGES.get(language[:2])
        if words is None:
            raise UsageError(
                f"the listeners' words of '{language}' are not known, only those of {', '.join(LANGUAGES)}; use also()"
            )
        return replace(self, backchannels=words.backchannels, stop_words=words.stop_words)

    def also(self, *, backchannels: Iterable[str] = (), stop_words: Iterable[str] = ()) -> Policy:
        """Return this policy with more words: `PHONE.also(backchannels={"jolly good"})`."""
        return replace(
            self,
            backchannels=self.backchannels | frozenset(backchannels),
            stop_words=self.stop_words | frozenset(stop_words),
        )

    def is_backchannel(self, words: str) -> bool:
        """Whether a listener said only what listeners say: "mm-hm", "okay, I see"."""
        return consists_of(without_repeats(tokens(words)), self.backchannels)

    def interrupts(self, words: str) -> bool:
        """Whether these words are enough, once somebody has spoken for long enough."""
        said = tokens(words)
        return count(said) >= self.min_words and not may_become(without_repeats(said), self.backchannels)

    def stops(self, words: str) -> bool:
        """Whether one of these words takes the floor at once."""
        return contains(tokens(words), self.stop_words)


PHONE: Final = Policy()
"""A telephone: noise on the line and echo are common, and whoever cuts in says more than a word or two."""
BROWSER: Final = Policy(min_speech_s=0.8, hold_s=1.2)
"""A browser with its own echo and noise cancelling: what is heard is somebody, and may be taken at its word sooner."""
CAUTIOUS: Final = Policy(min_speech_s=2.0, min_words=5, hold_s=2.0)
"""Somewhere loud, or with people who talk to each other beside the telephone."""


class Decision(StrEnum):
    """What to do about the turn that is being heard."""

    HOLD = "held"
    RESUME = "resumed"
    CUT = "confirmed"


DEADLINE: Final = "deadline"
"""The source of a decision to which the passing of time led."""
WORDS: Final = "words"
"""The source of a decision to which words led that were not enough when they came."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision, and the source whose signal led to it."""

    decision: Decision
    source: str


class InterruptionController:
    """Judge barge-in signals about one turn at a time. Pure: call `handle_timer` at `deadline`."""

    def __init__(self, policy: Policy = Policy()) -> None:
        self.policy = policy
        self._watching = False
        self._since: dict[str, float] = {}  # sources that believe somebody speaks, and since when
        self._lasted = True  # what was heard before the present silence; words without any voice count at once
        self._held_at: float | None = None
        self._excused = False  # the words so far are a listener's: go on talking
        self._hold_until = self._words_at = math.inf

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`, on the clock that `now` comes from."""
        return min(self._hold_until, self._words_at)

    @property
    def held(self) -> bool:
        """Whether the turn is held on a suspicion."""
        return self._held_at is not None

    def watch(self, *, interruptible: bool) -> None:
        """A turn is about to be heard. Signals are ignored until then, and for one that may not be interrupted."""
        self._reset()
        self._watching = interruptible

    def unwatch(self) -> None:
        """The turn is over."""
        self._reset()
        self._watching = False

    def receive(self, signal: BargeIn, *, now: float) -> Sequence[Ruling]:
        """Take one signal; return what it decides. A repeated signal decides nothing new."""
        if not self._watching:
            return []
        match signal.kind:
            case BargeInKind.CONFIRM:
                return self._cut(signal.source)
            case BargeInKind.ONSET if signal.words:
                return self._weigh(signal, now)
            case BargeInKind.ONSET:
                self._since.setdefault(signal.source, now)
                return self._hold(signal.source, now)
            case BargeInKind.RETRACT:  # pragma: no branch - the last there is
                since = self._since.pop(signal.source, None)
                if self._since:
                    return []
                self._lasted = self._lasted if since is None else now >= since + self.policy.words_after_s
                return self._resume(signal.source)

    def excuse(self, source: str) -> Sequence[Ruling]:
        """What is heard is nobody who wants the floor; return what that decides."""
        self._excused = self._watching
        return self._resume(source)

    def handle_timer(self, *, now: float) -> Sequence[Ruling]:
        """Return what the passing of time has decided. Harmless when called early."""
        if now >= self._words_at:
            return self._cut(WORDS)
        if now < self._hold_until:
            return []
        if self._since and now >= min(self._since.values()) + self.policy.min_speech_s:
            return self._cut(DEADLINE)
        return self._resume(DEADLINE)

    def _weigh(self, signal: BargeIn, now: float) -> Sequence[Ruling]:
        policy = self.policy
        if policy.stops(signal.words):
            return self._cut(signal.source)
        if policy.is_backchannel(signal.words):
            return self.excuse(signal.source)
        self._words_at = math.inf
        if policy.interrupts(signal.words):
            enough_at = min(self._since.values(), default=math.inf) + policy.words_after_s
            if now >= enough_at or (self._lasted and not self._since):
                return self._cut(signal.source)
            self._words_at = enough_at
        return []  # words that could be the first of many: what was decided stands

    def _hold(self, source: str, now: float) -> Sequence[Ruling]:
        if self.held or self._excused:
            return []
        self._held_at = now
        self._hold_until = now + min(self.policy.min_speech_s, self.policy.hold_s)
        return [Ruling(Decision.HOLD, source)]

    def _resume(self, source: str) -> Sequence[Ruling]:
        held, excused = self.held, self._excused and bool(self._since)
        if not held and self._since:
            return []
        self._held_at, self._excused = None, excused
        self._hold_until = self._words_at = math.inf
        return [Ruling(Decision.RESUME, source)] if held else []

    def _cut(self, source: str) -> Sequence[Ruling]:
        self.unwatch()
        return [Ruling(Decision.CUT, source)]

    def _reset(self) -> None:
        self._since = {}
        self._lasted = True
        self._held_at, self._excused = None, False
        self._hold_until = self._words_at = math.inf
