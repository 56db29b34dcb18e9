"""What a carrier is told to do with a call: TwiML, a few elements of it. No clock, no socket.

Source: Twilio, "TwiML: <Connect>", "<Stream>", "<Reject>", "<Dial>", "<Number>", "<Sip>", "<Say>", "<Hangup>". When
the stream is closed, Twilio asks at the `action` of its `<Connect>` what comes next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr

_DOCUMENT: Final = '<?xml version="1.0" encoding="UTF-8"?><Response>{}</Response>'

MEDIA_TYPE: Final = "text/xml"
BUSY: Final = _DOCUMENT.format('<Reject reason="busy"/>')
"""Turn the call away; the caller hears a busy tone."""


HANG_UP: Final = _DOCUMENT.format("<Hangup/>")
"""End the call."""


def connect(url: str, parameters: Mapping[str, str], *, afterwards: str) -> str:
    """Connect the call to the WebSocket at `url`, and ask at `afterwards` what to do when that is closed.

    The stream's start message will carry the `parameters` that are not empty.
    """
    inside = "".join(
        f"<Parameter name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in parameters.items() if value
    )
    stream = f"<Stream url={quoteattr(url)}>{inside}</Stream>"
    return _DOCUMENT.format(f"<Connect action={quoteattr(afterwards)}>{stream}</Connect>")


def dial(to: str, *, whisper: str = "") -> str:
    """Put the caller through to a number or a `sip:` address, to whom the TwiML at `whisper` is played first."""
    kind = "Sip" if to.startswith(("sip:", "sips:")) else "Number"
    url = f" url={quoteattr(whisper)}" if whisper else ""
    return _DOCUMENT.format(f"<Dial><{kind}{url}>{escape(to)}</{kind}></Dial>")


def say(text: str) -> str:
    """Say something in the carrier's own voice."""
    return _DOCUMENT.format(f"<Say>{escape(text)}</Say>")
