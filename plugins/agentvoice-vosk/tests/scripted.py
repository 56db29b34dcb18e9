"""A stand-in for Kaldi: it hears one word in every tenth of a second, and makes a sentence of so many."""

from __future__ import annotations

import json
from collections.abc import Callable

from agentvoice_vosk._decoder import SAMPLE_RATE


class ScriptedKaldi:
    """As `vosk.KaldiRecognizer`: its words are numbered from the first it ever heard."""

    def __init__(self, *, sentence: int = 1000, hindrance: Callable[[], None] = lambda: None) -> None:
        self._sentence = sentence
        self._hindrance = hindrance
        self._samples = 0
        self._told = 0
        self.broken = False
        self.sentences = 0
        """How many were asked for before the end."""

    @property
    def _words(self) -> list[int]:
        return list(range(self._told, self._samples * 10 // SAMPLE_RATE))

    def AcceptWaveform(self, data: bytes) -> int:
        self._hindrance()
        if self.broken:
            raise Exception("Failed to process waveform")  # noqa: TRY002 - as theirs
        assert len(data) % 2 == 0
        self._samples += len(data) // 2
        return int(len(self._words) >= self._sentence)

    def PartialResult(self) -> str:
        return json.dumps({"partial": " ".join(map(str, self._words))})

    def Result(self) -> str:
        self.sentences += 1
        return self.FinalResult()

    def FinalResult(self) -> str:
        words = [{"word": str(n), "start": n / 10, "end": (n + 1) / 10, "conf": 0.9} for n in self._words]
        self._told += len(words)
        text = " ".join(str(word["word"]) for word in words)
        return json.dumps({"text": text, "result": words} if words else {"text": text})
