"""What travels over HTTP instead of a socket: bodies of requests, headers of files, errors, events."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from agentvoice.audio import AudioFormat, Encoding
from agentvoice.tts.wire import (
    Cancel,
    Failure,
    Generate,
    Reply,
    failure_line,
    has_structured_errors,
    parse_request,
    rejected,
    render_response,
)

_WAV_FORMATS: Final = {Encoding.S16LE: 1, Encoding.F32LE: 3, Encoding.ALAW: 6, Encoding.MULAW: 7}
_UNTOLD: Final = 0xFFFFFFFF
"""A length that is not known yet, as the real service writes it."""


@dataclass(frozen=True, slots=True)
class Order:
    """Speech that was asked for in one HTTP request."""

    generate: Generate
    container: str
    """`raw` or `wav`."""


def read_order(body: bytes, version: str, *, request_id: str, containers: tuple[str, ...]) -> Order:
    """Read the body of `POST /tts/bytes` or `POST /tts/sse`.

    Raises:
        RequestRejected: it cannot be read, or asks for what is not here.
    """
    try:
        members: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise rejected(None, "Invalid request", str(error)) from error
    wanted = members.get("output_format") if isinstance(members, dict) else None
    container = wanted.get("container") if isinstance(wanted, dict) else None
    if container is not None and container not in containers:
        message = f"output_format.container must be one of {', '.join(containers)}"
        raise rejected(None, "Unsupported output format", message, error_code="unsupported_audio_format")
    if isinstance(wanted, dict):
        members = members | {"output_format": wanted | {"container": "raw"}, "cancel": None}
    request = parse_request(msgspec.json.encode(members), version, default_id=request_id)
    if isinstance(request, Cancel):  # no format, so it is nothing that can be spoken either
        raise rejected(None, "Invalid request", "there is nothing to cancel here")
    if not request.transcript.strip():
        raise rejected(None, "transcript empty", "there is nothing to speak")
    whole = replace(request, continue_=False, flush=False, max_buffer_delay_ms=None)
    return Order(whole, container or "raw")


def wav_header(audio: AudioFormat) -> bytes:
    """Return the header of a WAV file whose length is not known yet."""
    kind, width = _WAV_FORMATS[audio.encoding], audio.sample_bytes
    layout = struct.pack("<HHIIHH", kind, 1, audio.sample_rate, audio.bytes_per_second, width, 8 * width)
    return b"".join(
        (
            b"RIFF" + struct.pack("<I", _UNTOLD) + b"WAVE",
            b"fmt " + struct.pack("<I", len(layout)) + layout,
            b"data" + struct.pack("<I", _UNTOLD),
        )
    )


def event(reply: Reply, version: str) -> str:
    """Return a message as a server-sent event, named by its type."""
    data = render_response(reply, version)
    name: str = msgspec.json.decode(data)["type"]
    return f"event: {name}\ndata: {data}\n\n"


def error_body(failure: Failure, version: str) -> tuple[bytes, str]:
    """Return the body of an HTTP error, and its media type."""
    if not has_structured_errors(version):
        return failure_line(failure).encode(), "text/plain; charset=utf-8"
    members: Mapping[str, Any] = {
        "error_code": failure.error_code,
        "title": failure.title,
        "message": failure.message,
        "request_id": failure.request_id,
        "status_code": failure.status_code,
    }
    return msgspec.json.encode(members), "application/json"
