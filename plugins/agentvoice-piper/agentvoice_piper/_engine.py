"""The engine: text in, sentences of PCM with the times of their words out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from threading import Lock
from typing import Any

import numpy as np

from agentvoice.assets import ensure
from agentvoice.interfaces import SpokenPiece, Voice, WordTime

from ._voice import JOE, load
from ._words import match

_QUIET = 0.01
"""A share of full scale below which a voice's sound is silence."""
_LEAD_IN_S = 0.03
"""How much silence is left in front of a text: more of it only makes the answer late."""


class PiperEngine:
    """`SpeechEngine` on Piper. Speaks a sentence at a time; several texts may be spoken at once."""

    voices: Sequence[Voice] = (Voice("joe", "Joe", "en", "A calm man from the United States"),)

    def __init__(self, *, threads: int = 1) -> None:
        """Prepare an engine whose sentences are computed on so many `threads` each."""
        self._threads = threads
        self._voice: Any = None
        self._lock = Lock()

    def prepare(self) -> None:
        """Load the voice, and speak a word, so that the first sentence is as fast as the others."""
        with self._lock:
            if self._voice is None:
                self._voice = load(ensure(JOE), threads=self._threads)
                list(self.synthesize("Ready.", voice="joe", speed=1.0, sample_rate=0))

    def sample_rate(self, voice: str, wanted: int) -> int:  # noqa: ARG002 - it has one rate only
        """Return the voice's own rate."""
        return int(self._voice.config.sample_rate) if self._voice else 22050

    def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:  # noqa: ARG002
        """Speak `text`, yielding a piece for each sentence; see `SpeechEngine.synthesize`."""
        from piper.config import SynthesisConfig  # noqa: PLC0415 - heavy

        config = SynthesisConfig(length_scale=1.0 / speed, normalize_audio=False)
        sentences = [sentence for sentence in self._voice.phonemize(text) if sentence]
        tokens = text.split()
        spans = match(tokens, sum(map(_count, sentences)), self._count_token) if sentences else []
        times: list[tuple[float, float]] = []
        at, told = 0.0, 0
        for number, sentence in enumerate(sentences):
            audio, durations = self._speak(sentence, config)
            rate = self._voice.config.sample_rate
            start = _lead_in(audio, rate) if number == 0 else 0
            times += [
                (at + max(0, first - start) / rate, at + max(0, last - start) / rate)
                for first, last in _word_bounds(sentence, durations)
            ]
            at += (len(audio) - start) / rate
            ready = [span for span in spans[told:] if span[1] <= len(times)]
            words = [
                WordTime(tokens[told + i], times[first][0], times[last - 1][1]) for i, (first, last) in enumerate(ready)
            ]
            told += len(ready)
            yield SpokenPiece(_pcm(audio[start:]), words)

    def _speak(self, phonemes: Sequence[str], config: Any) -> tuple[Any, Sequence[int]]:
        """Return a sentence's samples, and how many of them each phoneme takes, those around it included."""
        ids = self._voice.phonemes_to_ids(phonemes)
        audio, samples = self._voice.phoneme_ids_to_audio(ids, config, include_alignments=True)
        # Ids come as: beginning, pad, then (phoneme, pad) each, then the end.
        bounds = np.concatenate([[0], np.cumsum(samples)])
        sizes = [1, *(len(self._voice.config.phoneme_id_map.get(phoneme, ())) for phoneme in phonemes)]
        places = np.cumsum([size + 1 if size else 0 for size in sizes])
        ends = bounds[np.minimum(places, len(bounds) - 1)]
        return audio, [int(end) for end in ends]

    def _count_token(self, token: str) -> int:
        return sum(_count(sentence) for sentence in self._voice.phonemize(token))


def _count(phonemes: Sequence[str]) -> int:
    return sum(1 for space, _ in groupby(phonemes, key=" ".__eq__) if not space)


def _word_bounds(phonemes: Sequence[str], ends: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first and the last sample of each word; `ends` has one more than phonemes, that of the beginning."""
    bounds, at = [], 0
    for space, word in groupby(phonemes, key=" ".__eq__):
        size = len(list(word))
        if not space:
            bounds.append((ends[at], ends[at + size]))
        at += size
    return bounds


def _lead_in(audio: Any, rate: int) -> int:
    """Return how many samples of silence in front to leave out."""
    loud = np.flatnonzero(np.abs(audio) > _QUIET)
    return max(0, int(loud[0]) - round(_LEAD_IN_S * rate)) if len(loud) else 0


def _pcm(audio: Any) -> bytes:
    data: bytes = (np.clip(audio, -1.0, 1.0) * 32767).astype("<i2").tobytes()
    return data
