"""What the server says: responses, as JSON text and back.

Reading never fails: a client must live with message types that do not exist yet, and a server that is kind to clients
names the context in every message, sends no empty chunk, and `done` as a message of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from ._json import UNREADABLE, encode, said
from .messages import (
    CURRENT_VERSION,
    Chunk,
    Done,
    Failure,
    FlushDone,
    Interval,
    PhonemeTimestamps,
    Reply,
    Response,
    Timestamps,
    Unknown,
    UnknownMember,
    has_structured_errors,
)

_STATUS: Final = 206
"""What the provider's documentation shows on everything but errors; no client looks at it."""


class _Words(msgspec.Struct):
    start: list[float]
    end: list[float]
    words: list[str] = []
    phonemes: list[str] = []


class _Response(msgspec.Struct):
    """Members of all types at once. What nobody depends on is `Any`, so that its oddness costs nothing."""

    type: str | None = None
    context_id: str | None = None
    data: bytes | None = None
    step_time: Any = None
    flush_id: Any = None
    word_timestamps: _Words | None = None
    phoneme_timestamps: _Words | None = None
    error: Any = None
    status_code: Any = None
    error_code: Any = None
    title: Any = None
    message: Any = None
    request_id: Any = None


class _KnownResponse(_Response, forbid_unknown_fields=True):
    """All members that any version has."""

    done: Any = None
    flush_done: Any = None
    doc_url: Any = None


_response: Final = msgspec.json.Decoder(_Response)
_known_response: Final = msgspec.json.Decoder(_KnownResponse)


def parse_response(message: str | bytes) -> Reply | Unknown:
    """Read what a server sends. Never raises: what makes no sense is `Unknown`."""
    try:
        return _meaning(_response.decode(message), len(message))
    except UNREADABLE:
        return Unknown(None, None, len(message))


def parse_responses(message: str | bytes) -> Sequence[Response]:
    """As `parse_response`, and tell of a member that no version has: the protocol has moved on."""
    try:
        return (_meaning(_known_response.decode(message), len(message)),)
    except UNREADABLE as error:
        response = parse_response(message)
        if isinstance(response, Unknown):
            return (response,)
        return response, UnknownMember(response.context_id, str(error))


def _meaning(read: _Response, size: int) -> Reply | Unknown:
    context_id = read.context_id
    if read.type == "error" or (read.type is None and read.error):
        return _failure(read)
    if context_id is None:  # nobody can tell whom it is for
        return Unknown(None, read.type, size)
    flush_id = read.flush_id if isinstance(read.flush_id, int) else None
    match read.type:
        case "chunk" if read.data:
            return Chunk(context_id, read.data, _number(read.step_time), flush_id)
        case "timestamps" | "timestamp" if read.word_timestamps:
            return Timestamps(context_id, _intervals(read.word_timestamps.words, read.word_timestamps), flush_id)
        case "phoneme_timestamps" if read.phoneme_timestamps:
            spoken = read.phoneme_timestamps
            return PhonemeTimestamps(context_id, _intervals(spoken.phonemes, spoken), flush_id)
        case "flush_done":
            return FlushDone(context_id, flush_id)
        case "done":
            return Done(context_id)
        case _:
            return Unknown(context_id, read.type, size)


def _intervals(names: Iterable[str], at: _Words) -> tuple[Interval, ...]:
    return tuple(zip(names, at.start, at.end, strict=False))


def _number(given: Any) -> float:
    return float(given) if isinstance(given, int | float) and math.isfinite(given) else 0.0


def _failure(read: _Response) -> Failure:
    """Both shapes: members of their own, or `Title: message` in one."""
    title, _, message = _text(read.error).partition(": ")
    return Failure(
        read.context_id,
        read.status_code if isinstance(read.status_code, int) else 500,
        _text(read.title) or title,
        _text(read.message) or message,
        _text(read.error_code) or None,
        _text(read.request_id) or None,
    )


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def render_response(response: Reply, version: str = CURRENT_VERSION) -> str:
    """Write what a server sends, as a client of `version` expects it."""
    context_id = response.context_id
    match response:
        case Chunk(_, audio, step_ms, flush_id):
            # Members that are strictly required by SDK 2.x: all of them but the last.
            own = {"data": audio, "step_time": step_ms, "flush_id": flush_id}
            return encode(said(_common("chunk", context_id) | own))
        case Timestamps(_, words, flush_id):
            own = {"word_timestamps": _arrays("words", words), "flush_id": flush_id}
            return encode(said(_common("timestamps", context_id) | own))
        case PhonemeTimestamps(_, phonemes, flush_id):
            own = {"phoneme_timestamps": _arrays("phonemes", phonemes), "flush_id": flush_id}
            return encode(said(_common("phoneme_timestamps", context_id) | own))
        case FlushDone(_, flush_id):
            own = {"data": "", "flush_id": flush_id, "flush_done": True}  # the empty `data` is the real service's
            return encode(_common("flush_done", context_id) | own)
        case Done():
            return encode(_common("done", context_id) | {"done": True})
    return encode(_render_failure(response, version))


def _common(kind: str, context_id: str | None) -> dict[str, Any]:
    return {"type": kind, "context_id": context_id, "status_code": _STATUS, "done": False}


def _arrays(name: str, intervals: Iterable[Interval]) -> dict[str, Any]:
    names, start, end = zip(*intervals, strict=True) if intervals else ((), (), ())
    return {name: names, "start": start, "end": end}


def _render_failure(failure: Failure, version: str) -> dict[str, Any]:
    """`context_id` is written even when it is null: some clients index it without asking."""
    common = {"type": "error", "context_id": failure.context_id, "status_code": failure.status_code, "done": True}
    if not has_structured_errors(version):
        return common | {"error": failure_line(failure)}
    own = {"error_code": failure.error_code, "title": failure.title, "message": failure.message}
    return common | own | said({"request_id": failure.request_id})


def failure_line(failure: Failure) -> str:
    """Return the failure as versions before 2026-03-01 write it."""
    return f"{failure.title}: {failure.message}"
