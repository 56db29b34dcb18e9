"""Setting words beneath a waveform: each at the moment when it was spoken, none over another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from .staff import EDGE, LEFT, Row
from .story import Sound, Story, TurnStory, Word
from .typeface import width

SIZE: Final = 12.5
SPACE: Final = 3.6
LINE: Final = 16.0
LINES: Final = 3
FLOWING_PX_S: Final = 70.0
"""From this scale on there is room for every word at its moment; below it, words are set in blocks."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A word, and where it is set."""

    word: Word
    x: float
    line: int = 0

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.x + width(self.word.text, SIZE)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that were spoken in one go."""

    words: Sequence[Word]
    cut_at: float | None = None
    """When it was cut off: the unheard words follow from there, as far as there is room."""


def of_turn(turn: TurnStory) -> Phrase:
    """Return an agent's turn as a phrase."""
    cut = any(not word.heard for word in turn.words)
    return Phrase(turn.words, turn.sounds[-1].end if cut and turn.sounds else None)


def of_caller(story: Story) -> Sequence[Phrase]:
    """Return the caller's segments with their words, each given its share of the segment.

    The recogniser answers every segment with one final transcript, in order; the last may still be owed.
    """
    finals = [one.text for one in story.understood if one.final]
    if len(finals) < len(story.segments) and story.understood and not story.understood[-1].final:
        finals.append(story.understood[-1].text)
    return [_shared(segment, text.split()) for segment, text in zip(story.segments, finals, strict=False) if text]


def _shared(segment: Sound, texts: Sequence[str]) -> Phrase:
    letters = sum(len(text) + 1 for text in texts)
    words, at = [], segment.start
    for text in texts:
        end = at + (segment.end - segment.start) * (len(text) + 1) / letters
        words.append(Word(text, at, end))
        at = end
    return Phrase(words)


def flowing(phrases: Sequence[Phrase], row: Row) -> Sequence[Placed]:
    """Set each word of this row at its moment, or as near to it as its neighbours let it be."""
    heard = [word for phrase in phrases for word in phrase.words if word.heard and row.has(word.start)]
    placed: list[Placed] = []
    for word in heard:
        after = placed[-1].right + SPACE if placed else 0.0
        placed.append(Placed(word, max(row.x(word.start), after)))
    limit = EDGE
    for at in range(len(placed) - 1, -1, -1):  # what was pushed over the edge is pushed back
        one = placed[at]
        if one.right <= limit:
            break
        placed[at] = replace(one, x=limit - (one.right - one.x))
        limit = placed[at].x - SPACE
    for phrase in phrases:
        if phrase.cut_at is not None and row.has(phrase.cut_at):
            placed += _cut(phrase, row, placed)
    return placed


def _cut(phrase: Phrase, row: Row, placed: Sequence[Placed]) -> Sequence[Placed]:
    """Set the unheard words one after the other from where the phrase was cut, as far as there is room."""
    at = phrase.cut_at or 0.0
    before = [one.right for one in placed if one.word in phrase.words]
    x = max([row.x(at) + 6, *(right + SPACE + 2 for right in before)])
    limit = min([EDGE, *(one.x - 14 for one in placed if one.word.start >= at and one.word not in phrase.words)])
    words = [word for word in phrase.words if not word.heard]
    found: list[Placed] = []
    for number, word in enumerate(words):
        more = width("…", SIZE) + SPACE if number + 1 < len(words) else 0.0
        one = Placed(word, x)
        if one.right + more > limit:
            if x + width("…", SIZE) <= limit:
                found.append(Placed(replace(word, text="…"), x))
            break
        found.append(one)
        x = one.right + SPACE
    return found


def in_blocks(phrases: Sequence[Phrase], row: Row) -> Sequence[Placed]:
    """Set each phrase as a small paragraph from its first moment to the next phrase, cut words and all."""
    shown = [phrase for phrase in phrases if phrase.words and row.has(phrase.words[0].start)]
    placed: list[Placed] = []
    for number, phrase in enumerate(shown):
        left = max(LEFT, row.x(phrase.words[0].start))
        right = row.x(shown[number + 1].words[0].start) - 10 if number + 1 < len(shown) else EDGE
        spoken = row.x(phrase.words[-1].end if phrase.cut_at is None else phrase.cut_at)
        narrow = _paragraph(phrase.words, left, min(right, max(spoken + 30, left + 160)))
        whole = narrow and narrow[-1].word == phrase.words[-1]
        placed += narrow if whole else _paragraph(phrase.words, left, right)
    return placed


def _paragraph(words: Sequence[Word], left: float, right: float) -> Sequence[Placed]:
    placed: list[Placed] = []
    x, line = left, 0
    for word in words:
        wide = width(word.text, SIZE)
        if x > left and x + wide > right:
            x, line = left, line + 1
        if line == LINES or x + wide > right:
            return _ended(placed, word, left, right)
        placed.append(Placed(word, x, line))
        x += wide + SPACE
    return placed


def _ended(placed: list[Placed], word: Word, left: float, right: float) -> Sequence[Placed]:
    """Put an ellipsis where the room ended."""
    while placed and placed[-1].right + width("…", SIZE) > right:
        placed.pop()
    last = placed[-1] if placed else None
    dots = replace(last.word if last else word, text="…")
    if last is None:
        return [Placed(dots, left)] if right - left > 10 else []
    return [*placed, Placed(dots, last.right, last.line)]
