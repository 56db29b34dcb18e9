"""The figures of a call, or of many: what one wants to know of a day's traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from .story import BargeInStory, Story


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of some calls. Times are milliseconds, `None` where there is nothing to measure."""

    calls: int
    seconds: float
    turns: int
    outcomes: dict[str, int]
    """How many turns ended how."""
    response_ms: int | None
    """From the caller's last word to the answer's first frame, the median."""
    response_p90_ms: int | None
    barge_ins: int
    silence_ms: int | None
    """From the caller's first sound to the agent's last, the median over barge-ins."""
    false_alarms: int
    stale_frames: int
    holes: int

    def facts(self) -> dict[str, Any]:
        """Return the figures by name, for JSON and for tables."""
        return {name: getattr(self, name) for name in self.__slots__}


def stats(stories: Sequence[Story]) -> Stats:
    """Return the figures of these calls together."""
    turns = [turn for story in stories for turn in story.turns]
    responses = [answer for story in stories for answer in story.responses]
    signals = [one for story in stories for one in story.barge_ins]
    cuts = [one for one in signals if one.confirmed and one.silent is not None]
    return Stats(
        calls=len(stories),
        seconds=round(sum(story.end - story.start for story in stories), 1),
        turns=len(turns),
        outcomes=dict(sorted(Counter(str(turn.outcome) for turn in turns).items())),
        response_ms=_ms(median(responses)) if responses else None,
        response_p90_ms=_ms(_p90(responses)) if responses else None,
        barge_ins=len(cuts),
        silence_ms=_ms(median(map(_silence, cuts))) if cuts else None,
        false_alarms=sum(not one.confirmed for one in signals),
        stale_frames=sum(story.stale_frames for story in stories),
        holes=sum(len(story.holes) for story in stories),
    )


def _silence(one: BargeInStory) -> float:
    return max(0.0, (one.silent or 0.0) - one.at)


def _p90(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.9))]


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
