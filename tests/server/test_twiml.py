"""What the carrier is told."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from agentvoice.server import twiml


def test_a_call_is_connected_to_the_stream_with_what_it_shall_carry() -> None:
    assert twiml.connect("wss://a.example/twilio/media", {"caller": "+4930123", "called": ""}) == (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="wss://a.example/twilio/media">'
        '<Parameter name="caller" value="+4930123"/></Stream></Connect></Response>'
    )


def test_what_a_caller_calls_himself_stays_a_value() -> None:
    nasty = '"/><Hangup/><x y="&'
    root = ET.fromstring(twiml.connect("wss://a.example/", {"caller": nasty}))
    parameter = root.find("./Connect/Stream/Parameter")
    assert parameter is not None
    assert parameter.get("value") == nasty
    assert [child.tag for child in root] == ["Connect"]


def test_a_call_that_is_turned_away_hears_a_busy_tone() -> None:
    reject = ET.fromstring(twiml.BUSY).find("./Reject")
    assert reject is not None
    assert reject.get("reason") == "busy"
