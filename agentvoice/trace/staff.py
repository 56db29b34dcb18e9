"""Where things go: a call is drawn as a score is printed, in rows that are read like lines of text.

All in pixels of a picture that is `WIDTH` wide. A row breaks where nobody speaks, if it can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

_RAGGED: Final = 0.3
"""How much of a row may stay empty for the sake of a good break."""
_GRAIN_S: Final = 0.05


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
    """Divide a call that lasts `seconds` into rows of at most `row_s`."""
    px_s = ROOM / row_s
    found: list[Row] = []
    start = 0.0
    while seconds - start > row_s * 1.02:
        end = _break(story, start + row_s * (1 - _RAGGED), start + row_s)
        found.append(Row(start, end, px_s))
        start = end
    found.append(Row(start, min(seconds, start + row_s) if seconds > start else start + row_s, px_s))
    return found


def _break(story: Story, first: float, last: float) -> float:
    """Return the best moment to break: in a silence, and late."""
    speech = [(s.start - 0.1, s.end + 0.15) for s in story.segments]
    speech += [(s.start - 0.1, s.end + 0.15) for turn in story.turns for s in turn.sounds]
    signs = [(b.at - 0.3, max(b.decided, b.silent or 0) + 0.3) for b in story.barge_ins]
    waits = [(parts[0][1], parts[-1][2]) for turn in story.turns if (parts := turn.latency)]

    def cost(at: float) -> float:
        def within(stretches: Sequence[tuple[float, float]]) -> int:
            return sum(start < at < end for start, end in stretches)

        return 10 * within(signs) + 4 * within(speech) + 3 * within(waits) + (last - at) / (last - first)

    moments = [last - _GRAIN_S * step for step in range(int((last - first) / _GRAIN_S) + 1)]
    return min(moments, key=cost)


def clock(seconds: float) -> str:
    """Write a moment as people read it: 1:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"
