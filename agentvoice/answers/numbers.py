"""Numbers: how many, and the digits of a telephone number. Words become digits by text2num."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from agentvoice.errors import UsageError

from .correction import corrected

_TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
_DIGITS: Final = {word: digit for digit, word in enumerate("zero one two three four five six seven eight nine".split())}
_ZEROS: Final = frozenset({"oh", "o", "nought", "null"})


def in_digits(words: str) -> str:
    """Return words with the numbers among them as digits: "twenty one people" as "21 people"."""
    try:
        from text_to_num import alpha2digit  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError("text2num is not installed; try: pip install 'agentvoice[answers]'") from error
    return str(alpha2digit(words, "en"))


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return what understands a number from `least` to `most`. Of several the last counts, if one corrects another."""

    def understand(words: str) -> int:
        found = [int(digits) for digits in re.findall(r"\d+", in_digits(corrected(words)))]
        fitting = [number for number in found if least <= number <= most]
        if not fitting:
            raise ValueError(f"I need a number from {least} to {most}.")
        return fitting[-1]

    return understand


def phone_number(words: str) -> str:
    """Return the digits of a telephone number, with a plus where one was said: "+15550100".

    It understands single digits and groups, "oh", "double five", "plus".

    Raises:
        ValueError: these are not seven to fifteen digits (ITU-T E.164 has fifteen at the most).
    """
    times, number = 1, ""
    for token in re.findall(r"\d+|[a-z]+|\+", in_digits(_single(corrected(words).lower()))):
        if token in _TIMES:
            times = _TIMES[token]
            continue
        if token.isdigit():
            number += token[0] * (times - 1) + token
        elif token in _ZEROS:
            number += "0" * times
        elif token in {"+", "plus"} and not number:
            number = "+"
        times = 1
    if not 7 <= len(number.lstrip("+")) <= 15:
        raise ValueError("I need the whole number, digit by digit.")
    return number


def spaced(number: str) -> str:
    """Return a number as it is read back: in groups of three digits, one after the other."""
    digits = number.lstrip("+")
    groups = [" ".join(digits[at : at + 3]) for at in range(0, len(digits), 3)]
    return ("plus " if number.startswith("+") else "") + ", ".join(groups)


def _single(words: str) -> str:
    """Write digits that were said one by one as such; text2num leaves a lone "one", which may be a pronoun."""
    return re.sub(r"[a-z]+", lambda word: f"{_DIGITS[word[0]]}," if word[0] in _DIGITS else word[0], words)
