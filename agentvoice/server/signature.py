"""Who rings: the signature that Twilio puts on everything it asks of a server. No clock, no socket.

Source: Twilio, "Security: validating requests". The signature is the base64 of HMAC-SHA1 over the URL as Twilio
knows it, followed by each POST parameter's name and value in order of their names. A WebSocket handshake is signed
like a GET, over its `wss://` address.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1
from typing import Final
from urllib.parse import urlsplit

HEADER: Final = "x-twilio-signature"
_PORTS: Final = {"https": 443, "http": 80, "wss": 443, "ws": 80}


def sign(token: str, url: str, parameters: Iterable[tuple[str, str]] = ()) -> str:
    """Return the signature of a request for `url` with these POST parameters, made with an account's auth token."""
    text = url + "".join(name + value for name, value in sorted(set(parameters)))
    return b64encode(hmac.digest(token.encode(), text.encode(), sha1)).decode()


def is_signed(signature: str, token: str, url: str, parameters: Iterable[tuple[str, str]] = ()) -> bool:
    """Whether `signature` is right. Takes the same time however wrong it is."""
    parameters = list(parameters)
    return any(
        hmac.compare_digest(sign(token, known, parameters).encode(), signature.encode()) for known in _spellings(url)
    )


def _spellings(url: str) -> Iterable[str]:
    """Twilio signs some URLs with their standard port and some without, and a WebSocket's with a slash at its end."""
    parts = urlsplit(url)
    port = _PORTS.get(parts.scheme)
    host = parts.netloc.removesuffix(f":{port}")
    for netloc in (parts.netloc, host, f"{host}:{port}" if ":" not in host else host):
        yield parts._replace(netloc=netloc).geturl()
        if parts.scheme in {"ws", "wss"}:
            yield parts._replace(netloc=netloc, path=parts.path.rstrip("/") + "/").geturl()
