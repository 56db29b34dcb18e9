from collections.abc import AsyncIterator, Sequence

import pytest
from anyio import create_task_group, sleep

from agentvoice import Agent, Turn
from agentvoice.budget import Budget
from agentvoice.errors import UsageError
from agentvoice.history import History
from agentvoice.interfaces import Message, ToolCall
from agentvoice.llm import NO_MODEL
from agentvoice.summaries import LEAD_IN, WISH, Summaries
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import Step, hangs_up, says, waits_for_agent
from agentvoice.testing.simulate import simulate

pytestmark = pytest.mark.anyio


def a_long_call() -> History:
    history = History("Be brief.", budget=Budget(max_tokens=50, summarise=True))
    history.add_utterance("My name is Miller.")
    history.add_tool_use("t1", ToolCall("c1", "look", "{}"), result="x" * 100)
    history.add_fact("It rains.")
    history.add_utterance("A table for two.")
    history.add_utterance("Tonight.")
    return history


async def test_the_model_is_asked_for_a_summary_of_the_older_half() -> None:
    asked: list[Message] = []

    def answer(messages: Sequence[Message]) -> str:
        asked.extend(messages)
        return "It is about Mr Miller. "

    history = a_long_call()
    assert Summaries(history).due
    await Summaries(history).write(ScriptedModel(answer))

    assert asked[0] == Message("system", WISH)
    assert asked[1].content.startswith(f"Caller: My name is Miller.\nYou used look {{}}: {'x' * 100}")
    assert history.summary == f"{LEAD_IN}It is about Mr Miller."
    assert not Summaries(history).due


async def test_a_second_summary_takes_in_the_first() -> None:
    shown: list[str] = []
    history = a_long_call()

    def answer(messages: Sequence[Message]) -> str:
        shown.append(messages[1].content)
        return f"Summary {len(shown)}."

    llm = ScriptedModel(answer)
    await Summaries(history).write(llm)
    history.add_fact("y" * 200)
    history.add_utterance("And now?")
    await Summaries(history).write(llm)

    assert shown[1].startswith(f"{LEAD_IN}Summary 1.\n")
    assert history.summary == f"{LEAD_IN}Summary 2."


async def test_a_model_that_says_nothing_changes_nothing() -> None:
    history = a_long_call()
    await Summaries(history).write(ScriptedModel(lambda _: ""))
    assert (history.summary, history.summarised) == ("", 0)


async def test_there_is_one_at_a_time_and_a_failure_is_tried_again() -> None:
    history = a_long_call()
    summaries = Summaries(history)
    async with create_task_group() as group:
        group.start_soon(summaries.write, ScriptedModel(lambda _: "Enough."))
        await sleep(0.001)
        assert not summaries.due
    other = Summaries(a_long_call())
    with pytest.raises(UsageError):
        await other.write(NO_MODEL)
    assert other.due


async def test_a_long_call_is_summarised_while_it_goes_on() -> None:
    class Talker(Agent):
        budget = Budget(max_tokens=40, summarise=True)

        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            yield "That is a very good question, and I am glad that you have asked it."

    agent = Talker()
    asks: list[Step] = [says("And what about the weather?"), waits_for_agent()]
    await simulate(
        agent,
        [*asks, *asks, *asks, *asks, hangs_up()],
        llm=ScriptedModel(lambda _: "They talk about the weather."),
    )
    assert agent.call.history.summary == f"{LEAD_IN}They talk about the weather."
