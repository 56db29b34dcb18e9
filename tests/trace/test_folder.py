"""From what a call left to what people look at."""

from pathlib import Path

import pytest

from agentvoice.errors import UsageError
from agentvoice.trace.folder import complete


def test_a_folder_is_completed(left: Path) -> None:
    found = complete(left)

    assert sorted(path.name for path in left.iterdir()) == [
        "call.wav", "caller.json", "report.json", "timeline-dark.png", "timeline.html", "timeline.png", "trace.jsonl",
    ]  # fmt: skip
    assert (left / "report.json").read_bytes() == found.json()
    assert (left / "timeline.png").read_bytes().startswith(b"\x89PNG")


def test_a_trace_is_enough(left: Path) -> None:
    (left / "call.wav").unlink()
    (left / "caller.json").unlink()

    assert complete(left, png=False).facts["turns"][1]["outcome"] == "interrupted"
    assert not (left / "timeline.png").exists()


def test_without_a_trace_there_is_nothing_to_tell(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the trace.*trace\.jsonl"):
        complete(tmp_path)


def test_the_same_call_is_drawn_to_the_same_byte(left: Path) -> None:
    complete(left, png=False)
    once = (left / "timeline.html").read_bytes()
    complete(left, png=False)

    assert (left / "timeline.html").read_bytes() == once
