"""The model itself: an encoder that is run once a segment, a decoder that is run once a token, and word times from it.

By CTranslate2 alone. The model was taught on half minutes, and a segment is usually filled up with silence to that
length, which takes most of the model's time. Here it is filled up to less, and to all of it only when that went wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from ctranslate2 import StorageView
from ctranslate2.models import Whisper
from numpy.typing import NDArray

from agentvoice.errors import UsageError
from agentvoice.utterance import HeardWord

from ._features import FRAMES_PER_SECOND, SAMPLE_RATE, log_mel
from ._samples import sounding
from ._understood import Understood
from ._vocabulary import read_vocabulary

LONGEST_S: Final = 30.0
LEAST_S: Final = 12.0
"""To how much a segment is filled up at least. With 8 s the model says some of them twice."""
_BEAM: Final = 5
"""How many texts are followed at a time: what is likeliest at first is not at the end, in noise above all."""
_TOKENS_PER_SECOND: Final = 8
"""Nobody speaks faster than this: what goes on is the decoder talking to itself."""
_FIRST_TOKENS: Final = 8
_MOST_TOKENS: Final = 224
"""Half of what the decoder can remember. CTranslate2, too, allows a text half of the length that it is told."""
_TIME_S: Final = 0.02
"""What one step of the encoder's answer is about."""


class Model:
    """Whisper of any size, in CTranslate2's format. Safe to be used by several threads, which wait for each other."""

    def __init__(self, folder: Path, *, language: str, threads: int) -> None:
        """Load it. `language` is a code, or empty to find it out.

        Raises:
            UsageError: it does not know that language.
        """
        self._vocabulary = read_vocabulary(folder)
        self._language = language
        self._model = Whisper(str(folder), device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads)
        many = self._model.is_multilingual
        if language and (self._vocabulary.mark(language) is None if many else language != "en"):
            way_out = "it knows codes such as en, de and fr" if many else "set AGENTVOICE_WHISPER_MODEL=base"
            raise UsageError(f"this Whisper does not know the language '{language}'; {way_out}")

    def __call__(self, samples: NDArray[np.float32], check: Callable[[], None] = lambda: None) -> Understood:
        """Take one segment, floats between -1 and 1 at 16 kHz, at most `LONGEST_S`. Blocks for some 0.1 to 1 s.

        `check` is called between its stages, and raises when nobody wants the answer any more.
        """
        seconds = len(samples) / SAMPLE_RATE
        filled_s = min(LONGEST_S, max(LEAST_S, 2 * math.ceil(seconds / 2 + 1)))
        understood = self._look(samples, filled_s, check)
        if understood.loops and not understood.unspoken and filled_s < LONGEST_S:
            understood = self._look(samples, LONGEST_S, check)
        return understood

    def _look(self, samples: NDArray[np.float32], filled_s: float, check: Callable[[], None]) -> Understood:
        check()
        encoded = self._model.encode(StorageView.from_array(log_mel(samples, filled_s)[None]))
        check()
        language = self._language or self._find_language(encoded)
        start = self._start(language)
        longest = min(_MOST_TOKENS, _FIRST_TOKENS + len(samples) * _TOKENS_PER_SECOND // SAMPLE_RATE)
        prompt = [*start, self._mark("notimestamps")]
        (result,) = self._model.generate(
            encoded, [prompt], beam_size=_BEAM, max_length=2 * longest, return_scores=True,
            return_no_speech_prob=True,
        )  # fmt: skip
        tokens = [token for token in result.sequences_ids[0] if token < self._vocabulary.end]
        understood = Understood(
            self._vocabulary.spell(tokens),
            likely=result.scores[0] * len(tokens) / (len(tokens) + 1),  # the mark at the end counts as a token
            silent=result.no_speech_prob,
            ended=len(tokens) < longest,
            language=language,
        )
        if understood.unspoken or not understood.ended:
            return understood
        check()
        return replace(understood, words=self._words(encoded, start, tokens, samples))

    def _start(self, language: str) -> list[int]:
        start = [self._mark("startoftranscript")]
        return [*start, self._mark(language), self._mark("transcribe")] if self._model.is_multilingual else start

    def _mark(self, name: str) -> int:
        mark = self._vocabulary.mark(name)
        assert mark is not None, name  # noqa: S101 - every Whisper has it, and languages have been looked up
        return mark

    def _find_language(self, encoded: Any) -> str:
        if not self._model.is_multilingual:
            return "en"
        (languages,) = self._model.detect_language(encoded)
        mark: str = languages[0][0]
        return mark.strip("<|>")

    def _words(
        self, encoded: Any, start: Sequence[int], tokens: list[int], samples: NDArray[np.float32]
    ) -> tuple[HeardWord, ...]:
        """Find out when each word was spoken: where in the sound the decoder looked as it wrote it.

        It looks at the silence before the first word and after the last one, too; that is taken off.
        """
        frames = max(2, len(samples) * FRAMES_PER_SECOND // SAMPLE_RATE)
        (aligned,) = self._model.align(encoded, start, [tokens], [frames])
        begins: dict[int, float] = {}
        for token, time in aligned.alignments:
            begins.setdefault(token, time * _TIME_S)
        first, last = sounding(samples)
        words = []
        for places in self._vocabulary.words(tokens):
            begin, end = (min(max(first, begins.get(at, last)), last) for at in (places[0], places[-1] + 1))
            certain = float(np.mean([aligned.text_token_probs[at] for at in places]))
            if text := self._vocabulary.spell([tokens[at] for at in places]):
                words.append(HeardWord(text, begin, end, certain))
        return tuple(words)
