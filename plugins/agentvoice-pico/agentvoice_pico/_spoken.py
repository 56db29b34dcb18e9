"""What Pico is given to read for each token of a text.

It takes angle brackets for markup, names every stray sign ("dash", "asterisk"), and breaks over a word of some
hundred characters, or never comes back from it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 40
"""Characters in one word at the most; a longer one is read in several."""

_UNREAD: Final = re.compile(r"[\x00-\x1f\x7f<>\[\]{}()\\*_~^`|\"“”„«»…—–]+")
_STOP: Final = re.compile(r"[.!?…]+\W*$")
_PAUSE: Final = re.compile(r"(?:[,;:—–]|^-+$)\W*$")
_LONG: Final = re.compile(rf"\S{{{LONGEST}}}(?=\S)")


def spoken(token: str) -> str:
    """Return what to read: words, and at most one mark behind them. Empty or a mark when there is nothing to say."""
    end = "."[: bool(_STOP.search(token))] or ","[: bool(_PAUSE.search(token))]
    if "?" in token[-3:]:
        end = "?"
    core = _UNREAD.sub(" ", token).strip(" .,;:!?'‘’")
    if not any(character.isalnum() for character in core):
        return end
    return _LONG.sub(r"\g<0> ", " ".join(core.replace("’", "'").split())) + end


def joined(readings: Sequence[str]) -> str:
    """Return what to read for a sentence: often nothing. A mark by itself goes to what is before it."""
    text = ""
    for reading in readings:
        if len(reading) > 1 or reading.isalnum():
            text += f" {reading}" if text else reading
        elif reading and text and text[-1] not in ",.?":
            text += reading
    return text
