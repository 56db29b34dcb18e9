"""Where text may be cut so that each part can be spoken by itself, and how long text waits for its next part."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from .markup import open_tag

_END: Final = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|\Z)|[。！？]+[」』”]*")
_PAUSE: Final = re.compile(r"[,;:–—](?=\s)|[、，；]")
_ABBREVIATIONS: Final = frozenset(
    "mr mrs ms dr prof st sr jr vs no nr inc ltd co corp dept est approx fig vol e.g i.e cf al a.m p.m www".split()
)
_LONGEST_WORD: Final = 12
"""No abbreviation is longer. Looking further back would make a long text slow."""
_LONGEST: Final = 240
"""Characters that are spoken in one breath at the most: a worker is busy with them for a while."""
_GRACE_S: Final = 0.15
"""How long a full stop at the very end of the text waits for what makes it none: "3." may become "3.14"."""


def is_speakable(text: str) -> bool:
    """Return whether there is anything to pronounce in it."""
    return any(character.isalnum() for character in text)


def sentence_ends(text: str) -> Iterator[int]:
    """Yield where sentences end; white space after an end belongs to the next sentence."""
    for found in _END.finditer(text):
        if not (found.group().startswith(".") and len(found.group().rstrip("\"'”’)]")) == 1):
            yield found.end()
            continue
        before = text[max(0, found.start() - _LONGEST_WORD) : found.start()]
        word = re.split(r"[\s(\[\"'“‘]", before)[-1].lower()
        if word not in _ABBREVIATIONS and not (len(word) == 1 and word.isalpha()):
            yield found.end()


def split_sentences(text: str) -> list[str]:
    """Cut text into sentences, and long sentences at pauses or at least between words. Joined they are the text.

    A part without anything to pronounce goes with its neighbour.
    """
    parts: list[str] = []
    start = 0
    for end in [*sentence_ends(text), len(text)]:
        part, start = text[start:end], end
        for piece in _breaths(part):
            if parts and not (is_speakable(piece) and is_speakable(parts[-1])):
                parts[-1] += piece
            elif piece:
                parts.append(piece)
    return parts


def _breaths(sentence: str) -> Iterator[str]:
    while len(sentence) > _LONGEST:
        pauses = [found.end() for found in _PAUSE.finditer(sentence, _LONGEST // 3, _LONGEST)]
        cut = pauses[-1] if pauses else sentence.rfind(" ", 1, _LONGEST)
        cut = cut if cut > 0 else _LONGEST
        yield sentence[:cut]
        sentence = sentence[cut:]
    yield sentence


class TextBuffer:
    """Text of one context that waits until it can be spoken well, or has waited long enough.

    Texts are joined verbatim. Whole sentences are released at once, the rest when `deadline` has passed: some time
    after the oldest of it came, or words that never end a sentence would wait for ever.
    """

    def __init__(self) -> None:
        self._text = ""
        self._since = 0.0
        """When the oldest of the text came."""
        self._added_at = 0.0
        self._delay_s = 0.0
        self.deadline = math.inf
        """When to call `handle_timer`."""

    def __len__(self) -> int:
        return len(self._text)

    def add(self, text: str, *, delay_s: float, now: float) -> str:
        """Take more text; return what is to be spoken now, often nothing. What stays may wait for `delay_s`."""
        if not self._text.strip():
            self._since = now
        self._text += text
        self._added_at, self._delay_s = now, delay_s
        settled = self._text[: open_tag(self._text)]
        ends = list(sentence_ends(settled))
        last = ends[-1] if ends else 0
        doubtful = last == len(self._text) and self._text.endswith(".") and not self._text.endswith("..")
        released = self._release((ends[-2] if len(ends) > 1 else 0) if doubtful else last)
        if released:
            self._since = now
        self._wait(min(now + _GRACE_S, self._since + delay_s) if doubtful else self._since + delay_s)
        return released

    def _wait(self, until: float) -> None:
        self.deadline = until if self._text.strip() else math.inf

    def take(self) -> str:
        """Return all of it."""
        self.deadline = math.inf
        return self._release(len(self._text))

    def handle_timer(self, *, now: float) -> str:
        """Return what has waited long enough. Harmless when called early.

        While text keeps coming its last word may not be whole, and waits on.
        """
        if now < self.deadline:
            return ""
        if self._added_at == self._since or now >= self._added_at + _GRACE_S:
            return self.take()
        settled = self._text[: open_tag(self._text)]
        released = self._release(max(map(settled.rfind, " \t\n")) + 1)
        self._since = now if released else self._since
        self._wait(now + self._delay_s if released else self._added_at + _GRACE_S)
        return released

    def _release(self, end: int) -> str:
        released, self._text = self._text[:end], self._text[end:]
        return released
