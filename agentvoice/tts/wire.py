"""The context protocol on the wire, for both ends. Nothing here waits or keeps state.

    client                                        server
    render_request(Generate | Cancel)       ───►  parse_request      raises RequestRejected, which holds its answer
    parse_response, which never raises      ◄───  render_response(Chunk | Timestamps | ... | Failure)

Versions are the protocol's dates (`2026-03-01`), compared as text.
"""

from __future__ import annotations

from .messages import (
    CURRENT_VERSION,
    Cancel,
    Chunk,
    Done,
    Failure,
    FlushDone,
    Generate,
    GenerationConfig,
    Interval,
    PhonemeTimestamps,
    Reply,
    Request,
    RequestRejected,
    Response,
    Timestamps,
    Unknown,
    UnknownMember,
    first_flush_id,
    has_structured_errors,
    rejected,
)
from .requests import (
    SAMPLE_RATES,
    parse_output,
    parse_request,
    render_request,
)
from .responses import (
    failure_line,
    parse_response,
    parse_responses,
    render_response,
)

__all__ = [
    "CURRENT_VERSION",
    "SAMPLE_RATES",
    "Cancel",
    "Chunk",
    "Done",
    "Failure",
    "FlushDone",
    "Generate",
    "GenerationConfig",
    "Interval",
    "PhonemeTimestamps",
    "Reply",
    "Request",
    "RequestRejected",
    "Response",
    "Timestamps",
    "Unknown",
    "UnknownMember",
    "failure_line",
    "first_flush_id",
    "has_structured_errors",
    "parse_output",
    "parse_request",
    "parse_response",
    "parse_responses",
    "rejected",
    "render_request",
    "render_response",
]
