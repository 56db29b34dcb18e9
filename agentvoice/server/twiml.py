"""What a carrier is told to do with a call: TwiML, a few elements of it. No clock, no socket.

Source: Twilio, "TwiML: <Connect><Stream>" and "<Reject>". Nothing follows the stream, so that Twilio hangs up
when the stream is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import quoteattr

_DOCUMENT: Final = '<?xml version="1.0" encoding="UTF-8"?><Response>{}</Response>'

MEDIA_TYPE: Final = "text/xml"
BUSY: Final = _DOCUMENT.format('<Reject reason="busy"/>')
"""Turn the call away; the caller hears a busy tone."""


def connect(url: str, parameters: Mapping[str, str]) -> str:
    """Connect the call to the WebSocket at `url`. Its start message will carry the `parameters` that are not empty."""
    inside = "".join(
        f"<Parameter name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in parameters.items() if value
    )
    return _DOCUMENT.format(f"<Connect><Stream url={quoteattr(url)}>{inside}</Stream></Connect>")
