"""A decoder that has lost the thread says the same over and over. Find that, and keep it once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_TIMES: Final = {1: 6, 2: 5, 3: 4} | dict.fromkeys(range(4, 13), 3)
"""How often so many tokens in a row are said again before nobody would: "no no no" and "zero zero zero" are speech."""


def is_looping(tokens: Sequence[int]) -> bool:
    """Return whether the last tokens repeat what came just before them, and before that."""
    return _loop(tokens) > 0


def without_loop(tokens: list[int]) -> list[int]:
    """Return the tokens with the loop at their end, if there is one, run through once."""
    length = _loop(tokens)
    if not length:
        return tokens
    phrase, end = tokens[-length:], len(tokens)
    while tokens[max(0, end - length) : end] == phrase:
        end -= length
    return tokens[:end] + phrase


def _loop(tokens: Sequence[int]) -> int:
    """Return how many tokens the phrase has that repeats at the end; 0 if there is none."""
    for length, times in _TIMES.items():
        tail = tokens[-length * times :]
        if len(tail) == length * times and tail[length:] == tail[:-length]:
            return length
    return 0
