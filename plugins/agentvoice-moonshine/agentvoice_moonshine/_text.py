"""What the model writes, as people write it."""

from __future__ import annotations

import re
from typing import Final

from ._model import Understood

DOUBTFUL: Final = 0.4
"""Confidence below which the text is made up: of coughs, clicks and noise."""
_LATIN: Final = re.compile(r"[A-Za-z0-9]")
_OLD: Final = (
    (re.compile(r"\b([Tt])o-(day|night|morrow)\b"), r"\1o\2"),
    (re.compile(r"\b([Gg])ood-bye\b"), r"\1oodbye"),
    (re.compile(r"\b([Gg])ood-(morning|afternoon|evening|night|day)\b"), r"\1ood \2"),
    (re.compile(r"\bOk\b"), "Okay"),
    (re.compile(r"\bok\b"), "okay"),
)
_SENTENCE: Final = re.compile(r"(?<=[.?!] )[a-z]")


def modern(text: str) -> str:
    """Return `text` without the spellings of the old books that the model was taught with."""
    for old, new in _OLD:
        text = old.sub(new, text)
    return _SENTENCE.sub(lambda letter: letter[0].upper(), text)


def plausible(understood: Understood) -> bool:
    """Return whether somebody said it, and in English."""
    return understood.confidence >= DOUBTFUL and _LATIN.search(understood.text) is not None
