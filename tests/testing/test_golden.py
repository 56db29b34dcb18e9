"""A call is compared with how it once was, and the difference can be read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentvoice import Agent, Turn
from agentvoice.testing.golden import Golden, explained, explained_turns
from agentvoice.testing.script import barges_in, pauses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.trace.log import read_trace

pytest_plugins = ("pytester",)


class Greeter(Agent):
    greeting = "Good evening, Bella Vista, how may I help you?"

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        yield "Take your time."


@pytest.mark.anyio
async def test_a_call_is_as_it_was(golden) -> None:
    call = await simulate(Greeter(), [barges_in("Wait a moment!", at_word=3), pauses(2)])

    assert call == golden("cut_greeting")
    assert read_trace(call.trace.splitlines()) == golden("cut_greeting")


@pytest.mark.anyio
async def test_a_call_that_differs_is_told_line_by_line(tmp_path: Path) -> None:
    golden = Golden(tmp_path / "greeting.txt", update=True)
    before = await simulate(Greeter(), [waits_for_agent()])
    after = await simulate(Greeter(), [barges_in("Wait a moment!", at_word=3), pauses(2)])

    assert before == golden
    golden = Golden(tmp_path / "greeting.txt")
    assert after != golden
    told = explained(after, golden)
    assert told[0] == "the call is not golden('greeting') any more"
    assert any(line.startswith("- ") and line.endswith("how may I help you?") for line in told)
    assert any(line.startswith("+ ") and " — " in line for line in told)
    assert told[-1].endswith("pytest --agentvoice-update")


@pytest.mark.anyio
async def test_what_is_as_it_was_does_not_hide_what_is_not(tmp_path: Path) -> None:
    golden = Golden(tmp_path / "greeting.txt", update=True)
    assert await simulate(Greeter(), [waits_for_agent(), says("Hello."), pauses(3)]) == golden

    after = await simulate(Greeter(), [waits_for_agent(), says("Hullo."), pauses(3)])

    changed = [line for line in explained(after, golden)[2:-1] if "how may I help you?" not in line]
    assert len(changed) == 2  # pytest shows eight lines in all
    assert changed[0].startswith("- ")
    assert changed[0].endswith("Hello.")
    assert changed[1].startswith("+ ")
    assert changed[1].endswith("Hullo.")


@pytest.mark.anyio
async def test_what_was_never_written_says_how_to(tmp_path: Path) -> None:
    call = await simulate(Greeter(), [waits_for_agent()])
    golden = Golden(tmp_path / "new.txt")

    assert call != golden
    assert explained(call, golden)[-1] == "write it with: pytest --agentvoice-update"
    assert golden != "no call"


@pytest.mark.anyio
async def test_turns_that_differ_are_told_a_line_each() -> None:
    one = await simulate(Greeter(), [waits_for_agent()])
    other = await simulate(Greeter(), [barges_in("Wait a moment!", at_word=3), pauses(2)])

    assert explained_turns(other.turns, one.turns)[1:] == [
        "- s1 completed: Good evening, Bella Vista, how may I help you?",
        *[f"+ {turn}" for turn in other.turns],
    ]


FAILING = """
    import pytest
    from agentvoice import Agent
    from agentvoice.testing.script import waits_for_agent

    class Greeter(Agent):
        greeting = "Good evening."

    @pytest.mark.anyio
    async def test_it(simulate, golden):
        call = await simulate(Greeter(), [waits_for_agent()])
        assert call == golden("greeting")
"""
PLUGIN = (
    "-p",
    "no:agentvoice",
    "-p",
    "agentvoice.testing.pytest_plugin",
    "-p",
    "no:cacheprovider",
    "--agentvoice-clock",
)


def test_a_test_that_fails_shows_its_calls_and_the_flag_mends_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)

    failed = pytester.runpytest_inprocess(*PLUGIN)
    written = pytester.runpytest_inprocess(*PLUGIN, "--agentvoice-update")
    passed = pytester.runpytest_inprocess(*PLUGIN)

    failed.assert_outcomes(failed=2)
    failed.stdout.fnmatch_lines(["*there is no *greeting.txt yet*", "*Simulated call 1*", "*agent     Good evening."])
    written.assert_outcomes(passed=2)
    passed.assert_outcomes(passed=2)
    assert "Good evening." in (pytester.path / "traces" / "greeting.txt").read_text()
