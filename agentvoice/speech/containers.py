"""What `POST /tts/bytes` wraps audio in: nothing, WAV, or MP3 where an encoder is installed."""

from __future__ import annotations

import struct
from typing import Any, Final, Protocol

from agentvoice.audio import AudioFormat, Encoding
from agentvoice.tts.wire import rejected

_WAV_FORMATS: Final = {Encoding.S16LE: 1, Encoding.F32LE: 3, Encoding.ALAW: 6, Encoding.MULAW: 7}
_UNTOLD: Final = 0xFFFFFFFF
"""A length that is not known yet, as the real service writes it."""
BIT_RATES: Final = (32000, 64000, 96000, 128000, 192000)
"""Bits a second that the protocol knows for MP3."""


class Container(Protocol):
    """Wraps audio as it comes. Blocks for some milliseconds at most."""

    media_type: str

    def begin(self) -> bytes:
        """Return what comes before all audio."""

    def wrap(self, audio: bytes) -> bytes:
        """Return what a piece of audio becomes, which may be nothing yet."""

    def end(self) -> bytes:
        """Return what comes after all audio."""


class Raw:
    """Audio as it is."""

    media_type = "application/octet-stream"

    def begin(self) -> bytes:
        """There is no header."""
        return b""

    def wrap(self, audio: bytes) -> bytes:
        """Return the same."""
        return audio

    def end(self) -> bytes:
        """There is no trailer."""
        return b""


class Wav(Raw):
    """A WAV file. Mostly its length is not known when its header is written; `size` is that of its audio, in bytes."""

    media_type = "audio/wav"

    def __init__(self, audio: AudioFormat, *, size: int | None = None) -> None:
        self._audio = audio
        self._size = size

    def begin(self) -> bytes:
        """Return the header: 44 bytes, of which the first chunk's length leaves out eight."""
        whole, data = (_UNTOLD, _UNTOLD) if self._size is None else (36 + self._size, self._size)
        kind, width = _WAV_FORMATS[self._audio.encoding], self._audio.sample_bytes
        layout = struct.pack(
            "<HHIIHH", kind, 1, self._audio.sample_rate, self._audio.bytes_per_second, width, 8 * width
        )
        riff = b"RIFF" + struct.pack("<I", whole) + b"WAVE"
        return riff + b"fmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", data)


class Mp3(Raw):
    """MP3, encoded by LAME from signed 16-bit PCM. Needs the `mp3` extra.

    Raises:
        RequestRejected: the encoder is not installed.
    """

    media_type = "audio/mpeg"

    def __init__(self, audio: AudioFormat, bit_rate: int) -> None:
        try:
            import lameenc  # noqa: PLC0415  # only who asks for MP3 needs it
        except ImportError as error:
            message = "this server has no MP3 encoder; ask for raw or wav, or install agentvoice[mp3] where it runs"
            raise rejected(None, "Unsupported output format", message, error_code="unsupported_audio_format") from error
        self._encoder: Any = lameenc.Encoder()
        self._encoder.set_channels(1)
        self._encoder.set_in_sample_rate(audio.sample_rate)
        self._encoder.set_bit_rate(bit_rate // 1000)
        self._encoder.set_quality(5)
        self._encoder.silence()

    def wrap(self, audio: bytes) -> bytes:
        """Return the frames that are complete."""
        return bytes(self._encoder.encode(audio))

    def end(self) -> bytes:
        """Return the last frames."""
        return bytes(self._encoder.flush())
