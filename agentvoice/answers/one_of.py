"""One of a few."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from .correction import corrected


def one_of(*choices: str) -> Callable[[str], str]:
    """Return what understands one of `choices`, also where a recogniser wrote it a little differently."""
    by_words = {choice.lower(): choice for choice in choices}

    def understand(words: str) -> str:
        said = " ".join(re.findall(r"[\w'-]+", corrected(words).lower()))
        named = [(said.rfind(choice), choice) for choice in by_words if re.search(rf"\b{re.escape(choice)}\b", said)]
        if named:
            return by_words[max(named)[1]]
        for word in reversed(said.split()):
            if near := get_close_matches(word, list(by_words), n=1, cutoff=0.75):
                return by_words[near[0]]
        *most, last = choices
        raise ValueError(f"You can say {', '.join(most)} or {last}." if most else f"You can say {last}.")

    return understand
