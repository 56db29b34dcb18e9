"""From what an engine speaks to what a client wants: volume, sample rate, encoding.

Runs in the worker thread that runs the engine. Resampling needs the `speech` extra, and only when rates differ.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from agentvoice.audio import AudioFormat, Encoding, from_linear
from agentvoice.errors import UsageError
from agentvoice.interfaces import SpeechEngine, WordTime


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


Resampler: TypeAlias = Callable[[bytes, bool], bytes]
"""Takes signed 16-bit PCM, and whether it is the last; returns PCM at another rate."""


def speak(engine: SpeechEngine, utterance: Utterance) -> Iterator[Spoken]:
    """Let the engine speak. Blocks between stretches: for a worker thread. Closing it stops the engine.

    Raises:
        UsageError: the engine's rate is not the wanted one, and there is no resampler.
    """
    output = utterance.output
    if utterance.pause_s:
        yield Spoken(output.silence(output.size(utterance.pause_s)))
        return
    rate = engine.sample_rate(utterance.voice, output.sample_rate)
    resample = resampler(rate, output.sample_rate)
    pieces = engine.synthesize(utterance.text, voice=utterance.voice, speed=utterance.speed, sample_rate=rate)
    try:
        for piece in pieces:
            pcm = resample(piece.pcm, False)
            yield Spoken(from_linear(louder(pcm, utterance.volume), output.encoding), tuple(piece.words))
        if rest := resample(b"", True):
            yield Spoken(from_linear(louder(rest, utterance.volume), output.encoding))
    finally:
        close = getattr(pieces, "close", None)  # an iterator that is no generator may have none
        if close is not None:
            close()


def louder(pcm: bytes, volume: float) -> bytes:
    """Multiply signed 16-bit PCM by `volume`, clipped to full scale."""
    if volume == 1.0:
        return pcm
    return array("h", [max(-32768, min(32767, round(sample * volume))) for sample in array("h", pcm)]).tobytes()


def resampler(given: int, wanted: int) -> Resampler:
    """Return what turns PCM of one rate into PCM of another, stretch by stretch.

    Raises:
        UsageError: the rates differ, and the extra that resamples is not installed.
    """
    if given == wanted:
        return lambda pcm, _last: pcm
    try:
        import numpy as np  # noqa: PLC0415  # only who resamples pays for it
        import soxr  # noqa: PLC0415
    except ImportError as error:
        message = f"the voice speaks at {given} Hz and {wanted} Hz are wanted; try: pip install 'agentvoice[speech]'"
        raise UsageError(message) from error
    stream = soxr.ResampleStream(given, wanted, 1, dtype="int16", quality="HQ")

    def resample(pcm: bytes, last: bool) -> bytes:  # noqa: FBT001
        resampled: bytes = stream.resample_chunk(np.frombuffer(pcm, dtype=np.int16), last=last).tobytes()
        return resampled

    return resample


def warm_up() -> None:
    """Fill the tables that the encoders make on first use, so that no client waits for them."""
    for encoding in Encoding:
        from_linear(b"\0\0", encoding)
