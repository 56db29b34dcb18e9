"""Echo of the agent's own words: a transcript that repeats what is being played is not the caller.

A telephone without a good echo canceller sends back what it plays, and a recogniser writes it down, with its mistakes.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from .listening import Phrase, tokens

FEWEST_WORDS: Final = 3
"""Fewer words prove nothing: callers repeat a name or a time to make sure."""
LIKENESS: Final = 0.7
"""The share of the words that have to be the agent's, in its order."""
_SAME: Final = 0.75
"""How alike two words are that a recogniser took for each other."""


def is_echo(heard: str, playing: str) -> bool:
    """Whether `heard`, which a recogniser made of the caller's line, is what the agent was just heard to say.

    `playing` is the text around what is being played. The words have to stand in it in the same order.
    """
    said, own = tokens(heard), tokens(playing)
    if len(said) < FEWEST_WORDS or not own:
        return False
    return any(_follows(said, own[start:]) >= LIKENESS * len(said) for start in range(len(own)))


def _follows(said: Phrase, own: Phrase) -> int:
    """Return how many of the words stand in `own` one after the other, from its beginning, with few others between."""
    found = at = 0
    for word in said:
        place = next((n for n in range(at, min(len(own), at + FEWEST_WORDS)) if _alike(word, own[n])), None)
        if place is not None:
            found, at = found + 1, place + 1
    return found


@lru_cache(maxsize=4096)
def _alike(one: str, other: str) -> bool:
    return one == other or SequenceMatcher(None, one, other, autojunk=False).ratio() >= _SAME
