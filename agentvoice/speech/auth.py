"""Who may use the speech server: one key, and short-lived tokens made from it. No clock here: `now` is an argument."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

LONGEST_TOKEN_S: Final = 3600
"""The longest that an access token may be good for, in seconds."""


class Gate:
    """Admits who brings the key, or a token that has not expired. Without a key it admits everybody."""

    def __init__(self, api_key: str | None) -> None:
        self._key = api_key
        self._secret = secrets.token_bytes(32)

    def admits(self, headers: Mapping[str, str], query: Mapping[str, str], *, now: float) -> bool:
        """Return whether any of the four places holds something good: `Authorization: Bearer`, `X-API-Key`,
        `?api_key=` or `?access_token=`."""
        return self._key is None or any(self._is_good(given, now) for given in _credentials(headers, query))

    def issue(self, expires_in_s: float, *, now: float) -> str:
        """Return an access token that is good for that long."""
        until = f"{now + expires_in_s:.3f}"
        return f"{until}.{self._sign(until)}"

    def _is_good(self, given: str, now: float) -> bool:
        if self._key is not None and hmac.compare_digest(given.encode(), self._key.encode()):
            return True
        until, _, signature = given.rpartition(".")
        # The signature first: what is not ours need not even be a number.
        return hmac.compare_digest(signature.encode(), self._sign(until).encode()) and now < float(until)

    def _sign(self, until: str) -> str:
        return hmac.new(self._secret, until.encode(), sha256).hexdigest()


def _credentials(headers: Mapping[str, str], query: Mapping[str, str]) -> Iterator[str]:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield token.strip()
    for given in (headers.get("x-api-key"), query.get("api_key"), query.get("access_token")):
        if given:
            yield given
