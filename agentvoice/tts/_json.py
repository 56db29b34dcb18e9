"""JSON as text, the way this protocol wants it: bytes as base64, and nothing where there is nothing to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What a decoder raises about a peer's message, however odd: text cut inside a character, nesting without end."""

_encoder: Final = msgspec.json.Encoder()


def encode(members: Mapping[str, Any]) -> str:
    """Return a JSON object, as WebSocket text frames want it."""
    return _encoder.encode(members).decode()


def said(members: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is `None`."""
    return {name: value for name, value in members.items() if value is not None}
