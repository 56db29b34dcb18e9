"""The smallest example."""

import pytest

from agentvoice.cli.locate import locate
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import hangs_up, says, waits_for_agent
from agentvoice.testing.simulate import simulate

pytestmark = pytest.mark.anyio


async def test_it_greets_and_answers() -> None:
    agent = locate("examples/hello.py:Hello")()
    llm = ScriptedModel(lambda messages: f"You said: {messages[-1].content}")
    call = await simulate(agent, [waits_for_agent(), says("Good morning."), waits_for_agent(), hangs_up()], llm=llm)

    assert [turn.heard for turn in call.turns] == ["Hello! What can I do for you?", "You said: Good morning."]
