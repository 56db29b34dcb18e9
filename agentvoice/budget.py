"""A budget for the history: how much of it a language model is shown, and what is left out first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final


def count_roughly(text: str) -> int:
    """Return about how many tokens a text has: one for every four characters, as in English."""
    return (len(text) + 3) // 4


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a language model is shown.

    When there is more than `max_tokens`, the oldest tool results are left out first, then the oldest words, then the
    oldest facts, until `keep` of the budget is left: not a little before every turn, which would cost the provider's
    prompt cache each time. The instructions stay, and what the caller said last.
    """

    max_tokens: int = 16_000
    keep: float = 0.75
    """How much of `max_tokens` is left when something has to go."""
    summarise: bool = False
    """Have the model summarise the older half beforehand, when `keep` of the budget is reached."""
    count: Callable[[str], int] = count_roughly
    """Returns how many tokens a text has."""


GENEROUS: Final = Budget()
"""What is right for most calls: more than an hour of talk."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """An entry of the history, as the budget sees it."""

    index: int
    role: str
    tokens: int
    needed: bool = False
    """Whether it has to stay, whatever the budget says."""


LEAVE_OUT: Final = ("tool", "speech", "system")
"""What goes first; the oldest of it first."""


def fit(entries: Sequence[Weighed], budget: Budget, *, fixed: int) -> set[int]:
    """Return which entries are to be left out. `fixed` is how many tokens there are besides them."""
    total = fixed + sum(entry.tokens for entry in entries)
    left_out: set[int] = set()
    if total <= budget.max_tokens:
        return left_out
    for entry in sorted(entries, key=_rank):  # stable: the oldest first
        if total <= budget.max_tokens * budget.keep:
            break
        if not entry.needed:
            left_out.add(entry.index)
            total -= entry.tokens
    return left_out


def _rank(entry: Weighed) -> int:
    return LEAVE_OUT.index(entry.role if entry.role in LEAVE_OUT else "speech")
