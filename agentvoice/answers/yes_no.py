"""Yes or no."""

from __future__ import annotations

import re
from typing import Final

_YES: Final = re.compile(
    r"\b(?:yes|yeah|yep|yup|sure|right|correct|exactly|of course|please do|that's it|absolutely|definitely|fine|okay|ok"
    r"|go ahead|perfect)\b",
    re.IGNORECASE,
)
_NOT_SO: Final = re.compile(r"\b(?:not|isn't|don't)\b[^.,;]*\b(?:right|correct|okay|ok|fine|sure)\b", re.IGNORECASE)
_NO: Final = re.compile(
    r"\b(?:no|nope|nah|not|don't|isn't|never|wrong|incorrect|neither)\b",
    re.IGNORECASE,
)


def yes_or_no(words: str) -> bool:
    """Return whether the caller agrees. "That's not right" is a no, and "no, that's right" nothing of either.

    Raises:
        ValueError: it cannot be said.
    """
    straight = words.replace("’", "'")
    no, yes = _NO.search(straight), _YES.search(straight)
    if _NOT_SO.search(straight):
        return False
    if (no is None) is (yes is None):
        raise ValueError("Please say yes or no.")
    return yes is not None
