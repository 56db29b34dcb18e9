"""Spelling: "S as in Sugar, A, double R, hyphen" and the alphabets of aviation and of the police."""

from __future__ import annotations

import re
from typing import Final

from .correction import corrected

_WORDS: Final = {
    word: word[0]
    for word in (
        "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar "
        "papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu adam boy david edward frank george "
        "henry ida john king lincoln mary nora ocean paul queen robert sam tom union young zebra sugar"
    ).split()
}
"""ICAO's spelling alphabet, and what people use besides."""
_NAMES: Final = {
    name: letter
    for letter, names in {
        "a": "ay",
        "b": "bee",
        "c": "cee sea see",
        "d": "dee",
        "e": "ee",
        "f": "ef eff",
        "g": "gee",
        "h": "aitch",
        "i": "eye",
        "j": "jay",
        "k": "kay",
        "l": "el ell",
        "m": "em",
        "n": "en",
        "o": "oh",
        "p": "pee",
        "q": "cue queue",
        "r": "are ar",
        "s": "ess",
        "t": "tee tea",
        "u": "you",
        "v": "vee",
        "x": "ex",
        "y": "why",
        "z": "zee zed",
        "-": "hyphen dash",
        "'": "apostrophe",
        " ": "space",
        ".": "dot",
    }.items()
    for name in names.split()
}
"""What recognisers write for single letters and signs."""
_TIMES: Final = {"double": 2, "triple": 3}


def spelled(words: str) -> str:
    """Return a word that was spelled, each part with a capital: "S A R A H" is "Sarah".

    A word that was said before it was spelled does not count: "Sarah, that's S A R A H".

    Raises:
        ValueError: fewer than two letters were spelled.
    """
    lower = re.sub(r"(?<=[a-z])['’][a-z]+", "", corrected(words).lower())
    as_in = re.sub(r"\b([a-z])[\s,]+(?:as in|like in|like|for)\s+[a-z]+", r"\1", lower)
    tokens = re.findall(r"[a-z]+", as_in.replace("double u", "w").replace("double you", "w").replace("x-ray", "xray"))
    runs, times = [""], 1
    for token in tokens:
        if token in _TIMES:
            times = _TIMES[token]
            continue
        letter = token if len(token) == 1 else _WORDS.get(token) or _NAMES.get(token, "")
        if letter:
            runs[-1] += letter * times
        elif runs[-1]:
            runs.append("")  # another word: what came before was a word too, such as "I"
        times = 1
    letters = max(runs, key=len)
    if sum(map(str.isalpha, letters)) < 2:
        raise ValueError("Please spell it for me, letter by letter.")
    return re.sub(r"[a-z]+", lambda part: part[0].capitalize(), letters)
