"""From a model's tokens to pieces of text that a voice can speak, without waiting longer than it must.

A voice that gets whole sentences sounds better; one that gets the first words at once sounds sooner. So the first
piece is a few words long, and later ones end where a person would draw breath. A model writes several times faster
than a voice speaks: within the first sentence each piece may be twice as long as the one before, and the line does
not run dry in between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from .markup import NO_MARKUP, Insert, Markup, Piece
from .speakable import OPENERS, Speakable, is_spoken

FIRST_WORDS: Final = 4
"""The first piece ends after so many words; two earlier where a clause ends there."""
MOST_WORDS: Final = 8
"""A piece that would need more words than this waits for the end of its sentence."""
LONGEST: Final = 240
"""Characters of one sentence after which its pieces end at clauses, or at words if they must."""

_SPACED_ENDS: Final = frozenset(".!?…؟۔।॥։።។။")
"""What ends a sentence when white space follows: Latin, Arabic, Urdu, Hindi, Armenian, Amharic, Khmer, Burmese."""
_CJK_ENDS: Final = frozenset("。！？｡")
"""What ends a sentence whether or not anything follows."""
_CLAUSE_ENDS: Final = frozenset(",;:—–،؛，、；：")
_CJK_CLAUSE_ENDS: Final = frozenset("，、；：")
_ALL_CLOSERS: Final = "\"'”’»)]}」』）】》"
_CLOSERS: Final = frozenset(_ALL_CLOSERS)
_BETWEEN_WORDS: Final = re.compile(r"[\W_]")
_NEVER_LAST: Final = frozenset(
    "dr mr mrs ms mx prof rev hon gen col capt lt sgt st mt ft vs viz cf e.g i.e eg ie approx dept fig figs vol ca "
    "messrs mme mlle z.b d.h bzw ggf u.a nr sr sra dra ud uds p.ej av".split()
)
"""Abbreviations with more of the sentence behind them, as good as always. Without the last full stop."""
_SELDOM_LAST: Final = frozenset(
    "etc a.m p.m am pm inc ltd co corp no nos jr ave blvd rd u.s u.k u.n e.u d.c ph.d b.a m.a min max tel ext est "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun usw al".split()
)
"""Abbreviations that end a sentence only when the next word looks like the beginning of one."""


class Pieces:
    """Split a stream of text into pieces to speak. Joined, they are exactly `speakable(text)`.

    No piece is empty, or punctuation alone: providers refuse such a first piece, and stumble over a later one.
    """

    def __init__(self, markup: Markup = NO_MARKUP) -> None:
        """Prepare to split; the pieces carry what `markup` names."""
        self._speakable = Speakable(markup)
        self._text = ""  # not handed over yet
        self._before = 0  # characters that were
        self._scanned = 0  # how much of it holds no place to split
        self._words = 0  # how many words have been scanned
        self._wanted = FIRST_WORDS  # words that make a piece in mid-sentence

    @property
    def length(self) -> int:
        """How many characters of text there are so far, handed over or not."""
        return self._before + len(self._text)

    def feed(self, text: str) -> list[Piece]:
        """Take more text, split anywhere; return the pieces that it completes."""
        self._text += self._speakable.feed(text)
        return self._split()

    def flush(self) -> list[Piece]:
        """Return what can be spoken by now, up to the last whole word: the text pauses, perhaps in mid-sentence."""
        text = self._text
        end = len(text) if _is_whole(text) else _last_space(text) + 1
        end = self._whole(end)
        return self._cut(end) if any(map(is_spoken, text[:end])) else []

    def finish(self) -> list[Piece]:
        """Return the rest. Feed no more."""
        self._text += self._speakable.finish()
        pieces = self._split()
        # After a flush, an ellipsis may be all that is left of a sentence. It has no sound.
        return pieces + (self._cut(len(self._text), last=True) if any(map(is_spoken, self._text)) else [])

    def _cut(self, end: int, *, last: bool = False) -> list[Piece]:
        words, self._text = self._text[:end], self._text[end:]
        self._scanned, self._words, self._wanted = 0, 0, 2 * self._wanted
        inserts = self._inserts_before(self._before + end + last)
        self._before += end
        return [Piece(words, inserts)]

    def _inserts_before(self, end: int) -> Sequence[Insert]:
        """Take the markup of the next piece, placed within it."""
        everything = self._speakable.inserts
        mine = [insert for insert in everything if insert.start < end]
        del everything[: len(mine)]
        return tuple(replace(each, start=each.start - self._before, end=each.end - self._before) for each in mine)

    def _whole(self, end: int) -> int:
        """Return `end`, or the beginning of the markup that it would cut in two."""
        for insert in self._speakable.inserts:
            if insert.start < self._before + end < insert.end:
                return insert.start - self._before
        return end

    def _split(self) -> list[Piece]:
        pieces: list[Piece] = []
        # The character after the place must be known: it may be a closing quote, or begin the next sentence.
        while found := _BETWEEN_WORDS.search(self._text, self._scanned, len(self._text) - 1):
            end = self._scanned = found.end()
            if self._may_split(self._text, end) and self._whole(end) == end and any(map(is_spoken, self._text[:end])):
                pieces += self._cut(end)
        self._scanned = max(self._scanned, len(self._text) - 1)
        return pieces

    def _may_split(self, text: str, end: int) -> bool:
        """Whether a piece may end before `text[end]`, which follows something between words."""
        last, after = text[end - 1], text[end]
        if last == "\n":
            return True
        if last == " ":
            before = text[: end - 1]
            self._words += any(map(is_spoken, before[_last_space(before) + 1 :]))
            if _ends_sentence(before, after):
                self._wanted = MOST_WORDS  # a sentence lasts: whole ones from here
                return True
            return self._enough(before) or self._overlong(before)
        if not is_spoken(after) and after not in OPENERS:
            return False
        if last in _CLOSERS and after == "と":  # a quotation, and who says so
            return False
        bare = text[:end].rstrip(_ALL_CLOSERS)[-1:]
        return bare in _CJK_ENDS or (
            last in _CJK_CLAUSE_ENDS and (end > LONGEST or (self._wanted == FIRST_WORDS and end > 3))
        )

    def _enough(self, text: str) -> bool:
        """Whether these are words enough for a piece. Nobody pauses after `Dr.`, or between `7.30` and `p.m.`"""
        clause = text[-1:] in _CLAUSE_ENDS
        unfinished = text[-1:] == "." or text[-1:].isdigit()
        return self._wanted <= MOST_WORDS and self._words >= self._wanted - 2 * clause + 2 * unfinished

    def _overlong(self, text: str) -> bool:
        return len(text) > LONGEST and (text[-1] in _CLAUSE_ENDS or len(text) > LONGEST * 5 // 4)


def _last_space(text: str) -> int:
    return max(text.rfind(" "), text.rfind("\n"))


def _is_whole(text: str) -> bool:
    """Return whether the last word of a text that pauses is whole: `3.` may become 3.5, and `e.` may become e.g."""
    closed = text.rstrip(_ALL_CLOSERS)
    word = closed[_last_space(closed) + 1 : -1]
    return closed[-1:] in _SPACED_ENDS | _CJK_ENDS | _CLAUSE_ENDS and not (word[-1:].isdigit() or len(word) == 1)


def _ends_sentence(text: str, after: str) -> bool:
    """Return whether a sentence ends with `text`, when white space follows, and then `after`."""
    closed = text.rstrip(_ALL_CLOSERS)
    if closed[-1:] not in _SPACED_ENDS | _CJK_ENDS:
        return False
    word = closed[_last_space(closed) + 1 :].lstrip("\"'" + OPENERS)
    ellipsis = word.endswith(("..", "…"))
    if word.endswith(".") and not ellipsis:
        return _full_stop_ends(word[:-1], alone=word == closed.strip(), after=after)
    # 'Really?' she said. - Well... perhaps.
    return not (after.islower() and (ellipsis or len(closed) < len(text)))


def _full_stop_ends(word: str, *, alone: bool, after: str) -> bool:
    """Return whether the full stop after `word` ends a sentence, and does not belong to the word."""
    name = word.lower()
    if name in _NEVER_LAST:
        return False
    if word.isdigit():
        return not alone  # "1. Apples" is a list
    if len(word) == 1 and word.isupper() and word != "I":
        return False  # J. S. Bach
    if name in _SELDOM_LAST or "." in name:
        return not (after.islower() or after.isdigit())
    return not (after.islower() and len(word) <= 3)
