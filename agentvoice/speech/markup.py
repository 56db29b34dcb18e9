"""Markup in a transcript: honoured where a voice can, stripped where not, and never read aloud.

The tags are those of the protocol's sonic-3 family: `<speed ratio="1.5"/>` and `<volume ratio="0.5"/>` hold from
there on, `<break time="200ms"/>` is a silence, `<spell>A-1</spell>` is read letter by letter; `<emotion .../>` and
sounds such as `[laughter]` are dropped. Phonemes (`<<m|ɛ|t>>`) are words to these rules; `lexicon.py` reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

MAX_PAUSE_S: Final = 10.0
_FASTEST: Final = 2.0
_SLOWEST: Final = 0.5

SOUNDS: Final = re.compile(r"\[(?:laughter|laughs|sighs?|gasps?|coughs?|breath(?:es)?)\]", re.IGNORECASE)
"""What is no word: dropped."""
_TAG: Final = re.compile(
    r"<\s*speed\b[^<>]*?ratio\s*=\s*[\"']?(?P<speed>[\d.]+)[^<>]*>"
    r"|<\s*volume\b[^<>]*?ratio\s*=\s*[\"']?(?P<volume>[\d.]+)[^<>]*>"
    r"|<\s*break\b[^<>]*?time\s*=\s*[\"']?(?P<time>[\d.]+)\s*(?P<unit>ms|s)[^<>]*>"
    r"|<\s*spell\s*>(?P<spell>.*?)<\s*/\s*spell\s*>"
    r"|(?P<dropped></?\s*(?:speed|volume|emotion|break|spell|pause)\b[^<>]*>"
    rf"|{SOUNDS.pattern})",
    re.IGNORECASE | re.DOTALL,
)
_OPEN_TAG: Final = re.compile(
    r"<<?/?\s*[A-Za-z][^<>]{0,80}\Z|<<?/?\s*\Z|<\s*spell\s*>(?:(?!<\s*/\s*spell).){0,80}\Z", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How what follows is spoken."""

    speed: float = 1.0
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class Say:
    """Text to speak."""

    text: str
    manner: Manner
    written: str | None = None
    """What stands in the transcript when that is not `text`: one token, spelled out in `text`."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    seconds: float


def parse_markup(text: str, manner: Manner) -> tuple[list[Say | Pause], Manner]:
    """Return what to say, in order, and the manner in which the text after it goes on."""
    spans: list[Say | Pause] = []
    plain, at = "", 0

    def say() -> None:
        if plain.strip():
            spans.append(Say(plain, manner))

    for tag in _TAG.finditer(text):
        plain += text[at : tag.start()]
        at = tag.end()
        found = tag.groupdict()
        if found["dropped"]:
            continue
        say()
        plain = ""
        if found["speed"]:
            manner = replace(manner, speed=_ratio(found["speed"]))
        elif found["volume"]:
            manner = replace(manner, volume=_ratio(found["volume"]))
        elif found["time"]:
            seconds = _number(found["time"]) / (1000 if found["unit"].lower() == "ms" else 1)
            spans.append(Pause(min(MAX_PAUSE_S, seconds)))
        elif letters := [letter for letter in found["spell"] or "" if letter.isalnum()]:
            spans.append(Say(" ".join(letters), manner, "".join((found["spell"] or "").split())))
    plain += text[at:]
    say()
    return spans, manner


def strip_markup(text: str) -> str:
    """Return the text alone."""
    return " ".join(span.written or span.text for span in parse_markup(text, Manner())[0] if isinstance(span, Say))


def open_tag(text: str) -> int:
    """Return where a tag begins that has not ended yet, or the length of the text when none does."""
    found = _OPEN_TAG.search(text)
    return found.start() if found else len(text)


def _ratio(digits: str) -> float:
    return max(_SLOWEST, min(_FASTEST, _number(digits) or 1.0))


def _number(digits: str) -> float:
    try:
        return float(digits)
    except ValueError:  # "1.2.3"
        return 0.0
