"""Which of the words that were spoken belong to which word of the text.

espeak runs some words together ("for a") and speaks others as several ("7:30"), so the two need not be equal in number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Span = tuple[int, int]
"""The first spoken word of a token, and the one after its last."""


def match(tokens: Sequence[str], spoken: int, count: Callable[[str], int]) -> Sequence[Span]:
    """Return which of `spoken` words each token of the text is; a token may share a word, or have none of its own.

    `count` tells how many words a token is when it is spoken alone; it is asked only where the numbers differ. Where
    even that does not explain them, words are shared out by the length of the tokens.
    """
    if len(tokens) == spoken:
        return [(number, number + 1) for number in range(spoken)]
    counts = [float(count(token)) for token in tokens]
    if sum(counts) != spoken:
        counts = [float(len(token)) for token in tokens]
    whole, at, spans = sum(counts) or 1.0, 0.0, []
    for size in counts:
        first = round(at / whole * spoken)
        at += size
        spans.append((min(first, spoken - 1), max(round(at / whole * spoken), min(first, spoken - 1) + 1)))
    return spans
