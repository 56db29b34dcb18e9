"""Sound files, in the format that a line carries."""

from __future__ import annotations

import wave
from array import array
from pathlib import Path

from .audio import AudioFormat, from_linear
from .errors import UsageError


def read_sound(path: str | Path, audio: AudioFormat) -> bytes:
    """Return a WAV file (16-bit PCM, any rate, any number of channels) as audio of a line.

    Blocks while it reads. Only the resampling of another rate than the line's needs soxr, of the extra `speech`.

    Raises:
        UsageError: it cannot be read; the message says how to convert it.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, size, *_ = file.getparams()
            pcm = file.readframes(size)
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except (wave.Error, EOFError) as error:
        raise UsageError(f"{path} is not a WAV file with PCM; {_convert(path, audio)}") from error
    if width != 2:
        raise UsageError(f"{path} has {8 * width} bits a sample, and not 16; {_convert(path, audio)}")
    if channels > 1:
        samples = array("h", pcm)
        frames = (samples[at : at + channels] for at in range(0, len(samples), channels))
        pcm = array("h", [sum(frame) // channels for frame in frames]).tobytes()
    return from_linear(_resample(pcm, rate, audio.sample_rate), audio.encoding)


def _resample(pcm: bytes, rate: int, wanted: int) -> bytes:
    if rate == wanted:
        return pcm
    try:
        from agentvoice.speech.convert import resampler  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise UsageError(
            f"a sound of {rate} Hz has to be resampled to {wanted}: pip install 'agentvoice[speech]'"
        ) from error
    return resampler(rate, wanted)(pcm, True)


def _convert(path: str | Path, audio: AudioFormat) -> str:
    return f"try: ffmpeg -i {path} -ar {audio.sample_rate} -ac 1 -sample_fmt s16 sound.wav"
