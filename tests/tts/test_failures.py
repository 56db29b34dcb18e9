"""What a provider's refusals mean."""

import json

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
    ("code", "status", "passes"),
    [
        ("quota_exceeded", 402, False),
        ("concurrency_limited", 429, True),
        ("voice_model_mismatch", 400, False),
        ("voice_not_found", 404, False),
        ("model_not_found", 404, False),
        ("language_not_supported", 400, False),
        ("file_too_large", 413, False),
        ("unsupported_audio_format", 400, False),
        ("plan_upgrade_required", 402, False),
        ("plan_upgrade_required", 429, False),
        ("not_known_yet", 400, False),
        ("not_known_yet", 503, True),
        (None, 401, False),
        (None, 403, False),
        (None, 429, True),
    ],
)
def test_every_code_says_whether_it_helps_to_try_again(code: str | None, status: int, *, passes: bool) -> None:
    structured = {"type": "error", "context_id": "c", "status_code": status, "error_code": code, "title": "T"}
    parsed = parse_response(json.dumps(structured))
    assert isinstance(parsed, Failure)
    assert may_pass(parsed) is passes
    assert isinstance(as_error("acme", parsed), ProviderUnavailable if passes else ProviderRejected)


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
