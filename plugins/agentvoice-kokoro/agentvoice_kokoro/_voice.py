"""The model, and what it does: phonemes to sound, and how long each of them lasts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from piper.phonemize_espeak import EspeakPhonemizer

from ._weights import MODEL, VOCABULARY

LONGEST: Final = 500
"""Phonemes that the model can speak at once: it has 512 places, and styles for 510."""
_DURATIONS: Final = "/encoder/Clip_output_0"
"""Inside the model: how many frames of 25 ms each phoneme lasts."""
_EARLY: Final = 1200
"""Samples by which a phoneme is heard before the model says: 50 ms, two frames, as measured after pauses."""
_EDGE: Final = 0
_ESPEAK: Final = Lock()
"""espeak-ng is one machine for the whole process."""


class LoadedVoices:
    """Kokoro, in memory. May be used by several threads at once."""

    def __init__(self, folder: Path, names: Sequence[str], *, threads: int) -> None:
        """Load it. Takes two seconds."""
        self._ids: Mapping[str, int] = json.loads((folder / VOCABULARY).read_text("utf-8"))["model"]["vocab"]
        self._styles = {name: np.fromfile(folder / f"{name}.bin", np.float32).reshape(-1, 1, 256) for name in names}
        self._espeak = EspeakPhonemizer()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        model = also_giving_out((folder / MODEL).read_bytes(), _DURATIONS)
        self._model: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def phonemes(self, text: str, *, language: str) -> list[list[str]]:
        """Return how each sentence of a text is pronounced."""
        with _ESPEAK:
            sentences = self._espeak.phonemize(language, text)
        known = [[sound for sound in sentence if sound in self._ids] for sentence in sentences]
        return [sentence for sentence in known if any(map(str.isalpha, sentence))]

    def speak(self, phonemes: Sequence[str], *, voice: str, speed: float) -> tuple[NDArray[np.float32], Sequence[int]]:
        """Return the samples (-1..1) of a sentence, and the sample at which each phoneme starts, and the last ends."""
        ids = [_EDGE, *(self._ids[sound] for sound in phonemes), _EDGE]
        sound, durations = self._model.run(
            ["waveform", _DURATIONS],
            {
                "input_ids": np.array([ids], np.int64),
                "style": self._styles[voice][len(phonemes)],
                "speed": np.array([speed], np.float32),
            },
        )
        samples: NDArray[np.float32] = sound.ravel()
        frames = durations.ravel()
        ends = np.cumsum(frames) * (len(samples) / frames.sum())
        return samples, [max(0, int(end) - _EARLY) for end in ends[:-1]]


def also_giving_out(model: bytes, value: str) -> bytes:
    """Return an ONNX model that also gives out a value from within.

    Protocol Buffers are merged by joining them: an output (field 12 of the graph, field 7) is added at the end.
    """
    output = _field(7, _field(12, _field(1, value.encode())))
    return model + output


def _field(number: int, content: bytes) -> bytes:
    assert number < 16 and len(content) < 128  # noqa: PT018, S101 - numbers of one byte
    return bytes([number << 3 | 2, len(content)]) + content
