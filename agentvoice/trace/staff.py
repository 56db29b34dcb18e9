"""Where things go: a call is drawn as a score is printed, in rows that are read like lines of text.

All in pixels of a picture that is `WIDTH` wide. A row breaks where nobody speaks, if it can.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from agentvoice.commands import TurnState

from .story import Story

WIDTH: Final = 1200.0
LEFT: Final = 70.0
RIGHT: Final = 26.0
ROOM: Final = WIDTH - LEFT - RIGHT
EDGE: Final = WIDTH - 8
"""The rightmost that anything is written."""

OUTCOME_CLASS: Final[Mapping[TurnState, str]] = {
    TurnState.COMPLETED: "completed",
    TurnState.INTERRUPTED: "interrupted",
    TurnState.FAILED: "failed",
    TurnState.WITHDRAWN: "withdrawn",
    TurnState.OPEN: "withdrawn",
    TurnState.THINKING: "withdrawn",
}
"""The colour of a turn, by the state it ended in or was in last; one that still speaks looks like a completed one."""

_GRAINS: Final = 120
"""How finely breaks are sought: so many to a row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the score: a stretch of time on a scale."""

    start: float
    end: float
    px_s: float
    """Pixels a second."""

    def x(self, at: float) -> float:
        """Return where a moment is, kept within the row."""
        return LEFT + (min(max(at, self.start), self.end) - self.start) * self.px_s

    def shows(self, start: float, end: float) -> bool:
        """Whether any of a stretch of time is in this row."""
        return start < self.end and end > self.start

    def has(self, at: float) -> bool:
        """Whether a moment is in this row."""
        return self.start <= at < self.end


def rows(story: Story, seconds: float, row_s: float) -> Sequence[Row]:
    """Divide a call that lasts `seconds` into rows of at most `row_s`, the longest of which fills the width."""
    breaks = _breaks(story, max(seconds, 1.0), row_s)
    px_s = ROOM / max(end - start for start, end in pairwise(breaks))
    return [Row(start, end, px_s) for start, end in pairwise(breaks)]


def _breaks(story: Story, seconds: float, row_s: float) -> Sequence[float]:
    """Return the moments between which the rows lie, both ends included: the cheapest way from start to end."""
    answers = [turn.timeline["first_frame_out"] for turn in story.turns if "first_frame_out" in turn.timeline]
    grain = row_s / _GRAINS
    grid = [grain * step for step in range(1, int(seconds / grain))]
    moments = sorted({0.0, seconds, *grid, *(at for at in answers if 0 < at < seconds)})
    awkward = _awkwardness(story)
    best: list[tuple[float, int]] = [(0.0, 0)]  # what it costs to come to each moment, and from where
    first = 0
    for here, at in enumerate(moments[1:], start=1):
        while at - moments[first] > row_s:
            first += 1
        last = at == seconds
        price = 0.0 if last else awkward(at)
        best.append(
            min((best[before][0] + price + _empty(at - moments[before], row_s, last=last), before)
                for before in range(first, here))
        )  # fmt: skip
    found = [len(moments) - 1]
    while found[-1]:
        found.append(best[found[-1]][1])
    return [moments[at] for at in reversed(found)]


def _empty(length: float, row_s: float, *, last: bool) -> float:
    """Return what a row costs that is as long as this: each one something, and a stump more."""
    share = length / row_s
    return 2 + 6 * (1 - share) ** 2 + (20 if share < (0.25 if last else 0.5) else 0)


def _awkwardness(story: Story) -> Callable[[float], float]:
    """Return how bad it is to break at a moment: least where nothing is under way, then between two words."""
    weighed = [(b.at - 0.3, max(b.decided, b.silent or 0) + 0.3, 10.0) for b in story.barge_ins]
    weighed += [(s.start - 0.1, s.end + 0.1, 3.0) for s in story.segments]
    weighed += [(s.start, s.end + 0.1, 3.0) for turn in story.turns for s in turn.sounds]
    weighed += [(w.start - 0.05, w.end + 0.05, 3.0) for turn in story.turns for w in turn.words if w.heard]
    weighed += [(parts[0][1], parts[-1][2], 4.0) for turn in story.turns if (parts := turn.latency)]
    starts, begun = _running((start, weight) for start, _, weight in weighed)
    ends, over = _running((end, weight) for _, end, weight in weighed)
    return lambda at: begun[bisect_left(starts, at - 1e-6)] - over[bisect_right(ends, at + 1e-6)]


def _running(weights: Iterable[tuple[float, float]]) -> tuple[Sequence[float], Sequence[float]]:
    """Return the moments in order, and the sum of all weights before each of them and after the last."""
    ordered = sorted(weights)
    return [at for at, _ in ordered], list(accumulate((weight for _, weight in ordered), initial=0.0))


def short(identity: str) -> str:
    """Shorten an id of a carrier's to its two ends; those that people choose stay as they are."""
    return identity if len(identity) <= 20 else f"{identity[:4]}…{identity[-6:]}"


def clock(seconds: float) -> str:
    """Write a moment as people read it: 1:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"
