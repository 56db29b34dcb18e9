"""What the carrier is told."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from agentvoice.server import twiml


def test_a_call_is_connected_to_the_stream_with_what_it_shall_carry() -> None:
    given = {"caller": "+4930123", "called": ""}
    assert twiml.connect("wss://a.example/twilio/media", given, afterwards="https://a.example/twilio/after") == (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect action="https://a.example/twilio/after">'
        '<Stream url="wss://a.example/twilio/media">'
        '<Parameter name="caller" value="+4930123"/></Stream></Connect></Response>'
    )


def test_what_a_caller_calls_himself_stays_a_value() -> None:
    nasty = '"/><Hangup/><x y="&'
    root = ET.fromstring(twiml.connect("wss://a.example/", {"caller": nasty}, afterwards="https://a.example/"))
    parameter = root.find("./Connect/Stream/Parameter")
    assert parameter is not None
    assert parameter.get("value") == nasty
    assert [child.tag for child in root] == ["Connect"]


def test_a_caller_is_put_through_to_a_number_or_an_address() -> None:
    assert "<Dial><Number>+15550100</Number></Dial>" in twiml.dial("+15550100")
    assert "<Dial><Sip>sip:desk@a.example?x=1&amp;y=2</Sip></Dial>" in twiml.dial("sip:desk@a.example?x=1&y=2")


def test_whoever_is_rung_may_be_told_something_first() -> None:
    number = ET.fromstring(twiml.dial("+15550100", whisper="https://a.example/w?call=CA1&x=2")).find("./Dial/Number")
    assert number is not None
    assert number.get("url") == "https://a.example/w?call=CA1&x=2"
    assert ET.fromstring(twiml.say("a < b & c")).findtext("./Say") == "a < b & c"


def test_a_call_that_is_turned_away_hears_a_busy_tone() -> None:
    reject = ET.fromstring(twiml.BUSY).find("./Reject")
    assert reject is not None
    assert reject.get("reason") == "busy"
