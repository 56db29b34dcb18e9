"""The JSON Schema of a trace's lines, made from the events and commands themselves.

`docs/reference/trace.schema.json` is what `text()` returns, and a test keeps it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from .codec import COMMANDS, EVENTS
from .log import VERSION, Header

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_AUDIO: Final = {
    "description": "Audio: its size in bytes and the start of its BLAKE2s digest, or all of it.",
    "anyOf": [
        {
            "type": "object",
            "properties": {"size": {"type": "integer"}, "sha": {"type": "string", "pattern": "^[0-9a-f]{8}$"}},
            "required": ["size"],
        },
        {"type": "string", "contentEncoding": "base64"},
    ],
}
_T: Final = {"type": "number", "description": "Seconds since the call began, to the microsecond."}
_NOW: Final = {"type": "number", "description": "The call's clock, exactly, in seconds."}


def schema() -> Mapping[str, Any]:
    """Return the schema of one line. Readers have to tolerate kinds and fields that it does not know."""
    kinds = [*EVENTS.values(), *COMMANDS.values(), Header]
    _, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    header = _line(components.pop("Header"), {"agentvoice_trace": {"const": VERSION}})
    lines = [header, _line({}, {"t": _T, "now": _NOW, "in": {"const": "Timer"}})]
    lines += [_line(components.pop(name), {"t": _T, "now": _NOW, "in": {"const": name}}) for name in EVENTS]
    lines += [_line(components.pop(name), {"t": _T, "out": {"const": name}}) for name in COMMANDS]
    return {
        "$schema": DIALECT,
        "title": f"A line of an agentvoice trace, version {VERSION}",
        "description": "The first line is the header; then each input is followed by what was decided.",
        "anyOf": lines,
        "$defs": components,
    }


def text() -> str:
    """Return the schema as it is published."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def _line(fields: Mapping[str, Any], head: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a line that has `head` before the fields of its class."""
    properties = {name: _AUDIO if _is_bytes(field) else field for name, field in fields.get("properties", {}).items()}
    described = {"description": fields["description"].splitlines()[0]} if "description" in fields else {}
    return {
        **described,
        "type": "object",
        "properties": {**head, **properties},
        "required": [*head, *fields.get("required", [])],
    }


def _is_bytes(field: Mapping[str, Any]) -> bool:
    return field.get("contentEncoding") == "base64"
