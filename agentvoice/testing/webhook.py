"""Edge: asks an agent's voice webhook what to do with a call, as Twilio does. Blocks; run it in a thread.

Source: Twilio's documentation, "TwiML for Programmable Voice", `<Connect>` and `<Stream>`. The webhook is posted a
form, and answers with XML that names the media stream, and parameters that its `start` message is to carry.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from agentvoice.errors import UsageError

START_ONE: Final = "start an agent with: agentvoice serve MODULE:AGENT"
_LARGEST: Final = 1 << 16
_ELSEWHERE: Final = "an agent's webhook is /twilio/voice"


def ask_webhook(url: str, form: Mapping[str, str], *, timeout_s: float = 10.0) -> tuple[str, dict[str, str]]:
    """Return the URL of the media stream that the call is to be connected to, and the stream's parameters.

    Raises:
        UsageError: nobody answers there, or not with a media stream.
    """
    # A proxy is for the world outside; there one speaks https.
    proxies: dict[str, str] | None = {} if url.startswith("http:") else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    try:
        with opener.open(url, urlencode(form).encode(), timeout=timeout_s) as answer:
            twiml = answer.read(_LARGEST)
    except urllib.error.HTTPError as error:
        error.close()
        raise UsageError(f"{url} answers {error.code} {error.reason}; {_ELSEWHERE}") from error
    except OSError as error:
        raise UsageError(f"nobody answers at {url} ({getattr(error, 'reason', error)}); {START_ONE}") from error
    except (HTTPException, ValueError) as error:
        raise UsageError(f"what answers at {url} does not speak HTTP ({type(error).__name__}); {_ELSEWHERE}") from error
    return _stream(twiml, url)


def _stream(twiml: bytes, url: str) -> tuple[str, dict[str, str]]:
    try:
        stream = ET.fromstring(twiml).find("Connect/Stream")  # noqa: S314 - small, and today's expat knows the tricks
    except ET.ParseError:
        stream = None
    if stream is None or not stream.get("url"):
        raise UsageError(f"{url} does not connect the call to a media stream; {_ELSEWHERE}")
    named = {item.get("name", ""): item.get("value", "") for item in stream.findall("Parameter")}
    return stream.get("url", ""), named
