"""A client's audio, of any encoding and rate, as the PCM that recognisers take; and files of it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from agentvoice.audio import alaw_to_linear, mulaw_to_linear
from agentvoice.resampling import Resampler
from agentvoice.tts.messages import rejected


def _floats(kind: str) -> Callable[[bytes], bytes]:
    def decode(audio: bytes) -> bytes:
        samples = np.nan_to_num(np.frombuffer(audio, kind).astype(np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
        return (samples.clip(-1, 1) * 32767).round().astype("<i2").tobytes()

    return decode


def _wide(audio: bytes) -> bytes:
    return (np.frombuffer(audio, "<i4") >> 16).astype("<i2").tobytes()


_DECODERS: Final[Mapping[str, tuple[int, Callable[[bytes], bytes]]]] = {
    "pcm_s16le": (2, bytes),
    "pcm_s32le": (4, _wide),
    "pcm_f16le": (2, _floats("<f2")),
    "pcm_f32le": (4, _floats("<f4")),
    "pcm_mulaw": (1, mulaw_to_linear),
    "pcm_alaw": (1, alaw_to_linear),
}
ENCODINGS: Final = tuple(_DECODERS)
"""How a sample may be written."""


class Decoder:
    """One stream of audio, as it comes, to signed 16-bit little-endian PCM of `sample_rate`."""

    def __init__(self, encoding: str, sample_rate: int) -> None:
        """`encoding` is one of `ENCODINGS`."""
        self.sample_rate: Final = 8000 if sample_rate == 8000 else 16000
        """Of the PCM that comes out."""
        self.sample_bytes, self._decode = _DECODERS[encoding]
        self._resample: Callable[[bytes], bytes] = (
            bytes if sample_rate == self.sample_rate else Resampler(sample_rate, self.sample_rate)
        )
        self._rest = b""

    def __call__(self, audio: bytes) -> bytes:
        """Take audio of any length, parts of a sample too."""
        audio = self._rest + audio
        whole = len(audio) // self.sample_bytes * self.sample_bytes
        self._rest = audio[whole:]
        return self._resample(self._decode(audio[:whole]))


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio of one channel."""

    encoding: str
    sample_rate: int
    audio: bytes = field(repr=False)


_WAV: Final[Mapping[tuple[int, int], str]] = {
    (1, 16): "pcm_s16le",
    (1, 32): "pcm_s32le",
    (3, 32): "pcm_f32le",
    (6, 8): "pcm_alaw",
    (7, 8): "pcm_mulaw",
}
"""Format tags of WAVE and bits of a sample (RFC 2361)."""


def read_wav(file: bytes) -> Recording | None:
    """Read a WAV file, whose channels are heard together; `None` if it is none.

    Raises:
        RequestRejected: it is damaged, or of an encoding that is not known here.
    """
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        return None
    at, kind, audio = 12, b"", None
    while at + 8 <= len(file) and audio is None:
        name, size = struct.unpack_from("<4sI", file, at)
        if name == b"fmt ":
            kind = file[at + 8 : at + 8 + size]
        elif name == b"data":
            audio = file[at + 8 : at + 8 + size]  # of a stream the size may be 0xffffffff: then all there is
        at += 8 + size + size % 2
    if audio is None or len(kind) < 16:
        raise rejected(None, "Unsupported audio format", "the WAV file is damaged: it has no format, or no data")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", kind)
    if tag == 0xFFFE and len(kind) >= 26:  # WAVE_FORMAT_EXTENSIBLE: the tag begins the sub-format
        (tag,) = struct.unpack_from("<H", kind, 24)
    encoding = _WAV.get((tag, bits))
    if encoding is None or not channels or not rate:
        message = f"the WAV file has format {tag} of {bits} bits; there is {', '.join(sorted(set(_WAV.values())))}"
        raise rejected(None, "Unsupported audio format", message, error_code="unsupported_audio_format")
    if channels == 1:
        return Recording(encoding, rate, audio)
    _, decode = _DECODERS[encoding]
    whole = len(audio) // (channels * bits // 8) * (channels * bits // 8)
    samples: Any = np.frombuffer(decode(audio[:whole]), "<i2").reshape(-1, channels)
    return Recording("pcm_s16le", rate, samples.mean(axis=1).round().astype("<i2").tobytes())
