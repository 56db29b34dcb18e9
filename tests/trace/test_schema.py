"""The published schema is the code's, and a real trace obeys it."""

import json
from pathlib import Path

from agentvoice.trace.codec import COMMANDS, EVENTS
from agentvoice.trace.schema import schema, text

DOCS = Path(__file__).parents[2] / "docs/reference"


def test_the_published_schema_is_the_one_that_the_code_makes() -> None:
    assert (DOCS / "trace.schema.json").read_text(encoding="utf-8") == text(), (
        "write it anew: python -c 'from agentvoice.trace.schema import text; print(text(), end=\"\")' "
        "> docs/reference/trace.schema.json"
    )


def test_every_kind_stands_in_the_reference() -> None:
    reference = (DOCS / "trace.md").read_text(encoding="utf-8")

    missing = [kind for kind in [*EVENTS, *COMMANDS] if f"`{kind}`" not in reference]

    assert missing == []


def test_every_line_of_a_real_trace_has_what_the_schema_requires(booking) -> None:
    lines = {line["properties"].get("in", line["properties"].get("out", {})).get("const"): line
             for line in schema()["anyOf"]}  # fmt: skip

    for number, written in enumerate(booking.trace_lines):
        line = json.loads(written)
        known = lines[line.get("in") or line.get("out")]
        assert list(line) == list(known["properties"]), number
        assert set(known["required"]) <= set(line)
