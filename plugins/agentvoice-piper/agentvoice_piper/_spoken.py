"""What espeak is given to read where it would read what is written wrongly, or take it for the end of a sentence."""

from __future__ import annotations

import re
from typing import Final

_ABBREVIATIONS: Final = {
    "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "prof": "professor", "vs": "versus",
    "approx": "approximately", "e.g": "for example", "i.e": "that is",
}  # fmt: skip
_CURRENCIES: Final = {"$": "dollar", "€": "euro", "£": "pound"}

_ABBREVIATION: Final = re.compile(rf"({'|'.join(map(re.escape, _ABBREVIATIONS))})\.", re.IGNORECASE)
_MONEY: Final = re.compile(r"([$€£])(\d[\d,]*)(?:\.(\d\d))?")
_DIGITS: Final = re.compile(r"\d{3}(-\d{3})?-\d{4}")


def spoken(token: str) -> str:
    """Return what to read for one token of the text; punctuation around it stays."""
    lead, core, trail = _parts(token)
    if _DIGITS.fullmatch(core):
        core = ", ".join(" ".join(group) for group in core.split("-"))
    elif found := _MONEY.fullmatch(core):
        sign, whole, cents = found.groups()
        plural = "" if whole == "1" else "s"
        core = f"{whole} {_CURRENCIES[sign]}{plural}" + (f" {int(cents)}" if cents and int(cents) else "")
    elif found := _ABBREVIATION.fullmatch(core + trail[:1]):
        core, trail = _ABBREVIATIONS[found[1].lower()], trail[1:]
    return lead + core + trail


def _parts(token: str) -> tuple[str, str, str]:
    """Part a token from the punctuation before and after it."""
    lead = len(token) - len(token.lstrip("\"'“‘([{"))
    core = token[lead:].rstrip(".,;:!?…\"'”’)]}")
    return token[:lead], core, token[lead + len(core) :]
