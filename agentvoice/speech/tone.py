"""The built-in engine: every word is a tone. For tests and load, with no model and no dependency.

A word lasts 60 ms and 45 ms for each of its characters, at speed 1. Its pitch depends on its letters alone, its
loudness falls steadily from its start to its end, and the last 60 ms of it are silent: so a sample tells which word it
belongs to, and where in it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final
from zlib import crc32

from agentvoice.interfaces import SpokenPiece, Voice, WordTime

GAP_S: Final = 0.06
"""Silence at the end of each word, in seconds."""
CHARACTER_S: Final = 0.045
"""What each character adds to a word, in seconds."""
_LOUD: Final = 16000
_QUIET: Final = 4000
_LOWEST_HZ: Final = 200
_STEP_HZ: Final = 40


def pitch(word: str) -> int:
    """Return the frequency at which a word is spoken: one of 64, from 200 to 2720 Hz."""
    return _LOWEST_HZ + _STEP_HZ * (crc32(word.encode()) % 64)


def seconds(word: str) -> float:
    """Return how long a word lasts at speed 1, its gap included."""
    return GAP_S + CHARACTER_S * len(word)


class ToneEngine:
    """A `SpeechEngine` that beeps, and knows to the sample when."""

    voices: Sequence[Voice] = (
        Voice("tone", "Tone", "en", "Each word a tone, for tests."),
        Voice("tone-high", "High tone", "en", "The same, an octave up."),
    )

    def prepare(self) -> None:
        """There is nothing to load."""

    def sample_rate(self, voice: str, wanted: int) -> int:  # noqa: ARG002
        """Every rate is as good as any other."""
        return wanted

    def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:
        """Yield a piece for each word."""
        octave = 2 if voice == "tone-high" else 1
        at = 0
        for word in text.split():
            pcm = _word(pitch(word) * octave, seconds(word) / speed, GAP_S / speed, sample_rate)
            start, at = at, at + len(pcm) // 2
            spoken_until = at - round(GAP_S / speed * sample_rate)
            yield SpokenPiece(pcm, (WordTime(word, start / sample_rate, spoken_until / sample_rate),))


@lru_cache(maxsize=512)
def _word(hertz: int, lasts_s: float, gap_s: float, sample_rate: int) -> bytes:
    size, gap = round(lasts_s * sample_rate), round(gap_s * sample_rate)
    sounding = size - gap
    fall = (_QUIET - _LOUD) / sounding
    step = 2 * math.pi * hertz / sample_rate
    wave = array("h", [round((_LOUD + fall * n) * math.sin(step * n)) for n in range(sounding)])
    return wave.tobytes() + bytes(2 * gap)
