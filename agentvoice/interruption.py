"""Interruption: from signals that somebody wants the floor to a decision.

Sources signal (`BargeIn`); the controller judges by its policy and says `HOLD`, `RESUME` or `CUT`:

    idle ──turn audible──► speaking ──onset──► held ──confirm, stop word, enough words or speech──► cut
                              ▲                  │
                              └──retract, backchannel, time-out──┘

Words count in every state: a quick "stop" whose transcript comes after the silence still cuts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from anyio.abc import ObjectReceiveStream

from .events import BargeIn, BargeInKind

if TYPE_CHECKING:
    from .call import Call


class InterruptionSource(Protocol):
    """Anything that can tell that the agent should stop: a voice, a key, a supervisor."""

    def signals(self, call: Call) -> AbstractAsyncContextManager[ObjectReceiveStream[BargeIn]]:
        """Watch one call, for as long as the context is entered; what is noticed comes on the stream."""


BACKCHANNELS: Final = frozenset(
    "mm mhm mm-hm mmhm mm-hmm mhmm uh-huh uhuh huh hm hmm ah oh aha yeah yep yes yup ok okay right sure "
    "alright great good cool fine nice exactly indeed really wow thanks perfect lovely super wonderful excellent "
    "absolutely definitely correct true understood".split()
) | {
    *("i see", "i know", "i understand", "got it", "all right", "of course", "thank you", "very good", "very nice"),
    *("go on", "uh huh", "mm hmm", "sounds good", "makes sense", "make sense", "that's fine", "that's good"),
    *("that's great", "that's right", "oh really"),
}
"""English words of a listener who does not want the floor."""

STOP_WORDS: Final = frozenset(
    "stop wait no hold actually sorry excuse pardon hello listen hang cancel operator help pause".split()
)
"""English words that take the floor at once."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What it takes to interrupt. The defaults suit a phone line and English."""

    min_speech_s: float = 1.0
    """Speech that has lasted this long interrupts, whatever its words, unless they are backchannels."""
    min_words: int = 3
    """So many words, not all of them backchannels, interrupt at once."""
    hold_s: float = 1.5
    """The longest that the agent pauses on a mere suspicion."""
    backchannels: frozenset[str] = BACKCHANNELS
    stop_words: frozenset[str] = STOP_WORDS

    def is_backchannel(self, words: str) -> bool:
        """Whether a listener said only what listeners say: "mm-hm", "okay, I see"."""
        rest = _words(words)
        while rest:
            size = next((n for n in (2, 1) if " ".join(rest[:n]) in self.backchannels), 0)
            if not size:
                return False
            rest = rest[size:]
        return True

    def interrupts(self, words: str) -> bool:
        """Whether these words are enough by themselves."""
        said = _words(words)
        if any(word in self.stop_words for word in said):
            return True
        return len(said) >= self.min_words and not self.is_backchannel(words)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower())


class Decision(StrEnum):
    """What to do about the turn that is being heard."""

    HOLD = "held"
    RESUME = "resumed"
    CUT = "confirmed"


DEADLINE: Final = "deadline"
"""The source of a decision to which the passing of time led."""


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
        self._held_at: float | None = None
        self._excused = False  # the words so far are a listener's: go on talking
        self.deadline = math.inf
        """When to call `handle_timer`, on the clock that `now` comes from."""

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
                return self._weigh(signal)
            case BargeInKind.ONSET:
                self._since.setdefault(signal.source, now)
                return self._hold(signal.source, now)
            case BargeInKind.RETRACT:  # pragma: no branch - the last there is
                self._since.pop(signal.source, None)
                return [] if self._since else self._resume(signal.source)

    def handle_timer(self, *, now: float) -> Sequence[Ruling]:
        """Return what the passing of time has decided. Harmless when called early."""
        if now < self.deadline or self._held_at is None:
            return []
        if self._since and now >= min(self._since.values()) + self.policy.min_speech_s:
            return self._cut(DEADLINE)
        return self._resume(DEADLINE)

    def _weigh(self, signal: BargeIn) -> Sequence[Ruling]:
        if self.policy.interrupts(signal.words):
            return self._cut(signal.source)
        if self.policy.is_backchannel(signal.words):
            self._excused = True
            return self._resume(signal.source)
        return []  # one word that could be the first of many: what was decided stands

    def _hold(self, source: str, now: float) -> Sequence[Ruling]:
        if self.held or self._excused:
            return []
        self._held_at = now
        self.deadline = now + min(self.policy.min_speech_s, self.policy.hold_s)
        return [Ruling(Decision.HOLD, source)]

    def _resume(self, source: str) -> Sequence[Ruling]:
        held, excused = self.held, self._excused and bool(self._since)
        if not held and self._since:
            return []
        self._held_at, self._excused, self.deadline = None, excused, math.inf
        return [Ruling(Decision.RESUME, source)] if held else []

    def _cut(self, source: str) -> Sequence[Ruling]:
        self.unwatch()
        return [Ruling(Decision.CUT, source)]

    def _reset(self) -> None:
        self._since = {}
        self._held_at, self._excused, self.deadline = None, False, math.inf
