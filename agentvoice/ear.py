"""Text for the ear: numbers, money, times, dates and abbreviations as a person would say them.

Voices do some of this by themselves, each in its own way: an agent has it off unless it says `ear = Ear("en")`. What is
heard, and with it the history, has the words then. Numbers are put into words by num2words (extra `ear`).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, TypeAlias

from .errors import UsageError
from .llm import closing

_CURRENCIES: Final = {"$": "USD", "€": "EUR", "£": "GBP"}
_MONTHS: Final = "January February March April May June July August September October November December".split()
_SHORT: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "Dr.": "Doctor",
        "Mr.": "Mister",
        "Mrs.": "Missus",
        "Prof.": "Professor",
        "e.g.": "for example",
        "i.e.": "that is",
        "etc.": "and so on",
        "approx.": "approximately",
        "vs.": "versus",
        "&": "and",
        "a.m.": "A M",
        "p.m.": "P M",
        "%": "percent",
        "km/h": "kilometres an hour",
        "mph": "miles an hour",
        "km": "kilometres",
        "kg": "kilograms",
        "°C": "degrees Celsius",
        "°F": "degrees Fahrenheit",
    },
    "de": {
        "Dr.": "Doktor",
        "Prof.": "Professor",
        "z.B.": "zum Beispiel",
        "d.h.": "das heißt",
        "usw.": "und so weiter",
        "ca.": "circa",
        "Nr.": "Nummer",
        "&": "und",
        "%": "Prozent",
        "km/h": "Kilometer pro Stunde",
        "km": "Kilometer",
        "kg": "Kilogramm",
        "°C": "Grad Celsius",
    },
    "fr": {
        "M.": "Monsieur",
        "Mme": "Madame",
        "p.ex.": "par exemple",
        "etc.": "et cetera",
        "n°": "numéro",
        "&": "et",
        "%": "pour cent",
        "km/h": "kilomètres à l'heure",
        "km": "kilomètres",
        "kg": "kilogrammes",
        "°C": "degrés Celsius",
    },
    "es": {
        "Sr.": "Señor",
        "Sra.": "Señora",
        "p.ej.": "por ejemplo",
        "etc.": "etcétera",
        "n.º": "número",
        "&": "y",
        "%": "por ciento",
        "km/h": "kilómetros por hora",
        "km": "kilómetros",
        "kg": "kilogramos",
        "°C": "grados Celsius",
    },
}
"""What is written short, and said in full. For other languages there is the lexicon."""
_HOURS: Final = {"de": "{} Uhr {}", "fr": "{} heures {}", "es": "{} y {}"}
_MOST_HELD: Final = 6
"""So many words with digits at the end of a text wait for what follows."""

_Rule: TypeAlias = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


@dataclass(frozen=True)
class Ear:
    """How text is put into words in one language. Calls share it."""

    language: str = "en"
    """A language code. num2words knows some fifty; abbreviations are known for en, de, fr and es."""
    lexicon: Mapping[str, str] = field(default_factory=dict)
    """Words of one's own, and what is said for them: `{"SQL": "sequel", "Nguyen": "win"}`. Case counts."""

    def words(self, text: str) -> str:
        """Return a whole text as it is said.

        Raises:
            UsageError: num2words is not installed, or does not know the language.
        """

        def in_full(found: re.Match[str]) -> str:
            space = " " if text[: found.start()][-1:].isdigit() else ""  # 12% is two words
            return space + self._in_full[found[0]]

        text = self._short.sub(in_full, text)
        for pattern, say in _rules(self.language):
            text = pattern.sub(say, text)
        return text

    async def stream(self, tokens: AsyncIterator[str]) -> AsyncIterator[str]:
        """Say a stream of text as it comes. The last word waits for its end, and a number for what follows it.

        Text of a class of its own, such as what is `Protected`, stays of that class.
        """
        held: str = ""
        async with closing(tokens) as opened:
            async for token in opened:
                if type(token) is not type(held) and held:
                    yield type(held)(self.words(held))
                    held = ""
                held = type(token)(held + token)
                if certain := _certain(held):
                    yield type(held)(self.words(held[:certain]))
                    held = type(held)(held[certain:])
        if held:
            yield type(held)(self.words(held))

    @cached_property
    def _in_full(self) -> Mapping[str, str]:
        return {**_SHORT.get(self.language[:2], {}), **self.lexicon}

    @cached_property
    def _short(self) -> re.Pattern[str]:
        longest_first = sorted(map(re.escape, self._in_full), key=len, reverse=True)
        return re.compile(rf"(?<![^\W\d])(?:{'|'.join(longest_first) or '(?!)'})(?!\w)")


def _certain(text: str) -> int:
    """Return how many characters of a text that goes on are said the same whatever follows."""
    end = max(text.rfind(" "), text.rfind("\n")) + 1
    for _ in range(_MOST_HELD):
        words = text[:end].split()
        if not words or words[-1][-1] in ".!?" or not (re.search(r"[\d$€£]", words[-1]) or words[-1] in _MONTHS):
            return end
        end = text.rindex(words[-1], 0, end)
    return end


# ------------------------------------------------------------------ the rules of a language


