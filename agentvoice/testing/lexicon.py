"""Texts as tones and back, so that doubles can speak and understand without any model.

A simulated caller "speaks" a text as a tone whose pitch stands for it; a recogniser with the same lexicon finds the
text again, word by word, as far as the tone was heard. It works on real PCM, through G.711 too.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

LOUD: Final = 800
"""Mean absolute sample, of 32,768, from which sound is taken for speech."""
FRAME_S: Final = 0.02
PITCHES: Final = range(300, 3400, 50)
"""Hertz: one for each text, as far apart as a fifth of a second can tell."""


def loudness(samples: array[int]) -> float:
    """Return the mean absolute sample."""
    return sum(map(abs, samples)) / len(samples)


class Lexicon:
    """Texts and their tones. A text that is said for the first time gets the next free pitch."""

    def __init__(self, *, words_per_s: float = 3.0) -> None:
        self._pitches: dict[str, int] = {}
        self._words_per_s = words_per_s

    def say(self, text: str, *, sample_rate: int = 8000) -> bytes:
        """Return `text` as signed 16-bit little-endian PCM: a tone that lasts as long as its words take."""
        pitch = self._pitches.setdefault(text, PITCHES[len(self._pitches) % len(PITCHES)])
        samples = round(sample_rate * len(text.split()) / self._words_per_s)
        turn = 2 * math.pi * pitch / sample_rate
        return array("h", [round(9000 * math.sin(turn * n)) for n in range(samples)]).tobytes()

    def hear(self, pcm: bytes, sample_rate: int) -> str:
        """Return the words in `pcm`, as far as they were spoken."""
        return " ".join(words for tone in _tones(pcm, sample_rate) if (words := self._words(tone)))

    def _words(self, crossings: list[int]) -> str:
        inner = crossings[1:-1]  # the frames at the edges are only partly loud
        if not inner or not self._pitches:
            return ""
        pitch = sum(inner) / 2 / len(inner) / FRAME_S
        text = min(self._pitches, key=lambda text: abs(self._pitches[text] - pitch))
        spoken = math.floor(len(crossings) * FRAME_S * self._words_per_s + 0.1)
        return " ".join(text.split()[:spoken])


def _tones(pcm: bytes, sample_rate: int) -> Iterator[list[int]]:
    """Yield the zero crossings in each frame, for every stretch of loud ones."""
    size = 2 * round(sample_rate * FRAME_S)
    crossings: list[int] = []
    for at in range(0, len(pcm) - size + 1, size):
        if loudness(array("h", pcm[at : at + size])) >= LOUD:
            samples = array("h", pcm[at : at + size + 2])  # and one more: a crossing may lie between two frames
            crossings.append(sum((a < 0) != (b < 0) for a, b in pairwise(samples)))
        elif crossings:
            yield crossings
            crossings = []
    if crossings:
        yield crossings
