"""What frameworks get wrong about the life and death of calls: each test's name is how it has to be.

The section "Life and death" of the list that this project began with. That a model is loaded once and not per call is
in `test_host.py`.
"""

import gc
from collections.abc import AsyncIterator

import anyio
import pytest
from anyio import create_task_group, current_time, fail_after, get_running_tasks, move_on_after, sleep, sleep_forever

from agentvoice import Agent, Turn, TurnState
from agentvoice.call import Call
from agentvoice.conversation import Conversation
from agentvoice.testing.script import barges_in, hangs_up, pauses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.weather import Weather

pytestmark = pytest.mark.anyio

GREETING = "Good evening, Bella Vista, how may I help you?"
LONG = "We have rye bread, and wheat bread, and rolls with poppy seeds, all of them fresh from this morning."


class Baker(Agent):
    greeting = GREETING

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        for word in LONG.split(" "):
            yield word + " "
            await sleep(0.01)


class Stubborn(Baker):
    """Every hook of hers hangs."""

    async def on_call_end(self) -> None:
        await sleep_forever()

    async def on_interrupted(self, closed: object) -> None:
        await sleep_forever()


async def test_a_timeout_around_a_call_ends_it() -> None:
    began = current_time()
    with move_on_after(2) as scope:
        await simulate(Stubborn(), [waits_for_agent(), pauses(60)])

    assert scope.cancelled_caught
    assert current_time() - began <= 3.01


async def test_an_error_beside_a_call_ends_it_and_is_heard_of() -> None:
    began = current_time()

    async def main() -> None:
        async with create_task_group() as group:
            group.start_soon(simulate, Baker(), [waits_for_agent(), pauses(60)])
            await sleep(2)
            raise RuntimeError("of main")

    with pytest.raises(BaseExceptionGroup) as raised:
        await main()

    assert raised.group_contains(RuntimeError, match="of main")
    assert current_time() - began <= 3.01


@pytest.mark.parametrize("agent", [Baker, Stubborn])
@pytest.mark.parametrize("at", [0.02, 0.5, 1.7, 4.6, 5.5])
async def test_a_hang_up_at_any_instant_of_speech_ends_the_call_within_a_second(agent: type[Agent], at: float) -> None:
    call = await simulate(agent(), [says("What is there?"), waits_for_agent(), hangs_up(at=at)])

    assert call.seconds <= at + 0.1
    assert call.overrun_s <= 1.001


async def test_a_half_open_line_does_not_keep_a_call_alive_for_minutes() -> None:
    call = await simulate(Baker(), [waits_for_agent(), pauses(3600)], weather=Weather(dies_at_s=2.0))

    assert call.hung_up_by == "agent"
    assert call.seconds < 15


async def test_nothing_of_a_call_is_left_in_memory() -> None:
    for _ in range(5):
        await simulate(Baker(), [barges_in("No, wait, stop that.", after=1), waits_for_agent()])

    gc.collect()
    assert [thing for thing in gc.get_objects() if isinstance(thing, Call | Conversation)] == []


async def test_after_a_hang_up_nothing_is_left_that_could_keep_the_processor_busy() -> None:
    before = {task.id for task in get_running_tasks()}
    await simulate(Baker(), [barges_in("No, wait, stop that.", after=1), hangs_up()])

    assert {task.id for task in get_running_tasks()} == before
    with fail_after(3601):
        await sleep(3600)


async def test_calls_at_once_do_not_stutter() -> None:
    outcomes = []

    async def have() -> None:
        call = await simulate(Baker(), [waits_for_agent(), says("What is there?"), waits_for_agent()])
        outcomes.append(([turn.played for turn in call.turns], list(call.holes)))

    async with create_task_group() as group:
        for _ in range(3):
            group.start_soon(have)
            await anyio.sleep(0.013)

    assert outcomes == [([GREETING, LONG], [])] * 3


async def test_a_reply_that_raises_ends_its_turn_and_not_the_call() -> None:
    class Broken(Baker):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            if "What" in turn.prompt:
                raise RuntimeError("no model today")
            yield "Here I am."

    call = await simulate(
        Broken(), [waits_for_agent(), says("What is there?"), pauses(3), says("Are you there?"), waits_for_agent()]
    )

    assert call.turns[-1].outcome is TurnState.COMPLETED
    assert call.turns[-1].played == "Here I am."
