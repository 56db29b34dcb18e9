"""Which signs of espeak's make up one phoneme: `ˈ`, `u` and `ː` are one long, stressed vowel."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

Sound: TypeAlias = tuple[str, int, int]
"""A phoneme, the place of its first sign, and the one after its last."""

_STRESS: Final = "ˈˌ"
"""Stands before the sound that it is about."""
_SHAPE: Final = "ːˑʲʰˤ"
"""Stands after it."""


def is_sound(sign: str) -> bool:
    """Return whether a sign sounds by itself; others shape a sound, or are silent."""
    return sign.isalpha() and sign not in _STRESS and sign not in _SHAPE


def sounds(signs: Sequence[str]) -> Iterator[Sound]:
    """Yield the phonemes, in order. Spaces and punctuation are none."""
    stress: int | None = None
    at = 0
    while at < len(signs):
        if signs[at] in _STRESS:
            stress = at if stress is None else stress
            at += 1
            continue
        if is_sound(signs[at]):
            first = at if stress is None else stress
            at += 1
            while at < len(signs) and (signs[at] in _SHAPE or unicodedata.combining(signs[at])):
                at += 1
            yield "".join(signs[first:at]), first, at
        else:
            at += 1
        stress = None
