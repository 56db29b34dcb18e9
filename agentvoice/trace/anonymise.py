"""A trace without what people said: its shape stays, words, keys, digests and names of calls go."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from typing import Any, Final

from .codec import Keep, Unknown
from .log import Trace, TraceWriter

NAME: Final = "call"
"""What every anonymised call is called."""


def anonymise(trace: Trace) -> str:
    """Return the trace as JSON lines from which nothing that was said can be had back.

    Identifiers that begin with the call's own, such as a context's, get the new name too. Of kinds that this version
    does not know only the name stays.
    """
    out = _Kept()
    old = trace.header.call_id
    writer = TraceWriter(out, replace(trace.header, call_id=NAME, keep=Keep.SHAPE))
    for step in trace.steps:
        writer.received(step.now, _renamed(step.event, old))
        writer.decided(step.now, [_renamed(command, old) for command in step.commands])
    writer.closed()
    return out.getvalue()


def _renamed(value: Any, old: str) -> Any:
    if value is None or isinstance(value, Unknown):
        return value
    changed = {
        item.name: NAME + text[len(old) :]
        for item in fields(value)
        if isinstance(text := getattr(value, item.name), str) and (text == old or text.startswith(f"{old}-"))
    }
    return replace(value, **changed) if changed else value


class _Kept(io.StringIO):
    """A file in memory, that can be read after it was closed."""

    def close(self) -> None:
        """Keep what was written."""
