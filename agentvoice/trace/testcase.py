"""From a production call to a test: the trace goes beside the tests, and a file of a few lines runs it again."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentvoice.errors import UsageError

from .codec import Keep
from .log import read_trace
from .telling import tell

_TEST: Final = '''"""A recorded call: {what}"""

from pathlib import Path

from agentvoice.trace.log import read_trace
from agentvoice.trace.replay import replay

TRACE = read_trace(Path(__file__).parent / "traces" / "{name}.jsonl")


def test_{name}_is_decided_again_as_it_was() -> None:
    """When the core is to decide otherwise, accept it: agentvoice replay traces/{name}.jsonl --accept"""
    difference = replay(TRACE).difference

    assert difference is None, str(difference)
'''


@dataclass(frozen=True, slots=True)
class TestCase:
    """What was written."""

    __test__ = False  # for pytest: not a class of tests

    test: Path
    trace: Path


def write_test(source: Path, tests: Path, name: str = "") -> TestCase:
    """Make a test of a trace: `test_NAME.py` in `tests`, and the trace as `traces/NAME.jsonl` beside it.

    Raises:
        UsageError: it is no trace, it holds no words, or there is a test of that name.
    """
    trace = read_trace(source)
    if trace.header.keep is Keep.SHAPE:
        raise UsageError(f"{source} was kept without words, and words decide; a test needs a trace that holds them")
    name = re.sub(r"\W+", "_", name or source.stem).strip("_").lower() or "call"
    made = TestCase(tests / f"test_{name}.py", tests / "traces" / f"{name}.jsonl")
    if made.test.exists() or (made.trace.exists() and not made.trace.samefile(source)):
        raise UsageError(f"there is a test of that name already: {made.test}; give another with --name")
    story = tell(trace)
    made.trace.parent.mkdir(parents=True, exist_ok=True)
    if not made.trace.exists():
        shutil.copyfile(source, made.trace)
    what = f"{story.end - story.start:.0f} s with {story.agent or 'an agent'}, {len(story.turns)} turns."
    made.test.write_text(_TEST.format(name=name, what=what), encoding="utf-8")
    return made
