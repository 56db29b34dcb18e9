"""The model itself: an encoder that is run once a segment, and a decoder that is run once a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ._loops import is_looping, without_loop

SAMPLE_RATE: Final = 16000
TOKENS_PER_SECOND: Final = 6.5
"""Nobody speaks faster than this: what goes on is the decoder talking to itself."""
SHORTEST_S: Final = 1.0
"""Of less than this the model makes nothing, or anything; shorter segments are filled up with silence."""
_LAYERS, _HEADS, _WIDTH = 6, 8, 36
_BEGIN, _END = 1, 2
_SPECIAL: Final = 2
"""Tokens up to this one are marks, not text."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a segment says."""

    text: str
    confidence: float
    """Geometric mean of the tokens' probabilities."""


class Cancelled(Exception):
    """Nobody wants the answer any more."""


class Model:
    """Moonshine tiny for English. Safe to be used by several threads at once."""

    def __init__(self, encoder: Path, decoder: Path, tokenizer: Path, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self._encoder, self._decoder = (
            onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            for path in (encoder, decoder)
        )
        self._vocabulary = read_vocabulary(tokenizer.read_bytes())
        self._caches = [
            f"past_key_values.{layer}.{side}.{part}"
            for layer in range(_LAYERS)
            for side in ("decoder", "encoder")
            for part in ("key", "value")
        ]

    def __call__(self, samples: NDArray[np.float32], *, cancelled: Callable[[], bool] = lambda: False) -> Understood:
        """Take one segment, floats between -1 and 1 at 16 kHz. Blocks for a fortieth of its length.

        Raises:
            Cancelled: `cancelled`, which is asked before each token, said so.
        """
        longest = int(len(samples) / SAMPLE_RATE * TOKENS_PER_SECOND) + 2
        samples = np.pad(samples, (0, max(0, int(SHORTEST_S * SAMPLE_RATE) - len(samples))))
        mask = np.ones((1, len(samples)), np.int64)
        if cancelled():
            raise Cancelled
        encoded = self._encoder.run(None, {"input_values": samples[None], "attention_mask": mask})[0]
        tokens, doubts = self._decode(encoded, mask, longest, cancelled)
        return Understood(self._spell(without_loop(tokens)), float(np.exp(-np.mean(doubts))))

    def _decode(
        self, encoded: Any, mask: Any, longest: int, cancelled: Callable[[], bool]
    ) -> tuple[list[int], list[float]]:
        """Return the likeliest tokens, one after the other, and the negative logarithm of each one's probability."""
        cache = {name: np.zeros((0, _HEADS, 1, _WIDTH), np.float32) for name in self._caches}
        given: dict[str, Any] = {"encoder_attention_mask": mask, "encoder_hidden_states": encoded}
        tokens: list[int] = []
        doubts: list[float] = []
        token = _BEGIN
        while len(tokens) < longest and not is_looping(tokens):
            if cancelled():
                raise Cancelled
            given |= {"input_ids": [[token]], "use_cache_branch": [bool(tokens)]}
            logits, *present = self._decoder.run(None, given | cache)
            likely = logits[0, -1]
            token = int(likely.argmax())
            doubts.append(float(np.log(np.exp(likely - likely[token]).sum())))
            if token == _END:
                break
            fresh = zip(self._caches, present, strict=True)
            # What the encoder said does not change, and comes back empty but for the first time.
            cache |= {name: value for name, value in fresh if not tokens or ".decoder." in name}
            tokens.append(token)
        return tokens, doubts

    def _spell(self, tokens: list[int]) -> str:
        spelt = b"".join(self._vocabulary[token] for token in tokens if token > _SPECIAL)
        return spelt.replace("\u2581".encode(), b" ").decode("utf-8", "replace").strip()


def read_vocabulary(data: bytes) -> list[bytes]:
    """Read `tokenizer.bin`: each token behind its length, of one byte, or of two where the first is over 127."""
    vocabulary, at = [], 0
    while at < len(data):
        length, at = data[at], at + 1
        if length >= 128:
            length, at = (length & 127) | (data[at] << 7), at + 1
        vocabulary.append(data[at : at + length])
        at += length
    return vocabulary
