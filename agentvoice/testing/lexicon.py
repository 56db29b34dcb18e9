"""Texts as tones and back, so that doubles can speak and understand without any model.

A simulated caller "speaks" a text as a tone whose pitch stands for it; a recogniser with the same lexicon finds the
text again, word by word, as far as the tone was heard. It works on real PCM, through G.711 too.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

LOUD: Final = 800
"""Mean absolute sample, of 32,768, from which sound is taken for speech."""
FRAME_S: Final = 0.02
LOST_FRAMES: Final = 3
"""So many quiet frames within a tone were lost on the way; more are a pause."""
PITCHES: Final = range(300, 3400, 50)
"""Hertz: one for each text, as far apart as a fifth of a second can tell."""


_SIGN = bytes(high >> 7 for high in range(256))
_MAGNITUDE = bytes(2 * high + 1 if high < 128 else 2 * (256 - high) - 1 for high in range(256))
_UNIT = 128


@lru_cache(maxsize=4096)  # tones repeat themselves
def loudness(pcm: bytes) -> float:
    """Return the mean absolute sample of 16-bit PCM. Looks at the high bytes alone, which is quick, and near enough."""
    return 2 * _UNIT * sum(pcm[1::2].translate(_MAGNITUDE)) / len(pcm)


class Lexicon:
    """Texts and their tones. A text that is said for the first time gets the next free pitch."""

    def __init__(self, *, words_per_s: float = 3.0) -> None:
        self._pitches: dict[str, int] = {}
        self._words_per_s = words_per_s
        self._ear: _Ear | None = None

    def say(self, text: str, *, sample_rate: int = 8000) -> bytes:
        """Return `text` as signed 16-bit little-endian PCM: a tone that lasts as long as its words take."""
        pitch = self._pitches.setdefault(text, PITCHES[len(self._pitches) % len(PITCHES)])
        return _tone(pitch, round(sample_rate * len(text.split()) / self._words_per_s), sample_rate)

    def hear(self, pcm: bytes, sample_rate: int) -> str:
        """Return the words in `pcm`, as far as they were spoken."""
        if self._ear is None or not self._ear.goes_on(pcm, sample_rate):
            self._ear = _Ear(sample_rate)
        return " ".join(words for tone in self._ear.tones(pcm) if (words := self._words(tone)))

    def _words(self, crossings: list[int]) -> str:
        inner = crossings[1:-1]  # the frames at the edges are only partly loud
        if not inner or not self._pitches:
            return ""
        pitch = sum(inner) / 2 / len(inner) / FRAME_S
        text = min(self._pitches, key=lambda text: abs(self._pitches[text] - pitch))
        spoken = math.floor(len(crossings) * FRAME_S * self._words_per_s + 0.1)
        return " ".join(text.split()[:spoken])


@lru_cache(maxsize=4096)
def _crossings(pcm: bytes, size: int) -> int | None:
    """Return how often the sign changes, if the first `size` bytes are loud."""
    if loudness(pcm[:size]) < LOUD:
        return None
    signs = pcm[1::2].translate(_SIGN)
    return signs.count(b"\0\1") + signs.count(b"\1\0")


@lru_cache(maxsize=512)
def _tone(pitch: int, samples: int, sample_rate: int) -> bytes:
    turn = 2 * math.pi * pitch / sample_rate
    return array("h", [round(9000 * math.sin(turn * n)) for n in range(samples)]).tobytes()


class _Ear:
    """The zero crossings in each frame of every tone. A recogniser asks again as its audio grows: so it remembers."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._size = 2 * round(sample_rate * FRAME_S)
        self._known = b""  # whole frames, and one sample more: a crossing may lie between two frames
        self._tones: list[list[int]] = [[]]
        self._quiet = 0  # frames since the last loud one, within a tone

    def goes_on(self, pcm: bytes, sample_rate: int) -> bool:
        return sample_rate == self._sample_rate and pcm.startswith(self._known)

    def tones(self, pcm: bytes) -> Sequence[list[int]]:
        """Return them: the last one may be empty."""
        size, at = self._size, len(self._known) // self._size * self._size
        while at + size + 2 <= len(pcm):
            self._take(self._tones, pcm[at : at + size + 2])
            at += size
        if at:
            self._known = pcm[: at + 2]
        if at + size != len(pcm):
            return self._tones
        tones, quiet = [*self._tones[:-1], [*self._tones[-1]]], self._quiet
        self._take(tones, pcm[at:])
        self._quiet = quiet
        return tones

    def _take(self, tones: list[list[int]], frame: bytes) -> None:
        crossings = _crossings(frame, self._size)
        if crossings is not None:
            tones[-1] += [crossings] * (self._quiet + 1)
            self._quiet = 0
        elif tones[-1]:
            self._quiet += 1
            if self._quiet > LOST_FRAMES:
                tones.append([])
                self._quiet = 0
