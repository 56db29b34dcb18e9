"""Protection: stretches of a turn that may not be interrupted until they have been heard.

A legal notice, a price, a name spelled back. A signal that comes meanwhile is not lost: it is kept, and acts as soon
as the stretch has been heard, unless whoever gave it has taken it back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .events import BargeIn, BargeInKind


class Protected(str):
    """Text, yielded by a `reply`, that may not be interrupted until it was heard.

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        yield Protected("This call is recorded. ")
        async for token in self.think(turn):
            yield token
    """

    __slots__ = ()


@dataclass(slots=True)
class _Stretch:
    start: int
    end: float = math.inf  # not known while it is being written
    heard: bool = False


class Protection:
    """The protected stretches of one turn, in characters of its text, and the signals that wait for their ends."""

    def __init__(self) -> None:
        self._stretches: list[_Stretch] = []
        self._kept: dict[str, BargeIn] = {}

    @property
    def pending(self) -> bool:
        """Whether some of it is still to be heard, or somebody waits for it."""
        return bool(self._kept) or not all(stretch.heard for stretch in self._stretches)

    def begin(self, at: int) -> None:
        """Text is protected from character `at`."""
        self._stretches.append(_Stretch(at))

    def end(self, at: int) -> None:
        """Text is no longer protected from character `at`."""
        self._stretches[-1].end = at

    def covers(self, reached: int) -> bool:
        """Whether what follows the first `reached` characters, which have been heard, is protected.

        Also where it was thought heard before: until its words' times are known, that is a guess.
        """
        return any(stretch.start <= reached < stretch.end for stretch in self._stretches)

    def keep(self, signal: BargeIn) -> None:
        """Keep a signal for later. What its source has confirmed stays confirmed; what it takes back is forgotten."""
        kept = self._kept.get(signal.source)
        if signal.kind is BargeInKind.RETRACT:
            self._kept.pop(signal.source, None)
        elif kept is None or kept.kind is not BargeInKind.CONFIRM:
            self._kept[signal.source] = signal

    def release(self, reached: int) -> Sequence[BargeIn]:
        """Return the signals that need wait no longer, once."""
        if not self._kept or self.covers(reached):
            return ()
        kept, self._kept = tuple(self._kept.values()), {}
        return kept

    def heard(self, reached: int) -> Sequence[tuple[int, int]]:
        """Return the stretches, each from where to where, that have now been heard whole, once."""
        passed = [stretch for stretch in self._stretches if stretch.end <= reached and not stretch.heard]
        for stretch in passed:
            stretch.heard = True
        return [(stretch.start, int(stretch.end)) for stretch in passed]
