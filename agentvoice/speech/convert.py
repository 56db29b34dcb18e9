"""From what an engine speaks to what a client wants: sample rate, volume, encoding.

Runs in the worker thread that runs the engine, and lets go of the interpreter for most of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from agentvoice.audio import AudioFormat, Encoding, from_linear
from agentvoice.interfaces import PhonemeTime, SpeechEngine, WordTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What an engine is to say in one go, and how its audio is wanted."""

    text: str = field(repr=False)
    voice: str
    output: AudioFormat
    speed: float = 1.0
    volume: float = 1.0
    pause_s: float = 0.0
    """Silence instead of text, in seconds."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A stretch of an utterance, as the client wants it."""

    audio: bytes = field(repr=False)
    """Whole samples in the wanted format. May be empty: a resampler takes some in before it gives some out."""
    words: tuple[WordTime, ...] = ()
    """Words that begin about here, in seconds since the start of the utterance."""
    phonemes: tuple[PhonemeTime, ...] = ()
    """The same for phonemes, where the engine knows them."""


Resampler: TypeAlias = Callable[[bytes, bool], bytes]
"""Takes signed 16-bit PCM, and whether it is the last; returns PCM at another rate."""


def speak(engine: SpeechEngine, utterance: Utterance) -> Iterator[Spoken]:
    """Let the engine speak. Blocks between stretches: for a worker thread. Closing it stops the engine."""
    output = utterance.output
    if utterance.pause_s:
        yield Spoken(output.silence(output.size(utterance.pause_s)))
        return
    rate = engine.sample_rate(utterance.voice, output.sample_rate)
    resample = resampler(rate, output.sample_rate)
    pieces = engine.synthesize(utterance.text, voice=utterance.voice, speed=utterance.speed, sample_rate=rate)
    try:
        for piece in pieces:
            audio = encode(resample(piece.pcm, False), output.encoding, volume=utterance.volume)
            yield Spoken(audio, tuple(piece.words), tuple(piece.phonemes))
        if rest := resample(b"", True):
            yield Spoken(encode(rest, output.encoding, volume=utterance.volume))
    finally:
        close = getattr(pieces, "close", None)  # an iterator that is no generator may have none
        if close is not None:
            close()


def resampler(given: int, wanted: int) -> Resampler:
    """Return what turns PCM of one rate into PCM of another, stretch by stretch."""
    if given == wanted:
        return lambda pcm, _last: pcm
    stream = soxr.ResampleStream(given, wanted, 1, dtype="int16", quality="HQ")

    def resample(pcm: bytes, last: bool) -> bytes:  # noqa: FBT001
        resampled: bytes = stream.resample_chunk(np.frombuffer(pcm, dtype=np.int16), last=last).tobytes()
        return resampled

    return resample


def encode(pcm: bytes, encoding: Encoding, *, volume: float = 1.0) -> bytes:
    """Encode signed 16-bit PCM, `volume` times as loud and clipped to full scale."""
    samples = np.frombuffer(pcm, np.int16)
    if volume != 1.0:
        samples = (samples * volume).round().clip(-32768, 32767).astype(np.int16)
    match encoding:
        case Encoding.S16LE:
            return samples.tobytes()
        case Encoding.F32LE:
            return (samples / np.float32(32768)).tobytes()
        case Encoding.MULAW | Encoding.ALAW:
            return _codes(encoding)[samples.view(np.uint16)].tobytes()


@lru_cache
def _codes(encoding: Encoding) -> NDArray[np.uint8]:
    """Return the code of each sample there can be, by the sample's 16 bits."""
    return np.frombuffer(from_linear(np.arange(1 << 16, dtype=np.uint16).tobytes(), encoding), np.uint8)


def warm_up() -> None:
    """Fill the tables that the encoders make on first use, so that no client waits for them."""
    for encoding in Encoding:
        encode(b"\0\0", encoding)
