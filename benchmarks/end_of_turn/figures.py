"""What came of it, in figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.selectivity.figures import Share, percent, quantile, table

from .corpus import Contribution
from .hearing import Heard
from .phrases import Kind
from .trial import Outcome


@dataclass(frozen=True, slots=True)
class Point:
    """How one way to tell the end did, with one setting, in one kind of noise."""

    way: str
    noise: str
    silence_s: float
    """What was varied; not a number when everything is as by default."""
    outcomes: Sequence[Outcome]

    @property
    def setting(self) -> str:
        """What was varied, in words."""
        return "default" if math.isnan(self.silence_s) else f"{self.silence_s:.1f}"

    @property
    def cut_in(self) -> Share:
        """How many of the pauses were taken for the end."""
        return share(cut for outcome in self.outcomes for cut in outcome.cut_in)

    @property
    def delays_s(self) -> Sequence[float]:
        return [outcome.delay_s for outcome in self.outcomes]

    @property
    def delay_s(self) -> float:
        """How long the caller waits, on average."""
        return fmean(self.delays_s)


def share(facts: Iterable[bool]) -> Share:
    """Return how often it is so."""
    known = list(facts)
    return Share(sum(known), len(known))


def curve(points: Sequence[Point]) -> str:
    """Write the points of the curve: cut-ins in per cent with the interval of 95 % confidence, delays in seconds."""
    rows: list[Sequence[str]] = [["noise", "way", "silence, s", "cut-ins, %", "delay mean, s", "p50", "p90"]]
    for point in points:
        delays = (point.delay_s, quantile(point.delays_s, 0.5), quantile(point.delays_s, 0.9))
        rows.append(
            [point.noise, point.way, point.setting, percent(point.cut_in), *(f"{delay:.2f}" for delay in delays)]
        )
    return table(rows)


def by_kind(points: Sequence[Point]) -> str:
    """Write how many pauses of each kind were taken for the end, in per cent."""
    rows: list[Sequence[str]] = [["noise", "way", *Kind]]
    for point in points:
        shares = [
            share(cut for outcome in point.outcomes if outcome.contribution.kind is kind for cut in outcome.cut_in)
            for kind in Kind
        ]
        rows.append([point.noise, point.way, *map(percent, shares)])
    return table(rows)


def judged(noise: str, said: Sequence[tuple[Contribution, Heard]]) -> str:
    """Write how often the model finds ends finished, and pauses, in per cent."""
    rows: list[Sequence[str]] = [["noise", "where", "found finished"]]
    places: dict[str, list[bool]] = {}
    for contribution, heard in said:
        for at, probability in heard.judgements:
            if at > contribution.end_s:
                where = f"end, {'recorded' if contribution.recorded else 'synthetic'}"
            elif any(start < at < end for start, end in contribution.pauses):
                where = f"pause, {contribution.kind}"
            else:
                continue  # the voice broke off there for voice activity alone
            places.setdefault(where, []).append(probability >= 0.5)
    rows += [[noise, where, percent(share(found))] for where, found in sorted(places.items())]
    return table(rows)
