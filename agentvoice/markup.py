"""Markup for the voice amid the words: what a provider understands, and where it stands in a piece of text.

Words and markup travel apart. Pieces are cut, heard text is found and words are timed by the words alone; the markup is
put back where a piece goes out to the provider (`Piece.wire`), and taken out of the words that come back (`WordTimes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self, TypeAlias

Timed: TypeAlias = tuple[str, float, float]
"""A word, its start and its end in seconds."""


@dataclass(frozen=True, slots=True)
class Markup:
    """What a provider understands besides words. What is not named here is left out, or read as text."""

    points: frozenset[str] = frozenset()
    """Names of elements that stand at a point: `<break time="1s"/>`."""
    lasting: frozenset[str] = frozenset()
    """Names of elements that hold from there on: `<speed ratio="1.2"/>`."""
    spans: frozenset[str] = frozenset()
    """Names of elements with words in them: `<spell>AB-1</spell>`."""
    sounds: frozenset[str] = frozenset()
    """Sounds in brackets: `[laughter]`."""
    phonemes: bool = False
    """Whether a word may be given by its sounds: `<<m|ɛ|t>>`."""

    def words(self, text: str) -> str:
        """Return what goes out to the provider without the markup."""
        return _pattern(self).sub(lambda found: (found["phonemes"] or "").replace("|", ""), text)


NO_MARKUP: Final = Markup()


@lru_cache
def _pattern(markup: Markup) -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, markup.points | markup.lasting | markup.spans))) or "(?!)"
    sounds = "|".join(sorted(map(re.escape, markup.sounds))) or "(?!)"
    phonemes = r"[^<>\s]+" if markup.phonemes else "(?!)"
    return re.compile(rf"</?(?:{names})\b[^<>]*>|\[(?:{sounds})\]|<<(?P<phonemes>{phonemes})>>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Insert:
    """What the provider is sent in place of some words, or (where `start` is `end`) between two."""

    start: int
    """Characters of the text before it."""
    end: int
    wire: str
    lasts: str = ""
    """The name of what holds from there on."""


class Piece(str):
    """A piece of text to speak: the words alone, and beside them their markup."""

    __slots__ = ("inserts",)

    inserts: Sequence[Insert]
    """In their order, none of them over the edge."""

    def __new__(cls, words: str, inserts: Sequence[Insert] = ()) -> Self:
        """Make a piece of `words`."""
        piece = super().__new__(cls, words)
        piece.inserts = inserts
        return piece

    def wire(self, start: int = 0) -> str:
        """Return what the provider is sent, from character `start` of the words on."""
        out = ""
        for insert in self.inserts:
            if insert.start >= start:
                out += self[start : insert.start] + insert.wire
                start = insert.end
        return out + self[start:]


def resume(pieces: Iterable[Piece], start: int) -> str:
    """Return what a new context is sent to go on at character `start` of all pieces: what holds there, and the rest."""
    holds: dict[str, str] = {}
    rest = ""
    for piece in pieces:
        holds |= {insert.lasts: insert.wire for insert in piece.inserts if insert.lasts and insert.start < start}
        if start < len(piece):
            rest += piece.wire(max(0, start))
        start -= len(piece)
    return "".join(holds.values()) + rest


class WordTimes:
    """The word times of one context, without the markup that some providers echo among the words."""

    def __init__(self, markup: Markup) -> None:
        self._markup = markup
        self._open = ""  # the beginning of a tag that has blanks in it, and so comes as several words

    def of(self, words: tuple[Timed, ...]) -> tuple[Timed, ...]:
        """Return the words that are spoken."""
        if not self._open and not any("<" in word or "[" in word for word, _, _ in words):
            return words
        return tuple(timed for timed in self._spoken(words) if timed[0])

    def _spoken(self, words: tuple[Timed, ...]) -> Iterator[Timed]:
        for word, start, end in words:
            text = self._markup.words(self._open + word)
            begins = text.rfind("<")
            whole = begins < 0 or not _pattern(self._markup).fullmatch(text[begins:] + ">")
            self._open = "" if whole else text[begins:] + " "
            yield text if whole else text[:begins], start, end
