"""The examples with a source of one's own, and with a supervisor."""

import pytest
from anyio import create_task_group, sleep

from agentvoice import Agent, TurnState
from agentvoice.cli.locate import locate
from agentvoice.events import SupervisorCutIn
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import barges_in, hangs_up, pauses, waits_for_agent
from agentvoice.testing.simulate import simulate

pytestmark = pytest.mark.anyio


async def test_a_caller_who_swears_is_heard_at_once() -> None:
    agent = locate("examples/custom_source.py:Patient")()
    llm = ScriptedModel(lambda _: "I am sorry to hear that.")
    call = await simulate(agent, [barges_in("Oh damn.", after=1.0), waits_for_agent(), hangs_up()], llm=llm)

    assert call.turns[0].outcome is TurnState.INTERRUPTED
    assert '"decision":"confirmed","source":"swearing"' in call.trace
    assert call.turns[1].heard == "I am sorry to hear that."


async def test_what_a_supervisor_cuts_off_is_noted() -> None:
    agent: Agent = locate("examples/supervisor.py:Trainee")()

    async def cut_in() -> None:
        await sleep(1.5)
        agent.call.deliver(SupervisorCutIn())

    async with create_task_group() as group:
        group.start_soon(cut_in)
        call = await simulate(agent, [pauses(6), hangs_up()], llm=ScriptedModel())

    [cut] = call.turns
    assert cut.outcome is TurnState.INTERRUPTED
    assert f"{cut.heard} {call.notes['unsaid']}" == "Good morning, this is the help desk. What can I do for you?"
