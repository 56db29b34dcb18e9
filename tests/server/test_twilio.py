import json
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from agentvoice.errors import RemoteProtocolError
from agentvoice.server.twilio import (
    Clear,
    Connected,
    Dtmf,
    DtmfBody,
    Mark,
    MarkBody,
    Media,
    MediaBody,
    Start,
    StartBody,
    Stop,
    parse_from_carrier,
    parse_to_carrier,
    render,
    render_audio,
)

# As in Twilio's documentation, with values of our own.
START = """{"event": "start", "sequenceNumber": "1", "start": {"accountSid": "AC1", "streamSid": "MZ1",
  "callSid": "CA1", "tracks": ["inbound"], "customParameters": {"table": "5"},
  "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}, "streamSid": "MZ1"}"""
MEDIA = """{"event": "media", "sequenceNumber": "3", "media": {"track": "inbound", "chunk": "1",
  "timestamp": "5", "payload": "//8="}, "streamSid": "MZ1"}"""


def test_a_start_tells_which_call_it_is() -> None:
    start = parse_from_carrier(START)

    assert isinstance(start, Start)
    assert (start.stream_sid, start.start.call_sid, start.start.custom_parameters) == ("MZ1", "CA1", {"table": "5"})


def test_media_is_audio() -> None:
    media = parse_from_carrier(MEDIA)

    assert isinstance(media, Media)
    assert (media.media.payload, media.media.timestamp) == (b"\xff\xff", "5")


def test_numbers_may_come_as_numbers_too() -> None:
    media = parse_from_carrier('{"event":"media","media":{"payload":"","chunk":1,"timestamp":20}}')

    assert isinstance(media, Media)
    assert media.media.timestamp == 20


@pytest.mark.parametrize(
    "message",
    [
        Connected(),
        Start(StartBody(stream_sid="MZ1"), stream_sid="MZ1"),
        Media(MediaBody(b"\x00\xff", "inbound", "1", "20"), "MZ1", "4"),
        Mark(MarkBody("c1/160"), "MZ1", "5"),
        Dtmf(DtmfBody("#", "inbound_track"), "MZ1", "6"),
        Stop(),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_the_carrier_says_survives_the_wire(message: Connected) -> None:
    assert parse_from_carrier(render(message)) == message


def test_what_the_carrier_is_told_survives_the_wire() -> None:
    assert parse_to_carrier(render(Clear("MZ1"))) == Clear("MZ1")
    assert json.loads(render(Clear("MZ1"))) == {"event": "clear", "streamSid": "MZ1"}
    assert json.loads(render_audio("MZ1", b"\xff\xff")) == {
        "event": "media",
        "media": {"payload": "//8="},
        "streamSid": "MZ1",
    }


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "{",
        "[]",
        "null",
        '{"event":"dance"}',
        '{"event":"media"}',
        '{"event":"media","media":{"payload":"?"}}',
        b"\xff",
    ],
)
@pytest.mark.parametrize("parse", [parse_from_carrier, parse_to_carrier])
def test_nonsense_is_the_peer_s_fault_and_says_what_is_wrong(parse, nonsense: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="not a message of Twilio Media Streams"):
        parse(nonsense)


@given(st.text() | st.binary())
def test_no_input_does_worse_than_that(message: str | bytes) -> None:
    with suppress(RemoteProtocolError):
        parse_from_carrier(message)
