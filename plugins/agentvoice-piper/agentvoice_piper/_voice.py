"""The voice, and what it does: text to phonemes, phonemes to a plan, stretches of plan to sound."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from piper.phonemize_espeak import EspeakPhonemizer

from ._cut import cut
from ._weights import CONFIG, MODEL

HOP: Final = 256
"""Samples in a frame, in every voice of Piper's."""
REACH: Final = 10
"""Frames to either side on which the sound of a frame depends. With so many around it a stretch is, to one part in a
million, what the whole would have been."""

_BEGIN, _PAD, _END = "^", "_", "$"
_ESPEAK: Final = Lock()
"""espeak-ng is one machine for the whole process."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a sentence will sound."""

    frames: NDArray[np.float32]
    """1 x 192 x frames."""
    starts: Sequence[int]
    """The sample at which each phoneme starts, and the one at which the last ends."""

    def __len__(self) -> int:
        return int(self.frames.shape[2])

    def start(self, phoneme: int) -> int:
        """Return the sample at which a phoneme starts; for whatever follows the last one, where that ends."""
        return self.starts[min(phoneme, len(self.starts) - 1)]

    def samples(self, frames: int) -> int:
        """Return how many samples so many frames are."""
        return frames * HOP


class LoadedVoice:
    """A voice of Piper's, in memory. May be used by several threads at once."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        """Load it. Takes a second."""
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        self.sample_rate: int = config["audio"]["sample_rate"]
        self._ids: Mapping[str, Sequence[int]] = config["phoneme_id_map"]
        self._manner: Mapping[str, float] = config["inference"]
        self._language: str = config["espeak"]["voice"]
        self._espeak = EspeakPhonemizer()
        planner, vocoder = cut((folder / MODEL).read_bytes())
        self._planner, self._vocoder = _session(planner, threads), _session(vocoder, threads)

    def phonemes(self, text: str) -> list[list[str]]:
        """Return how each sentence of a text is pronounced."""
        with _ESPEAK:
            sentences = self._espeak.phonemize(self._language, text)
        known = [[sound for sound in sentence if sound in self._ids] for sentence in sentences]
        return [sentence for sentence in known if any(map(str.isalpha, sentence))]

    def plan(self, phonemes: Sequence[str], *, speed: float) -> Plan:
        """Work out how a sentence will sound: about a fifth of all the work."""
        ids = [*self._ids[_BEGIN], *self._ids[_PAD]]
        firsts = []
        for phoneme in phonemes:
            firsts.append(len(ids))
            ids += [*self._ids[phoneme], *self._ids[_PAD]]
        firsts.append(len(ids))
        ids += self._ids[_END]
        length = self._manner["length_scale"] / speed
        manner = [self._manner["noise_scale"], length, self._manner["noise_w"]]
        frames, counts = self._planner.run(
            None,
            {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array(manner, np.float32),
            },
        )
        starts = np.concatenate(([0], np.cumsum(counts.ravel()) * HOP)).astype(int)
        return Plan(frames, [int(starts[first]) for first in firsts])

    def sound(self, plan: Plan, start: int, end: int) -> NDArray[np.float32]:
        """Return the samples (-1..1) of the plan's frames from `start` to before `end`."""
        first = max(0, start - REACH)
        window = np.ascontiguousarray(plan.frames[:, :, first : end + REACH])
        (sound,) = self._vocoder.run(None, {self._vocoder.get_inputs()[0].name: window})
        samples: NDArray[np.float32] = sound.ravel()[(start - first) * HOP : (end - first) * HOP]
        return samples


def _session(model: bytes, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
