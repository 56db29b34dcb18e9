"""What travels over HTTP instead of a socket: bodies of requests, errors, events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

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

from .containers import BIT_RATES, Container, Mp3, Raw, Wav


@dataclass(frozen=True, slots=True)
class Order:
    """Speech that was asked for in one HTTP request."""

    generate: Generate
    container: Container


def read_order(body: bytes, version: str, *, request_id: str, containers: tuple[str, ...]) -> Order:
    """Read the body of `POST /tts/bytes` or `POST /tts/sse`, whose `output_format` may have one of `containers`.

    Raises:
        RequestRejected: it cannot be read, or asks for what is not here.
    """
    try:
        members: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise rejected(None, "Invalid request", str(error)) from error
    wanted = members.get("output_format") if isinstance(members, dict) else None
    output: dict[str, Any] = wanted if isinstance(wanted, dict) else {}
    container = output.get("container") or "raw"
    if container not in containers:
        message = f"output_format.container must be one of {', '.join(containers)}"
        raise rejected(None, "Unsupported output format", message, error_code="unsupported_audio_format")
    if output:
        encoding = Encoding.S16LE if container == "mp3" else output.get("encoding")
        members = members | {"output_format": output | {"container": "raw", "encoding": encoding}}
    request = parse_request(msgspec.json.encode(members), version, default_id=request_id)
    if isinstance(request, Cancel) or request.output is None:
        raise rejected(None, "transcript empty", "there is nothing to speak")
    whole = replace(request, continue_=False, flush=False, max_buffer_delay_ms=None)
    return Order(whole, _container(container, request.output, output))


def _container(name: str, audio: AudioFormat, wanted: Mapping[str, Any]) -> Container:
    if name == "wav":
        return Wav(audio)
    if name == "raw":
        return Raw()
    bit_rate = wanted.get("bit_rate", 128000)
    if bit_rate not in BIT_RATES:
        message = f"output_format.bit_rate must be one of {', '.join(map(str, BIT_RATES))}"
        raise rejected(None, "Unsupported output format", message, error_code="unsupported_audio_format")
    return Mp3(audio, bit_rate)


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
