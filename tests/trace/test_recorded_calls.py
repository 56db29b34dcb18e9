"""Calls that were recorded once, with real voices and sockets, are decided again as they were.

When the core is meant to decide otherwise: `agentvoice replay tests/traces/NAME.jsonl --accept`, and look at the diff.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from agentvoice.commands import BargeInDecided
from agentvoice.trace.log import Trace, read_trace
from agentvoice.trace.replay import replay
from agentvoice.trace.telling import tell

TRACES = sorted((Path(__file__).parents[1] / "traces").glob("*.jsonl"))


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_a_recorded_call_is_decided_again_as_it_was(path: Path) -> None:
    result = replay(read_trace(path))

    assert result.difference is None, str(result.difference)
    assert result.decisions > 100


def test_the_demo_s_caller_cuts_in_and_is_answered_anew() -> None:
    story = tell(read_trace(next(path for path in TRACES if path.stem == "demo")))

    assert [turn.outcome for turn in story.turns] == ["completed", "interrupted", "completed", "completed", "completed"]
    assert story.turns[1].heard is not None
    assert story.turns[1].generated.startswith(story.turns[1].heard.text)
    assert "four" in story.turns[2].prompt
    assert story.stale_frames == 0


def test_one_altered_decision_of_the_demo_is_caught_at_its_line() -> None:
    trace = read_trace(next(path for path in TRACES if path.stem == "demo"))
    number, at = next(
        (number, at)
        for number, step in enumerate(trace.steps)
        for at, command in enumerate(step.commands)
        if isinstance(command, BargeInDecided) and command.decision == "confirmed"
    )
    step = trace.steps[number]
    command = step.commands[at]
    assert isinstance(command, BargeInDecided)
    altered = (*step.commands[:at], replace(command, decision="resumed"), *step.commands[at + 1 :])

    found = replay(
        Trace(trace.header, (*trace.steps[:number], replace(step, commands=altered), *trace.steps[number + 1 :]))
    )

    assert found.difference is not None
    assert (found.difference.line, found.difference.replayed) == (step.line + at + 1, command)
