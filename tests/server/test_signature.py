"""Signatures, against the example in Twilio's documentation."""

from __future__ import annotations

import pytest

from agentvoice.server.signature import is_signed, sign

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
PARAMETERS = [
    ("Digits", "1234"),
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+12349013030"),
    ("From", "+12349013030"),
    ("To", "+18005551212"),
]
SIGNATURE = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


def test_the_example_of_the_documentation_comes_out() -> None:
    assert sign("12345", URL, PARAMETERS) == SIGNATURE


def test_the_right_signature_is_taken_and_any_other_refused() -> None:
    assert is_signed(SIGNATURE, "12345", URL, PARAMETERS)
    assert not is_signed(SIGNATURE, "12346", URL, PARAMETERS)
    assert not is_signed(SIGNATURE, "12345", URL + "&", PARAMETERS)
    assert not is_signed(SIGNATURE, "12345", URL, PARAMETERS[1:])
    assert not is_signed("", "12345", URL, PARAMETERS)
    assert not is_signed("ü", "12345", URL, PARAMETERS)


def test_a_parameter_that_is_sent_twice_counts_once() -> None:
    assert is_signed(SIGNATURE, "12345", URL, [*PARAMETERS, PARAMETERS[0]])


@pytest.mark.parametrize("signed", ["https://a.example:443/x", "https://a.example/x"])
@pytest.mark.parametrize("known", ["https://a.example:443/x", "https://a.example/x"])
def test_the_standard_port_may_be_said_or_left_out(signed: str, known: str) -> None:
    assert is_signed(sign("t", signed), "t", known)


def test_another_port_has_to_be_said() -> None:
    assert is_signed(sign("t", "http://a.example:8080/x"), "t", "http://a.example:8080/x")
    assert not is_signed(sign("t", "http://a.example/x"), "t", "http://a.example:8080/x")


def test_a_websocket_may_be_signed_with_a_slash_at_its_end_and_a_page_may_not() -> None:
    assert is_signed(sign("t", "wss://a.example/media/"), "t", "wss://a.example/media")
    assert not is_signed(sign("t", "https://a.example/voice/"), "t", "https://a.example/voice")
