"""The example with a real SQLite file."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from agentvoice import Agent
from agentvoice.cli.locate import locate
from agentvoice.history import ToolUse
from agentvoice.interfaces import Thought, ToolCall
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import barges_in, hangs_up, says, waits_for_agent
from agentvoice.testing.simulate import simulate

pytestmark = pytest.mark.anyio

MILLER = {"name": "Miller", "party": 2, "hour": "19:00"}


@pytest.fixture
def receptionist(tmp_path: Path) -> Agent:
    agent = locate("examples/tools.py:Receptionist")()
    agent.file = tmp_path / "bookings.sqlite"  # type: ignore[attr-defined]
    return agent


def booked(agent: Agent) -> list[tuple[str, int, str]]:
    with closing(sqlite3.connect(agent.file)) as bookings:  # type: ignore[attr-defined]
        return bookings.execute("SELECT * FROM booking").fetchall()


def answers(*answers: Sequence[Thought]) -> ScriptedModel:
    left = list(answers)
    return ScriptedModel(lambda _: left.pop(0) if left else "Thank you, and goodbye.")


def book(call_id: str, **values: object) -> ToolCall:
    return ToolCall(call_id, "book", json.dumps(values))


def results(history: Sequence[object]) -> list[str | None]:
    return [entry.result for entry in history if isinstance(entry, ToolUse)]


async def test_it_looks_books_and_says_so(receptionist: Agent) -> None:
    llm = answers([ToolCall("c1", "free_tables", '{"hour": "19:00"}')], [book("c2", **MILLER)], ["It is booked."])
    call = await simulate(
        receptionist, [waits_for_agent(), says("A table for two at seven."), waits_for_agent(), hangs_up()], llm=llm
    )

    assert booked(receptionist) == [("Miller", 2, "19:00")]
    assert results(call.history) == ["3", "booked for Miller, 2 people at 19:00"]
    assert call.turns[-1].heard == "It is booked."


async def test_a_caller_who_cuts_in_is_not_booked_twice(receptionist: Agent) -> None:
    words = "I am writing that down for you now, a table for two people at seven this evening, by the window."
    llm = answers([words, book("c1", **MILLER)], ["Done. "], [book("c2", **MILLER)], ["It is booked."])
    call = await simulate(
        receptionist,
        [
            waits_for_agent(),
            says("A table for two at seven."),
            barges_in("Wait a moment please!", at_word=5),
            waits_for_agent(),
            hangs_up(),
        ],
        llm=llm,
    )
    assert booked(receptionist) == [("Miller", 2, "19:00")]
    assert len(results(call.history)) == 2


async def test_when_no_table_is_free_the_model_is_told(receptionist: Agent) -> None:
    llm = answers([book(f"c{number}", name=f"Guest {number}", party=2, hour="20:00") for number in range(4)])
    call = await simulate(
        receptionist, [waits_for_agent(), says("Book them all."), waits_for_agent(), hangs_up()], llm=llm
    )

    assert len(booked(receptionist)) == 3
    assert results(call.history).count("error: no table is free at 20:00") == 1


async def test_a_party_that_is_too_large_is_told_so(receptionist: Agent) -> None:
    call = await simulate(
        receptionist,
        [waits_for_agent(), says("A table for thirty."), waits_for_agent(), hangs_up()],
        llm=answers([book("c1", name="Miller", party=30, hour="20:00")]),
    )
    assert results(call.history) == ["error: party: Input should be less than or equal to 8"]
    assert not receptionist.file.exists()  # type: ignore[attr-defined]
