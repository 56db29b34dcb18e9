"""One of Kaldi's decoders, which is lent to one segment of speech after the other."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from agentvoice.errors import ProviderUnavailable
from agentvoice.events import Transcript
from agentvoice.utterance import HeardWord

from ._results import final, heard, partial

SAMPLE_RATE: Final = 16000
WARM_UP_S: Final = 4.0


class Kaldi(Protocol):
    """What is used of `vosk.KaldiRecognizer`. Its times count from the first sample it was ever given."""

    def AcceptWaveform(self, data: bytes) -> int:  # noqa: N802 - theirs
        """Take PCM; return whether that was the end of a sentence, to be asked for with `Result`."""

    def PartialResult(self) -> str:  # noqa: N802 - theirs
        """Return what is understood so far of the sentence."""

    def Result(self) -> str:  # noqa: N802 - theirs
        """Return the sentence, and go on."""

    def FinalResult(self) -> str:  # noqa: N802 - theirs
        """Return the sentence, and forget what the caller's voice was like: the next may be somebody else's."""


class Decoder:
    """Understands one segment at a time. For worker threads, one at a time: everything here blocks."""

    def __init__(self, kaldi: Kaldi) -> None:
        self._kaldi = kaldi
        self._heard = 0  # samples, since it was made
        self._began = 0  # where in these the segment begins
        self._settled: list[HeardWord] = []

    def warm_up(self) -> None:
        """Take from the first segment most of what it would have to wait for: the beginnings of words."""
        self.hear(_babble(WARM_UP_S))
        self.finish()

    def begin(self) -> None:
        """Begin a segment. What is left of another one, that nobody waits for any more, is forgotten."""
        if self._heard > self._began:
            self.finish()

    def hear(self, pcm: bytes) -> None:
        """Take signed 16-bit little-endian PCM, whole samples of 16 kHz.

        Raises:
            ProviderUnavailable: Kaldi has given up.
        """
        try:
            ended = self._kaldi.AcceptWaveform(pcm)
        except Exception as error:  # it knows no other class
            raise ProviderUnavailable("vosk", str(error)) from error
        self._heard += len(pcm) // 2
        if ended:
            self._settled += heard(self._kaldi.Result(), began_s=self._began_s)

    def partial(self) -> Transcript:
        """Return what is understood of the segment so far."""
        return partial(self._settled, self._kaldi.PartialResult())

    def finish(self) -> Transcript:
        """End the segment, and return what it says."""
        words = [*self._settled, *heard(self._kaldi.FinalResult(), began_s=self._began_s)]
        self._began = self._heard
        self._settled.clear()
        return final(words)

    @property
    def _began_s(self) -> float:
        return self._began / SAMPLE_RATE


def _babble(seconds: float) -> bytes:
    """Return noise that comes and goes as syllables do. It might be any word, so that Kaldi has to look at many."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(1).normal(0, 3000, time.size)
    pcm: bytes = (noise * (1 + np.sin(2 * np.pi * 4 * time)) / 2).astype("<i2").tobytes()
    return pcm
