"""What a provider's refusals mean."""

import pytest

from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.tts.failures import as_error, handshake_error, may_pass, reason_of
from agentvoice.tts.wire import Failure, parse_response


def failure(status: int, code: str | None = None, title: str = "Title", message: str = "what happened") -> Failure:
    return Failure("c1", status, title, message, code)


@pytest.mark.parametrize(
    "passing",
    [
        failure(429, "concurrency_limited"),
        failure(400, "concurrency_limited"),
        failure(500),
        failure(503),
        failure(408),
        failure(400, title="Context has closed", message="open a new one"),
    ],
)
def test_this_may_pass(passing: Failure) -> None:
    assert may_pass(passing)
    error = as_error("acme", passing)
    assert isinstance(error, ProviderUnavailable)
    assert error.context_id == "c1"


@pytest.mark.parametrize(
    "lasting",
    [failure(400), failure(401), failure(402, "quota_exceeded"), failure(429, "quota_exceeded"), failure(404)],
)
def test_this_will_not_pass(lasting: Failure) -> None:
    assert not may_pass(lasting)
    assert isinstance(as_error("acme", lasting), ProviderRejected)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            '{"type":"error","context_id":"c1","status_code":404,"title":"Voice not found","message":"no\\nvoice"}',
            "Voice not found: no voice",
        ),
        ('{"type":"error","context_id":"c1","status_code":400,"error":"Bad: really bad"}', "Bad: really bad"),
        ('{"type":"error","context_id":"c1","error_code":"odd"}', "odd"),
        ('{"type":"error","context_id":"c1"}', "failed without a word"),
    ],
)
def test_both_shapes_have_a_reason_of_one_line(message: str, reason: str) -> None:
    parsed = parse_response(message)
    assert isinstance(parsed, Failure)
    assert reason_of(parsed) == reason


def test_a_refused_handshake_says_what_to_do() -> None:
    error = handshake_error("acme", 401, "Unauthorized:\n  bad key")
    assert isinstance(error, ProviderRejected)
    assert str(error) == ("acme: the connection was refused with status 401: check the API key: Unauthorized: bad key")
    assert isinstance(handshake_error("acme", 429, ""), ProviderUnavailable)
    assert isinstance(handshake_error("acme", 503, ""), ProviderUnavailable)
