"""What the caller's words say about whether more is to come: a table of words for each language, and no model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Sounds(StrEnum):
    """How the caller's words end."""

    FINISHED = "finished"
    """As a contribution does."""
    UNFINISHED = "unfinished"
    """In the middle of a sentence, of a number that is being dictated, or with an "um"."""
    ASKS_FOR_TIME = "asks for time"
    """With "hold on" and its like: the caller is busy, and will speak again."""


_PLEASE: Final = r"(?:[\s,]+(?:please|bitte|s'il vous plaît|por favor|per favore|alstublieft))?"


class _Words:
    """How people go on in one language. Phrases are separated by commas."""

    def __init__(self, leading: str, asking: str) -> None:
        self.leading = re.compile(_ending_in(leading, ".,…!-"), re.IGNORECASE)
        self.asking = re.compile(_ending_in(asking, ".,…!?-"), re.IGNORECASE)


def _ending_in(phrases: str, marks: str) -> str:
    """Return a pattern of texts that end in one of the phrases, and then perhaps in some of these marks."""
    longest_first = sorted((each.strip() for each in phrases.split(",")), key=len, reverse=True)
    return rf"(?:^|[\s,.…!?-])(?:{'|'.join(map(re.escape, longest_first))}){_PLEASE}[\s{marks}]*$"


_HESITATION: Final = "um, umm, uh, uhh, uhm, er, erm, hmm"

LANGUAGES: Final[Mapping[str, _Words]] = {
    "en": _Words(
        f"{_HESITATION}, and, or, but, to, the, a, an, of, for, with, at, is, my, your, because, if, "
        "from, i, i'm, i'd, i'll, i'd like, i want, i need, it's, that's, like, you know, i mean, number is, name is",
        "hold on, hold on a second, hold on a minute, hang on, hang on a second, wait a second, wait a minute, "
        "one second, one moment, one sec, just a second, just a moment, just a minute, give me a second, "
        "give me a moment, give me a minute, let me see, let me check, let me think, let me look, let me have a look, "
        "bear with me",
    ),
    "de": _Words(
        "äh, ähm, öh, hm, und, oder, aber, also, weil, dass, der, die, das, den, dem, ein, eine, einen, mit, für, von, "
        "zu, zum, zur, im, in, am, an, auf, ist, mein, meine, ich, ich möchte, ich hätte gern, wenn",
        "moment, einen moment, moment mal, einen augenblick, sekunde, eine sekunde, warten sie, warte kurz, "
        "ich schau mal, ich schaue mal, lassen sie mich sehen, mal sehen",
    ),
    "fr": _Words(
        "euh, heu, hum, et, ou, mais, donc, parce que, que, le, la, les, un, une, des, du, de, avec, pour, à, au, en, "
        "est, c'est, mon, ma, mes, je, je voudrais, si",
        "un instant, un moment, attendez, attends, une seconde, ne quittez pas, je regarde, laissez-moi voir, voyons",
    ),
    "es": _Words(
        "eh, em, este, y, o, pero, porque, que, el, la, los, las, un, una, de, del, con, para, por, a, al, en, es, mi, "
        "mis, yo, quiero, quisiera, si",
        "un momento, un segundo, espera, espere, espérame, a ver, déjame ver, déjeme ver, ahora miro",
    ),
    "it": _Words(
        "ehm, eh, e, o, ma, perché, che, il, lo, la, i, gli, le, un, una, di, del, della, con, per, a, al, in, è, mio, "
        "mia, io, vorrei, se",
        "un attimo, un momento, un secondo, aspetti, aspetta, vediamo, mi faccia vedere, fammi vedere",
    ),
    "nl": _Words(
        "eh, uh, uhm, en, of, maar, dus, omdat, dat, de, het, een, met, voor, van, naar, in, op, is, mijn, ik, "
        "ik wil graag, als",
        "een moment, een ogenblik, momentje, ogenblikje, wacht even, even kijken, seconde, secondje",
    ),
    "pt": _Words(
        "é, hum, ahn, e, ou, mas, porque, que, o, a, os, as, um, uma, de, do, da, com, para, por, em, no, na, meu, "
        "minha, eu, queria, se",
        "um momento, um instante, um segundo, espera, espere, deixa eu ver, deixe-me ver, só um minuto",
    ),
}
"""By language code. What is in none of them is judged by its punctuation and its digits."""

_TRAILING: Final = re.compile(r"(?:,|\.\.\.|…|-)\s*$")
_DIGIT: Final = re.compile(
    r"(?:\d+|zero|oh?|one|two|three|four|five|six|seven|eight|nine|double|triple|null|eins|zwei|zwo|drei|vier|fünf|"
    r"sechs|sieben|acht|neun)[\s,.-]*",
    re.IGNORECASE,
)
_TOKENS: Final = re.compile(r"(?:\d[\d.:]*\d|[^\s,.-]+)[\s,.-]*")
WHOLE: Final = frozenset({10, 11, 16})
"""So many digits are a telephone number or that of a card; with any other number of them more may come."""


def sounds(text: str, language: str = "en") -> Sounds:
    """Return how `text` ends, in the language of that code (`en`, or `en-GB`)."""
    words = LANGUAGES.get(language.split("-", maxsplit=1)[0].lower())
    if words and words.asking.search(text):
        return Sounds.ASKS_FOR_TIME
    if _TRAILING.search(text) or (words and words.leading.search(text)) or _dictates(text):
        return Sounds.UNFINISHED
    return Sounds.FINISHED


def _dictates(text: str) -> bool:
    """Whether the text ends in digits said group by group, of which more may come.

    One group alone is a price, a year or a time of day.
    """
    groups: list[str] = []
    for token in reversed(_TOKENS.findall(text)):
        if not _DIGIT.fullmatch(token):
            break
        groups.append(token)
    digits = sum(len(re.sub(r"\D", "", group)) or 1 for group in groups)
    return len(groups) > 1 and digits > 2 and digits not in WHOLE
