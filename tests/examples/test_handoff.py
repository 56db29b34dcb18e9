"""The example with two agents and a person."""

import json
from collections.abc import Sequence

import pytest

from agentvoice import Agent, Message
from agentvoice.cli.locate import locate
from agentvoice.interfaces import Thought, ToolCall
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import hangs_up, says, waits_for, waits_for_agent, waits_for_hang_up
from agentvoice.testing.simulate import simulate

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk() -> Agent:
    return locate("examples/handoff.py:FrontDesk")()


async def test_a_caller_is_handed_to_a_colleague_who_knows_what_it_is_about_and_back(desk: Agent) -> None:
    asked: list[Sequence[Message]] = []
    answers: list[Sequence[Thought]] = [
        [ToolCall("c1", "connect", json.dumps({"wants": "a wrong bill"}))],
        ["One moment, please."],
        ["I see.", ToolCall("c2", "done", "{}")],
        ["I put you back."],
        ["Anything else?"],
    ]

    def answer(messages: Sequence[Message]) -> Sequence[Thought]:
        asked.append(messages)
        return answers.pop(0)

    call = await simulate(
        desk,
        [
            waits_for_agent(),
            says("My bill is wrong."),
            waits_for("good morning"),
            says("It is too high."),
            waits_for("put you back"),
            says("Thanks."),
            waits_for("anything else"),
            hangs_up(),
        ],
        llm=ScriptedModel(answer),
    )

    heard = [turn.heard for turn in call.turns]
    assert heard[1:3] == ["One moment, please.", "Billing department, good morning."]
    assert "The caller wants: a wrong bill." in asked[2][0].content
    assert any("My bill is wrong." in message.content for message in asked[2])
    assert "front desk" in asked[-1][0].content
    assert heard[-1] == "Anything else?"


async def test_a_person_is_told_what_it_is_about(desk: Agent) -> None:
    answers: list[Sequence[Thought]] = [
        [ToolCall("c1", "transfer_to_a_person", json.dumps({"summary": "wants to sue"}))],
        ["Goodbye."],
    ]
    call = await simulate(
        desk,
        [waits_for_agent(), says("A person, please."), waits_for_hang_up()],
        llm=ScriptedModel(lambda _: answers.pop(0)),
    )

    assert '"transfer":{"to":"+15550100","summary":"wants to sue"}' in call.trace
    assert call.turns[-1].heard == "Goodbye."
