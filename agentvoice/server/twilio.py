"""The messages of Twilio Media Streams, both ends. Sans-I/O: text in, values out, and back.

Source: Twilio's documentation, "Media Streams: WebSocket messages". The carrier sends `connected`, `start`, `media`,
`dtmf`, `mark`, `stop`; it takes `media`, `mark`, `clear`. Audio is base64 of G.711 mu-law, 8 kHz, 20 ms a message.
Numbers come as strings; members that are not named here are ignored.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from agentvoice.errors import RemoteProtocolError


class MediaFormat(msgspec.Struct, frozen=True, rename="camel"):
    """What the audio of a stream is."""

    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8000
    channels: int = 1


class StartBody(msgspec.Struct, frozen=True, rename="camel"):
    """Which call a stream belongs to."""

    stream_sid: str = ""
    call_sid: str = ""
    account_sid: str = ""
    tracks: tuple[str, ...] = ("inbound",)
    media_format: MediaFormat = MediaFormat()
    custom_parameters: dict[str, str] = {}


class MediaBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of audio."""

    payload: bytes
    track: str = ""
    chunk: str | int = ""
    """Counts the pieces, from 1."""
    timestamp: str | int = ""
    """Milliseconds since the stream began."""


class MarkBody(msgspec.Struct, frozen=True):
    """A label."""

    name: str


class DtmfBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key."""

    digit: str
    track: str = ""


class StopBody(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Which call has ended."""

    account_sid: str = ""
    call_sid: str = ""


class Connected(msgspec.Struct, frozen=True, tag_field="event", tag="connected"):
    """The first message of a stream."""

    protocol: str = "Call"
    version: str = "1.0.0"


class Start(msgspec.Struct, frozen=True, tag_field="event", tag="start", rename="camel"):
    """The second: everything about the call."""

    start: StartBody
    stream_sid: str = ""
    sequence_number: str = "1"


class Media(msgspec.Struct, frozen=True, tag_field="event", tag="media", rename="camel", omit_defaults=True):
    """Audio, in either direction."""

    media: MediaBody
    stream_sid: str = ""
    sequence_number: str = ""


class Mark(msgspec.Struct, frozen=True, tag_field="event", tag="mark", rename="camel", omit_defaults=True):
    """A label to the carrier; the same back once everything before it was played, or cleared."""

    mark: MarkBody
    stream_sid: str = ""
    sequence_number: str = ""


class Dtmf(msgspec.Struct, frozen=True, tag_field="event", tag="dtmf", rename="camel", omit_defaults=True):
    """The caller pressed a key."""

    dtmf: DtmfBody
    stream_sid: str = ""
    sequence_number: str = ""


class Stop(msgspec.Struct, frozen=True, tag_field="event", tag="stop", rename="camel", omit_defaults=True):
    """The call, or the stream, is over."""

    stop: StopBody = StopBody()
    stream_sid: str = ""
    sequence_number: str = ""


class Clear(msgspec.Struct, frozen=True, tag_field="event", tag="clear", rename="camel", omit_defaults=True):
    """To the carrier: forget what was not played, and return the marks of it."""

    stream_sid: str = ""


FromCarrier: TypeAlias = Connected | Start | Media | Mark | Dtmf | Stop
ToCarrier: TypeAlias = Media | Mark | Clear

_FROM_CARRIER: Final[msgspec.json.Decoder[FromCarrier]] = msgspec.json.Decoder(FromCarrier, strict=False)
_TO_CARRIER: Final[msgspec.json.Decoder[ToCarrier]] = msgspec.json.Decoder(ToCarrier, strict=False)
_ENCODER: Final = msgspec.json.Encoder()


def parse_from_carrier(message: str | bytes) -> FromCarrier:
    """Read what a carrier sent.

    Raises:
        RemoteProtocolError: it is no such message; the text says what is wrong with it.
    """
    try:
        return _FROM_CARRIER.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _nonsense(error) from error


def parse_to_carrier(message: str | bytes) -> ToCarrier:
    """Read what was sent to a carrier; raises as `parse_from_carrier`."""
    try:
        return _TO_CARRIER.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _nonsense(error) from error


def _nonsense(error: Exception) -> RemoteProtocolError:
    return RemoteProtocolError(f"not a message of Twilio Media Streams: {error}")


def render(message: FromCarrier | ToCarrier) -> str:
    """Write a message of either end."""
    return _ENCODER.encode(message).decode()


def render_audio(stream_sid: str, audio: bytes) -> str:
    """Write a piece of audio for the carrier."""
    return render(Media(MediaBody(audio), stream_sid=stream_sid))