@lru_cache
def _rules(language: str) -> Sequence[_Rule]:
    """Return what is put into words, in this order. Decimal points are as the language writes them."""
    say = _Numbers(language)
    english = language[:2] == "en"
    thousands, point = (",", ".") if english or language[:2] in {"ja", "zh", "ko", "th", "he"} else (".", ",")
    whole = rf"\d{{1,3}}(?:\{thousands}\d{{3}})+|\d+"
    number = rf"(?:{whole})(?:\{point}\d+)?"
    rules: list[tuple[str, Callable[[re.Match[str]], str]]] = [
        (rf"([$€£])\s?({number})(\s(?:thousand|million|billion|Millionen|millions|millones))?", say.money),
        (rf"()({number})\s?([$€£])", say.money_after),
        (r"(?<![\d.:])([01]?\d|2[0-3]):([0-5]\d)(?![\d:])", say.time),
        (r"(?<!\d)(?!\d{4}-\d\d-\d\d\b)\+?\d[\d()]*(?:[ -][\d()]+){2,}|\+\d{7,}", say.digits),
    ]
    if english:
        rules += [
            (r"\b(\d{4})-(\d\d)-(\d\d)\b", say.day),
            (rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}})(?:st|nd|rd|th)?\b", say.month_day),
            (r"\b(\d+)(?:st|nd|rd|th)\b", say.ordinal),
            (r"\b(19\d\d|20[1-9]\d)(?![\d.,:%]\d)\b", say.year),
        ]
    rules += [(r"\b(?:0\d+|\d{7,})\b", say.digits), (rf"(?<![\w-])-?{number}(?![\w])", say.number)]
    return [(re.compile(pattern), rule) for pattern, rule in rules]


class _Numbers:
    """Numbers in one language."""

    def __init__(self, language: str) -> None:
        try:
            from num2words import num2words  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise UsageError("num2words is not installed; try: pip install 'agentvoice[ear]'") from error
        self._language = language
        self._words: Callable[..., Any] = num2words
        self._point = "." if language[:2] in {"en", "ja", "zh", "ko", "th", "he"} else ","
        try:
            self._say(1)
        except NotImplementedError as error:
            raise UsageError(f"num2words does not know the language '{language}'; leave `ear` out for it") from error

    def _say(self, value: float, **how: Any) -> str:
        return str(self._words(value, lang=self._language, **how)).replace("-", " ").replace(" sterling", "")

    def _value(self, written: str) -> float:
        plain = written.replace("," if self._point == "." else ".", "").replace(self._point, ".")
        return float(plain) if "." in plain else int(plain)

    def number(self, found: re.Match[str]) -> str:
        """Say 1,234.5."""
        return self._say(self._value(found[0]))

    def money(self, found: re.Match[str]) -> str:
        """Say $4.50, and $4 million."""
        sign, amount, times = found.groups()
        value = self._value(amount)
        if times:
            unit = self._say(2, to="currency", currency=_CURRENCIES[sign]).split(",")[0].split()[-1]
            return f"{self._say(value)}{times} {unit}"
        said = self._say(float(value), to="currency", currency=_CURRENCIES[sign])
        return said if value % 1 else re.split(r",| und | et | con | y ", said)[0]

    def money_after(self, found: re.Match[str]) -> str:
        """Say 4,50 €."""
        _, amount, sign = found.groups()
        said = self._say(float(self._value(amount)), to="currency", currency=_CURRENCIES[sign])
        return said if self._value(amount) % 1 else re.split(r",| und | et | con | y ", said)[0]

    def time(self, found: re.Match[str]) -> str:
        """Say 7:30."""
        hour, minute = int(found[1]), int(found[2])
        if template := _HOURS.get(self._language[:2]):
            return template.format(self._say(hour), self._say(minute) if minute else "").strip().removesuffix(" y")
        if not minute:
            return f"{self._say(hour)} o'clock" if self._language[:2] == "en" else self._say(hour)
        zero = "oh " if minute < 10 else ""
        return f"{self._say(hour)} {zero}{self._say(minute)}"

    def digits(self, found: re.Match[str]) -> str:
        """Say a telephone number, or a code, digit by digit, with a pause between its groups."""
        groups = [re.sub(r"\D", "", group) for group in re.split(r"[ -]", found[0])]
        said = [" ".join(self._say(int(digit)) for digit in group) for group in groups if group]
        return ("plus " if found[0].startswith("+") else "") + ", ".join(said)

    def day(self, found: re.Match[str]) -> str:
        """Say 2026-12-05."""
        year, month, day = (int(part) for part in found.groups())
        if not 1 <= month <= 12:
            return found[0]
        return f"{_MONTHS[month - 1]} {self._say(day, to='ordinal')}, {self._say(year, to='year')}"

    def month_day(self, found: re.Match[str]) -> str:
        """Say December 5."""
        return f"{found[1]} {self._say(int(found[2]), to='ordinal')}"

    def ordinal(self, found: re.Match[str]) -> str:
        """Say 3rd."""
        return self._say(int(found[1]), to="ordinal")

    def year(self, found: re.Match[str]) -> str:
        """Say 2026."""
        return self._say(int(found[1]), to="year")
