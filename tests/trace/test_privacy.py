"""Of a trace kept without words, nothing that people said can be had back."""

import io
from dataclasses import fields
from typing import get_args, get_type_hints

import pytest

from agentvoice.trace import codec
from agentvoice.trace.anonymise import anonymise
from agentvoice.trace.codec import COMMANDS, EVENTS, Keep, Unknown
from agentvoice.trace.log import Header, Step, Trace, TraceWriter, read_trace
from agentvoice.trace.telling import tell

HARMLESS = {
    "turn_id", "context_id", "tool_call_id", "name", "old", "new", "source", "decision", "agent",
    "kind", "state", "timeline", "outcome", "evidence", "on_interrupt", "voicing", "what", "language",
}  # fmt: skip
"""Fields with text in them that our own code wrote: identifiers, names of classes and tools, our vocabulary."""


@pytest.mark.parametrize("kind", [*EVENTS.values(), *COMMANDS.values()])
def test_every_field_that_may_hold_words_is_masked(kind: type) -> None:
    hints = get_type_hints(kind)
    texts = {item.name for item in fields(kind) if _holds_text(hints[item.name])}

    assert texts <= codec._SPOKEN | HARMLESS, "judge the new field: what people said, or a name of ours?"


def _holds_text(hint: object) -> bool:
    if isinstance(hint, type):
        return issubclass(hint, str) or any(_holds_text(hint) for hint in _members(hint))
    return any(_holds_text(part) for part in get_args(hint))


def _members(kind: type) -> list[object]:
    return list(get_type_hints(kind).values()) if hasattr(kind, "__dataclass_fields__") else []


def test_an_anonymised_call_keeps_its_shape(booking) -> None:
    text = anonymise(booking.trace)
    before, after = tell(booking.trace), tell(read_trace(text))

    for word in ("evening", "table", "four", "demo-1"):
        assert word in "\n".join(booking.trace_lines)
        assert word not in text
    assert '"sha"' not in text
    assert [turn.outcome for turn in after.turns] == [turn.outcome for turn in before.turns]
    assert [turn.response_s for turn in after.turns] == [turn.response_s for turn in before.turns]
    assert after.call_id == "call"


def test_of_an_unknown_kind_only_its_name_stays(booking) -> None:
    trace = Trace(
        booking.trace.header, (Step(1.0, Unknown("Sneezed", {"said": "Sarah"}), (Unknown("Bless", {"you": "S"}),)),)
    )

    assert [*anonymise(trace).splitlines()[1:]] == [
        '{"t":-5124.5,"now":1.0,"in":"Sneezed"}',
        '{"t":-5124.5,"out":"Bless"}',
    ]


def test_what_the_agent_was_instructed_is_not_written_either() -> None:
    out = io.StringIO()
    settings = {"instructions": "You talk to Mrs Reed.", "manners": {"lead_s": 0.2}}
    TraceWriter(out, Header(call_id="c", started_at=0.0, keep=Keep.SHAPE, settings=settings))

    assert '"settings":{"instructions":"·","manners":{"lead_s":0.2}}' in out.getvalue()
