"""Audio formats, and G.711 in both directions, with no dependency.

Inside agentvoice media time is counted in samples or bytes of one format; seconds are for people.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Encoding(StrEnum):
    """How one sample is written. The values are the names on the context protocol's wire."""

    MULAW = "pcm_mulaw"
    ALAW = "pcm_alaw"
    S16LE = "pcm_s16le"
    F32LE = "pcm_f32le"


SAMPLE_BYTES: Final = {Encoding.MULAW: 1, Encoding.ALAW: 1, Encoding.S16LE: 2, Encoding.F32LE: 4}
_SILENCE: Final = {Encoding.MULAW: b"\xff", Encoding.ALAW: b"\xd5", Encoding.S16LE: b"\0\0", Encoding.F32LE: b"\0" * 4}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One channel of audio: how a sample is written, and how many there are in a second."""

    encoding: Encoding
    sample_rate: int
    """Samples per second."""

    @property
    def sample_bytes(self) -> int:
        """Bytes that one sample takes."""
        return SAMPLE_BYTES[self.encoding]

    @property
    def bytes_per_second(self) -> int:
        """Bytes that one second takes."""
        return self.sample_rate * self.sample_bytes

    def seconds(self, size: int) -> float:
        """Return how long `size` bytes last, in seconds."""
        return size / self.bytes_per_second

    def size(self, seconds: float) -> int:
        """Return how many bytes last `seconds`, rounded to the nearest whole sample."""
        return round(seconds * self.sample_rate) * self.sample_bytes

    def silence(self, size: int) -> bytes:
        """Return `size` bytes (whole samples) of silence."""
        return _SILENCE[self.encoding] * (size // self.sample_bytes)


TELEPHONE: Final = AudioFormat(Encoding.MULAW, 8000)
"""What the phone network carries: G.711 mu-law, 8 kHz, 160 bytes in a 20 ms frame."""


def _expand_mulaw(code: int) -> int:
    """ITU-T G.711, table 2b: one mu-law octet to 16-bit linear."""
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


def _expand_alaw(code: int) -> int:
    """ITU-T G.711, table 1b: one A-law octet to 16-bit linear."""
    code ^= 0x55
    segment, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = mantissa + 8 if segment == 0 else (mantissa + 0x108) << (segment - 1)
    return magnitude if code & 0x80 else -magnitude


def _decoder(expand: Callable[[int], int]) -> Callable[[bytes], bytes]:
    low = bytes(expand(code) & 0xFF for code in range(256))
    high = bytes(expand(code) >> 8 & 0xFF for code in range(256))

    def decode(data: bytes) -> bytes:
        if data.count(data[:1]) == len(data):  # a line's silence, mostly
            return (data[:1].translate(low) + data[:1].translate(high)) * len(data)
        pcm = bytearray(2 * len(data))
        pcm[0::2], pcm[1::2] = data.translate(low), data.translate(high)
        return bytes(pcm)

    return decode


def _encoder(expand: Callable[[int], int]) -> Callable[[bytes], bytes]:
    """Nearest code by value. The table is made on first use: one entry for each of the 65,536 samples."""
    table: list[int] = []

    def fill() -> None:
        levels = sorted((expand(code), code) for code in range(256))
        at = 0
        for sample in range(-32768, 32768):
            while at + 1 < 256 and abs(levels[at + 1][0] - sample) <= abs(levels[at][0] - sample):
                at += 1
            table.append(levels[at][1])

    def encode(pcm: bytes) -> bytes:
        if not table:
            fill()
        samples = array("h", pcm)
        if sys.byteorder == "big":  # pragma: no cover
            samples.byteswap()
        return bytes([table[sample + 32768] for sample in samples])

    return encode


mulaw_to_linear = _decoder(_expand_mulaw)
"""Decode mu-law octets to signed 16-bit little-endian PCM of twice the size."""

alaw_to_linear = _decoder(_expand_alaw)
"""Decode A-law octets to signed 16-bit little-endian PCM of twice the size."""

linear_to_mulaw = _encoder(_expand_mulaw)
"""Encode signed 16-bit little-endian PCM as mu-law octets of half the size."""

linear_to_alaw = _encoder(_expand_alaw)
"""Encode signed 16-bit little-endian PCM as A-law octets of half the size."""


def to_linear(data: bytes, encoding: Encoding) -> bytes:
    """Decode to signed 16-bit little-endian PCM. 32-bit floats are clipped to full scale."""
    match encoding:
        case Encoding.MULAW:
            return mulaw_to_linear(data)
        case Encoding.ALAW:
            return alaw_to_linear(data)
        case Encoding.S16LE:
            return data
        case Encoding.F32LE:  # pragma: no branch - the last there is
            floats = array("f", data)
            return array("h", [max(-32768, min(32767, round(x * 32768))) for x in floats]).tobytes()


def from_linear(pcm: bytes, encoding: Encoding) -> bytes:
    """Encode signed 16-bit little-endian PCM."""
    match encoding:
        case Encoding.MULAW:
            return linear_to_mulaw(pcm)
        case Encoding.ALAW:
            return linear_to_alaw(pcm)
        case Encoding.S16LE:
            return pcm
        case Encoding.F32LE:  # pragma: no branch - the last there is
            return array("f", [x / 32768 for x in array("h", pcm)]).tobytes()
