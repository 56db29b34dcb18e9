"""Where in a sentence its words are, when all that the voice gives is sound.

The same voice speaks each word alone, and the sentence is laid against the row of these by how alike they sound, frame
by frame: the cheapest way through, by Viterbi (1967). Within the sentence a sound may be as long as it likes, or down
to a third of what it is alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Frames: TypeAlias = NDArray[np.float32]
"""A row of spectra: frames x bands."""

RATE: Final = 16000
HOP: Final = 160
"""Samples in a frame: 10 ms."""
_WINDOW: Final = 320
_QUIET: Final = 150
"""Amplitude below which it is silent."""
_BANDS: Final = 20
_FLOOR: Final = 1e5
"""Energy in a band, below which it is silent."""
_SKIPS: Final = (0.0, 0.0, 0.3, 0.8)
"""What it costs to go on by so many frames of a word at once, in units of the distance between frames."""


def spectra(pcm: bytes) -> Frames:
    """Return the frames of 16 kHz PCM: loudness in bands, roughly as an ear has them."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    count = max(0, (len(samples) - _WINDOW) // HOP + 1)
    places = np.arange(count)[:, None] * HOP + np.arange(_WINDOW)
    power = np.abs(np.fft.rfft(samples[places] * np.hanning(_WINDOW), 512)) ** 2
    loud: Frames = (np.log10(power @ _bands().T + _FLOOR) - np.log10(_FLOOR)).astype(np.float32)
    return loud


def _bands() -> NDArray[np.float64]:
    mel = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), _BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    hertz = np.fft.rfftfreq(512, 1 / RATE)
    rise = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rise, fall), 0, None)


def trimmed(pcm: bytes, *, lead_s: float = 0.0, rest_s: float = 0.0) -> bytes:
    """Return 16 kHz PCM without the silence around it, but for so much of it. Empty when it is silent altogether."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > _QUIET)
    if not len(loud):
        return b""
    first, last = int(loud[0]) - round(lead_s * RATE), int(loud[-1]) + 1 + round(rest_s * RATE)
    return pcm[2 * max(0, first) : 2 * last]


def seconds(frame: int) -> float:
    """Return when a frame is, in seconds: the middle of its window."""
    return (frame * HOP + _WINDOW / 2) / RATE if frame else 0.0


def align(words: Sequence[Frames], sentence: Frames) -> list[tuple[int, int]]:
    """Return the first frame of each word in the sentence, and the one after its last: the same for silence."""
    silence = np.zeros((1, _BANDS), np.float32)
    parts = [silence, *[part for word in words for part in (word, silence)]]
    row = np.concatenate(parts)
    starts = np.cumsum([0, *map(len, parts)])
    path = _path(row, sentence)
    spans, free = [], 0
    for number, word in enumerate(words):
        first, last = np.searchsorted(path, (starts[2 * number + 1], starts[2 * number + 2]))
        first = max(free, int(first))
        free = max(first, int(last)) if len(word) else first
        spans.append((first, free))
    return spans


def _path(row: Frames, sentence: Frames) -> NDArray[np.intp]:
    """Return which frame of `row` each frame of the sentence is: never going back."""
    size = len(row)
    squares = (sentence**2).sum(axis=1)[:, None] + (row**2).sum(axis=1) - 2 * sentence @ row.T
    unlike = np.sqrt(np.maximum(squares, 0.0))
    cost = np.full(size, np.inf, np.float32)
    cost[0] = 0.0
    came = np.zeros(unlike.shape, np.int8)
    ways = np.full((len(_SKIPS), size), np.inf, np.float32)
    for at, distance in enumerate(unlike):
        for step, penalty in enumerate(_SKIPS[:size]):
            ways[step, step:] = cost[: size - step] + penalty
        came[at] = ways.argmin(axis=0)
        cost = ways.min(axis=0) + distance
    path = np.zeros(len(sentence), np.intp)
    place = size - 1
    if not np.isfinite(cost[place]):  # far too short for so many words: shared out evenly
        return np.linspace(0, place, len(sentence)).astype(np.intp)
    for at in range(len(sentence) - 1, -1, -1):
        path[at] = place
        place -= int(came[at, place])
    return path
