"""From the times that an engine tells about an utterance to those that a client is told about its context."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from agentvoice.interfaces import PhonemeTime, WordTime
from agentvoice.tts.wire import Interval

from .lexicon import Reading

_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003134f]")
"""Kana and Chinese characters."""


class Telling:
    """The times of one context, from the start of its audio on."""

    def __init__(self) -> None:
        self._words, self._phonemes = _Clock(), _Clock()
        self._began_s = 0.0
        self._retold = 0
        """How many of the utterance's readings have been told."""
        self._unread: list[Interval] = []
        """Words of the next reading, whose last word is still to come."""

    def begin(self, at_s: float) -> None:
        """The next utterance begins there."""
        self._began_s = at_s
        self._retold, self._unread = 0, []

    def words(self, told: Iterable[WordTime]) -> list[Interval]:
        """Return words as they are spoken."""
        return [(word.word, *self._words.place(self._began_s, word.start_s, word.end_s)) for word in told]

    def as_written(self, spoken: Iterable[Interval], readings: Sequence[Reading]) -> Iterator[Interval]:
        """Yield the words of the transcript instead, each once the last word that is read for it is known.

        `readings` are all those of the utterance.
        """
        for word in spoken:
            if self._retold == len(readings):
                return  # the engine says more words than it was given
            self._unread.append(word)
            reading = readings[self._retold]
            if len(self._unread) == len(reading.spoken):
                (_, start, _), (_, _, end) = self._unread[0], self._unread[-1]
                yield from _share((start, end), reading.written)
                self._retold, self._unread = self._retold + 1, []

    def phonemes(self, told: Iterable[PhonemeTime]) -> list[Interval]:
        """Return phonemes."""
        return [(sound.phoneme, *self._phonemes.place(self._began_s, sound.start_s, sound.end_s)) for sound in told]


class _Clock:
    """Never runs back: nothing begins before what was told last has ended."""

    def __init__(self) -> None:
        self._at = 0.0

    def place(self, began_s: float, start_s: float, end_s: float) -> tuple[float, float]:
        """Return when something of an utterance that began then starts and ends."""
        start = max(self._at, round(began_s + start_s, 4))
        self._at = max(start, round(began_s + end_s, 4))
        return start, self._at


def letters(words: Iterable[Interval]) -> list[Interval]:
    """Where an engine does not know its phonemes, a word's letters stand for them, and share its time evenly."""
    return [
        letter
        for word, start, end in words
        for letter in _share((start, end), [letter for letter in word.lower() if letter.isalnum()])
    ]


def characters(words: Iterable[Interval]) -> list[Interval]:
    """Chinese and Japanese are told character by character, as there are no spaces between words."""
    return [
        part
        for word, start, end in words
        for part in _share((start, end), list(word) if _UNSPACED.search(word) else [word])
    ]


def _share(time: tuple[float, float], parts: Sequence[str]) -> Iterator[Interval]:
    start, end = time
    edges = [round(start + (end - start) * n / max(1, len(parts)), 4) for n in range(len(parts) + 1)]
    return zip(parts, edges, edges[1:], strict=False)
