"""What may go wrong on a phone line, as numbers, all from one seed; and a road on which things are late, in order."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Weather:
    """A line's faults. By default there are none. Seconds count in whole frames of 20 ms."""

    jitter_s: float = 0.0
    """By how much things are late at the most, both ways. They never overtake one another: it is one connection."""
    loss: float = 0.0
    """The share of frames that are lost on the air, both ways: the caller's never arrive, the agent's are silence."""
    late_marks_s: float = 0.0
    """By how much marks come back late."""
    lost_marks: float = 0.0
    """The share of marks that never come back; some carriers return none: 1.0."""
    dies_at_s: float = math.inf
    """When the line goes dead without a word: nothing is played, nothing comes back, and the connection stays open."""
    seed: int = 0


FAIR: Final = Weather()


class Road(Generic[T]):
    """Carries things with delays of up to `jitter` ticks, without changing their order."""

    def __init__(self, jitter: int, random: Random) -> None:
        self._jitter = jitter
        self._random = random
        self._under_way: deque[tuple[int, T]] = deque()

    @property
    def due(self) -> int | None:
        """The tick at which the next thing arrives, if there is one under way."""
        return self._under_way[0][0] if self._under_way else None

    def send(self, thing: T, *, tick: int) -> None:
        """Put a thing on its way. It arrives when it is due and everything before it has arrived."""
        due = tick + (self._random.randint(0, self._jitter) if self._jitter else 0)
        self._under_way.append((due, thing))

    def arrived(self, *, tick: int) -> Sequence[T]:
        """Return what has arrived by now, in order."""
        things = []
        while self._under_way and self._under_way[0][0] <= tick:
            things.append(self._under_way.popleft()[1])
        return things
