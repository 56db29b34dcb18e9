"""Whoever corrects himself: of "at five, no, sorry, at six" only the end counts."""

from __future__ import annotations

import re
from typing import Final

_CORRECTS: Final = re.compile(
    r"(?:(?:^|(?<=[\s,.;!-]))"
    r"(?:no|sorry|wait|actually|i mean|i meant|rather|make it|make that|correction)\b[\s,.;!-]*)+",
    re.IGNORECASE,
)


def corrected(words: str) -> str:
    """Return what is left of an answer after the last word with which the caller took something back.

    All of it, when nothing follows that word, or nobody took anything back.
    """
    rest = _CORRECTS.split(words)[-1].strip()
    return rest if any(map(str.isalnum, rest)) else words
