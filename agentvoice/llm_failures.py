"""What the refusals of a language model's HTTP endpoint mean: does it help to try again, and what has to be set?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from .errors import ProviderError, ProviderRejected, ProviderUnavailable
from .token_shapes import at

_HINTS: Final[Mapping[int, str]] = {
    401: "check the API key",
    402: "the account has no credit left",
    403: "the key is not allowed to do this",
    404: "check the model and the URL",
    413: "the conversation is too long",
    429: "too many requests",
    529: "overloaded",
}
_PASSING: Final = frozenset({408, 409, 425, 429})
_NO_CREDIT: Final = frozenset({"insufficient_quota", "billing_error", "credit_balance_too_low"})
"""What providers say with 429 or 400 when waiting will not help."""


def refusal(
    provider: str, status: int, body: bytes, *, retry_after: str | None = None, hints: Mapping[int, str] | None = None
) -> ProviderError:
    """Return the error of a request that was answered with `status`; `hints` name the way out, status by status.

    `retry_after` is the header of that name, which some send with 429 and 503.
    """
    said, code = _said(body)
    hint = {**_HINTS, **(hints or {})}.get(status, "")
    when = f"it asks to wait {retry_after} s" if retry_after and retry_after.isdecimal() else ""
    reason = "; ".join(filter(None, [f"answers {status}", hint, said, when]))
    passing = (status in _PASSING or status >= 500) and code not in _NO_CREDIT
    return (ProviderUnavailable if passing else ProviderRejected)(provider, reason)


def _said(body: bytes) -> tuple[str, str]:
    """Return the message and the code of an error, as most of them are written; else the beginning of whatever came."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        found = None
    if isinstance(found, list):  # Google's
        found = found[0] if found else None
    message = at(found, "error.message") or at(found, "message") or at(found, "detail") or at(found, "error")
    code = at(found, "error.code") or at(found, "error.type")
    if not isinstance(message, str):
        message = body[:300].decode(errors="replace")
    return " ".join(message.split())[:200], str(code or "")
