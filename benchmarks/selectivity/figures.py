"""From outcomes to figures: how often the agent did right, how sure that is, and how long it took."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

LATEST_S: Final = 1.0
"""An interruption that is yielded to later than so long after its end was not yielded to."""
EARLY_S: Final = 0.1
"""A hold so long before a sound is loud enough to count may still be due to its first breath."""


@dataclass(frozen=True, slots=True)
class Result:
    """One trial, with its times in seconds since the sound could be detected; infinite for what never was."""

    policy: str
    kind: str
    condition: str
    """What noise there was: `clean`, or its maker and decibels."""
    clip: int
    name: str
    source: str
    ends_s: float
    hold_s: float
    cut_s: float
    cut_by: str
    silent_s: float
    paused_s: float

    @property
    def right(self) -> bool:
        """Whether the agent did what it should: yield to an interruption, talk on through anything else."""
        if self.kind == "interruption":
            return -EARLY_S <= self.cut_s <= self.ends_s + LATEST_S
        return self.cut_s == math.inf


@dataclass(frozen=True, slots=True)
class Share:
    """How often, of how many."""

    right: int
    count: int

    @property
    def value(self) -> float:
        return self.right / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share is, with 95 % confidence: Wilson's interval (E. B. Wilson, JASA 22, 1927)."""
        if not self.count:
            return (0.0, 1.0)
        z = 1.96
        middle = self.value + z * z / (2 * self.count)
        spread = z * math.sqrt(self.value * (1 - self.value) / self.count + z * z / (4 * self.count**2))
        whole = 1 + z * z / self.count
        return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def share(results: Iterable[Result]) -> Share:
    """Return how often the agent did right."""
    rights = [result.right for result in results]
    return Share(sum(rights), len(rights))


def quantile(values: Iterable[float], at: float) -> float:
    """Return the value below which a share of all lies; not a number where there are none."""
    ordered = sorted(value for value in values if value < math.inf)
    return ordered[min(len(ordered) - 1, round(at * (len(ordered) - 1)))] if ordered else math.nan


def chosen(results: Sequence[Result], **facts: object) -> list[Result]:
    """Return the results of which all these facts are true; a tuple names alternatives."""

    def fits(result: Result) -> bool:
        values = ((getattr(result, name), wanted) for name, wanted in facts.items())
        return all(value in wanted if isinstance(wanted, tuple) else value == wanted for value, wanted in values)

    return [result for result in results if fits(result)]


# ------------------------------------------------------------------ tables


def percent(part: Share) -> str:
    """Write a share, and what it may be in truth."""
    low, high = part.interval
    return f"{100 * part.value:.0f} ({100 * low:.0f}–{100 * high:.0f})" if part.count else "–"


def table(rows: Iterable[Sequence[str]]) -> str:
    """Write rows as Markdown; the first is the head."""
    head, *body = rows
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def rates(results: Sequence[Result], conditions: Sequence[str], kinds: Sequence[str]) -> str:
    """Write how often each policy did right, in per cent with the interval of 95 % confidence."""
    rows: list[Sequence[str]] = [["policy, noise", *(f"{kind}" for kind in kinds)]]
    for policy in dict.fromkeys(result.policy for result in results):
        for condition in conditions:
            of = chosen(results, policy=policy, condition=condition)
            if of:
                rows.append([f"{policy}, {condition}", *(percent(share(chosen(of, kind=kind))) for kind in kinds)])
    return table(rows)


def times(results: Sequence[Result], conditions: Sequence[str]) -> str:
    """Write how long it took to hold, to be silent, and to give up the floor, for interruptions that were yielded to;
    and how long the agent paused where it should not have."""
    rows: list[Sequence[str]] = [
        [
            "policy, noise",
            "hold p50, ms",
            "p90",
            "held within 100 ms, %",
            "silent p50, ms",
            "p90",
            "cut p50, ms",
            "p90",
            "needless pause p50, ms",
        ]
    ]
    for policy in dict.fromkeys(result.policy for result in results):
        for condition in conditions:
            meant = [
                r
                for r in chosen(results, policy=policy, condition=condition, kind="interruption")
                if r.hold_s < math.inf
            ]
            yielded = [result for result in meant if result.right]
            other = [r for r in chosen(results, policy=policy, condition=condition) if r.kind != "interruption"]
            if meant:
                prompt = Share(sum(result.hold_s <= 0.1 for result in meant), len(meant))
                rows.append(
                    [
                        f"{policy}, {condition}",
                        *_ms(meant, lambda r: r.hold_s),
                        f"{100 * prompt.value:.0f}",
                        *_ms(yielded, lambda r: r.silent_s),
                        *_ms(yielded, lambda r: r.cut_s),
                        f"{1e3 * quantile([r.paused_s for r in other if r.paused_s], 0.5):.0f}",
                    ]
                )
    return table(rows)


def _ms(results: Sequence[Result], value: Callable[[Result], float]) -> list[str]:
    return [f"{1e3 * quantile(map(value, results), at):.0f}" for at in (0.5, 0.9)]
