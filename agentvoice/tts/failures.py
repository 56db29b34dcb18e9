"""What a speech provider's refusals mean: does it help to try again?"""

from __future__ import annotations

from typing import Final

from agentvoice.errors import ProviderError, ProviderRejected, ProviderUnavailable

from .messages import Failure

_MAY_PASS: Final = frozenset({"concurrency_limited"})
_WILL_NOT_PASS: Final = frozenset({"quota_exceeded", "plan_upgrade_required"})
_PASSING_STATUS: Final = frozenset({408, 409, 425, 429})
_GONE: Final = ("context has closed", "context has expired", "context closed", "context expired")
"""How providers word a request that crossed the context's expiry: the next context will do."""


def may_pass(failure: Failure) -> bool:
    """Return whether the same text may succeed in another context."""
    if failure.error_code in _WILL_NOT_PASS:
        return False
    if failure.error_code in _MAY_PASS or status_may_pass(failure.status_code):
        return True
    return any(words in reason_of(failure).lower() for words in _GONE)


def status_may_pass(status: int) -> bool:
    """Return whether what has this HTTP status may succeed later."""
    return status in _PASSING_STATUS or status >= 500


def reason_of(failure: Failure) -> str:
    """Return the failure in one line."""
    words = ": ".join(filter(None, [failure.title, failure.message])) or failure.error_code or "failed without a word"
    return " ".join(words.split())


def as_error(provider: str, failure: Failure) -> ProviderError:
    """Return the failure as an error to raise."""
    kind = ProviderUnavailable if may_pass(failure) else ProviderRejected
    return kind(provider, reason_of(failure), context_id=failure.context_id)


_HINTS: Final = {
    401: "check the API key",
    402: "the account has no credit left",
    403: "the key is not allowed to do this",
    404: "check the URL",
    429: "too many connections at once",
}


def handshake_error(provider: str, status: int, body: str) -> ProviderError:
    """Return the error of a WebSocket handshake that was answered with an HTTP `status`."""
    said = " ".join(body.split())[:200]
    reason = ": ".join(filter(None, [f"the connection was refused with status {status}", _HINTS.get(status), said]))
    return (ProviderUnavailable if status_may_pass(status) else ProviderRejected)(provider, reason)
