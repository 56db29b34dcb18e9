"""The storm of the benchmark, small. `python -m benchmarks.tools` has a thousand barge-ins."""

from pathlib import Path

import pytest

from benchmarks.tools import Count, storm

pytestmark = pytest.mark.anyio


async def test_under_a_storm_of_barge_ins_each_tool_runs_exactly_as_it_declares(tmp_path: Path) -> None:
    count: Count = await storm(tmp_path, barge_ins=40)

    assert count.wrong == []
    assert count.barge_ins >= 40
    assert count.shared > 0
    assert count.withdrawn > 0
    assert {f"{name}, in peace: done" for name in ("query", "note", "book", "look")} <= set(count.runs)
    assert {"query, cut: cancelled", "note, cut: done", "book, cut: done", "look, cut: cancelled"} <= set(count.runs)
