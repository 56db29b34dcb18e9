"""Which phonemes of a sentence belong to which word of the text.

espeak runs some words together ("for a"), speaks others as several ("7:30"), and says them otherwise within a sentence
than alone ("the", "a", "to"). So each token is pronounced alone, and the sentence is laid against the row of these, as
spelling checkers lay a word against another: with as few phonemes changed, left out or added as can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from ._sounds import is_sound

Span: TypeAlias = tuple[int, int]
"""The first phoneme of a token, and the one after its last; equal for a token that is not spoken."""

_VOWELS: Final = frozenset("aeiouyæøœɐɑɒɔəɚɛɜɝɪʊʌᵻ")
_PARTING: Final = frozenset(' .,;:!?-…"()')
"""What parts words, and is silence or nearly so."""
_CLOSE: Final = 20
"""How far the sentence may run ahead of its tokens, or behind, in phonemes."""

_SAME, _LIKE, _SKIP = 2, 0, -1
_NEVER: Final = -1_000_000


def match(tokens: Sequence[Sequence[str]], spoken: Sequence[str]) -> list[Span]:
    """Return the span in `spoken` of each token, in order and without overlap.

    `tokens` are pronounced alone, `spoken` is all of them in their sentences. What only shapes a sound or parts words
    (stress, length, punctuation) is passed over.
    """
    row = [(number, sound) for number, token in enumerate(tokens) for sound in [*filter(is_sound, token), " "]]
    heard = [(place, sound) for place, sound in enumerate(spoken) if is_sound(sound) or sound == " "]
    owners: dict[int, int] = {}
    for i, j in _pairs([sound for _, sound in row], [sound for _, sound in heard]):
        if heard[j][1] != " ":
            owners[heard[j][0]] = row[i][0]
    return _spans(len(tokens), spoken, owners)


def _likeness(a: str, b: str) -> int:
    if a == b:
        return _SAME
    if " " in (a, b):
        return _NEVER
    return _LIKE if (a in _VOWELS) == (b in _VOWELS) else _SKIP


def _pairs(row: Sequence[str], heard: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield which of `row` is which of `heard`, last first (Needleman and Wunsch, 1970, within a band)."""
    slope = len(heard) / max(1, len(row))
    best = [[_SKIP * j for j in range(len(heard) + 1)]]
    for i, sound in enumerate(row, 1):
        above, middle = best[-1], round(i * slope)
        line = [_NEVER] * (len(heard) + 1)
        line[0] = _SKIP * i
        for j in range(max(1, middle - _CLOSE), min(len(heard), middle + _CLOSE) + 1):
            line[j] = max(above[j - 1] + _likeness(sound, heard[j - 1]), above[j] + _SKIP, line[j - 1] + _SKIP)
        best.append(line)
    i, j = len(row), len(heard)
    while i and j:
        if best[i][j] == best[i - 1][j - 1] + _likeness(row[i - 1], heard[j - 1]):
            i, j = i - 1, j - 1
            yield i, j
        elif best[i][j] == best[i - 1][j] + _SKIP:
            i -= 1
        else:
            j -= 1


def _spans(count: int, spoken: Sequence[str], owners: dict[int, int]) -> list[Span]:
    """Round the phonemes that each token owns up to whole words, as far as its neighbours leave room."""
    first = dict(reversed([(owner, place) for place, owner in sorted(owners.items())]))
    last = {owner: place for place, owner in sorted(owners.items())}
    spans: list[Span] = []
    free = 0
    for token in range(count):
        if token not in first:
            spans.append((free, free))
            continue
        start, end = first[token], last[token] + 1
        while start > free and spoken[start - 1] not in _PARTING:
            start -= 1
        while end < len(spoken) and spoken[end] not in _PARTING and end not in owners:
            end += 1
        spans.append((start, end))
        free = end
    return spans
