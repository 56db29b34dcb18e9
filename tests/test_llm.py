"""What a language model is asked for, what it costs, and what the caller hears when it fails."""

from collections.abc import AsyncIterator, Sequence

import pytest
from anyio import sleep, sleep_forever
from pydantic import BaseModel

from agentvoice import Agent, Turn, TurnState
from agentvoice.errors import ProviderUnavailable
from agentvoice.interfaces import Message, Thought, ToolCall, Usage
from agentvoice.llm import fill, text
from agentvoice.testing.llm import ModelFault, ScriptedModel
from agentvoice.testing.script import pauses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.simulated import SimulatedCall
from agentvoice.token_streams import unhurried

pytestmark = pytest.mark.anyio

SORRY = "Sorry, I lost my thread. Could you say that again?"


class Shop(Agent):
    greeting = "Good evening."
    patience_s = 3.0


async def calling(agent: Agent, llm: ScriptedModel | None = None, seconds: float = 8) -> SimulatedCall:
    script = [waits_for_agent(), says("Are you open?"), pauses(seconds)]
    return await simulate(agent, script, **({"llm": llm} if llm else {}))


def scripted(*answers: Sequence[Thought] | str, **faults: ModelFault) -> ScriptedModel:
    pending = list(answers)
    by_number = {int(number.removeprefix("at_")): fault for number, fault in faults.items()}
    return ScriptedModel(lambda _: pending.pop(0) if len(pending) > 1 else pending[0], faults=by_number)


# ------------------------------------------------------------------ what the caller hears when it fails


@pytest.mark.parametrize(
    "fault", [ModelFault(fails_after=0), ModelFault(rejects=True), ModelFault(stalls_after=0), None], ids=str
)
async def test_a_reply_that_never_begins_ends_in_an_apology(fault: ModelFault | None) -> None:
    llm = scripted("", at_0=fault) if fault else scripted("")

    call = await calling(Shop(), llm)

    turn = call.turns[1]
    assert (turn.outcome, turn.heard) == (TurnState.COMPLETED, SORRY)
    assert "ReplyMended" in call.trace


@pytest.mark.parametrize("fault", [ModelFault(fails_after=4), ModelFault(stalls_after=4)], ids=str)
async def test_a_reply_that_breaks_off_ends_in_an_apology_after_what_was_said(fault: ModelFault) -> None:
    call = await calling(Shop(), scripted("Yes. We are open until eleven tonight.", at_0=fault))

    assert call.turns[1].heard == f"Yes. We are open {SORRY}"


async def test_a_reply_without_a_full_stop_is_said_to_its_end() -> None:
    call = await calling(Shop(), scripted("Yes, until eleven"))

    assert (call.turns[1].outcome, call.turns[1].heard) == (TurnState.COMPLETED, "Yes, until eleven")


async def test_the_agent_may_choose_what_is_said_instead() -> None:
    class Polite(Shop):
        async def on_reply_failed(self, turn: Turn, error: Exception) -> str:
            assert isinstance(error, ProviderUnavailable)
            return f"I could not think of anything about: {turn.prompt}"

    call = await calling(Polite(), scripted("", at_0=ModelFault(fails_after=0)))

    assert call.turns[1].heard == "I could not think of anything about: Are you open?"


async def test_an_agent_that_says_nothing_instead_has_a_turn_that_failed() -> None:
    class Proud(Shop):
        apology = ""

    class Clumsy(Shop):
        async def on_reply_failed(self, turn: Turn, error: Exception) -> str:
            raise ZeroDivisionError

    for agent in (Proud(), Clumsy()):
        call = await calling(agent, scripted("", at_0=ModelFault(rejects=True)))
        assert call.turns[1].outcome is TurnState.FAILED


async def test_silence_on_purpose_is_no_failure() -> None:
    class Silent(Shop):
        async def reply(self, turn: Turn) -> None:  # type: ignore[override]
            await sleep(0.1)

    class Leaving(Shop):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            self.call.hang_up()
            for word in list[str]():
                yield word

    silent, leaving = await calling(Silent(), seconds=4), await calling(Leaving(), seconds=4)

    assert len(silent.turns) == len(leaving.turns) == 1
    assert leaving.hung_up_by == "agent"


async def test_a_reply_that_is_unhurried_may_take_its_time() -> None:
    class Slow(Shop):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            with unhurried():
                await sleep(5)
                yield "One moment. "
                await sleep(5)
            yield "Here it is."
            await sleep_forever()

    call = await calling(Slow(), seconds=16)

    assert call.turns[1].heard == f"One moment. Here it is. {SORRY}"


def test_patience_can_wait_outside_of_a_reply_too() -> None:
    with unhurried():
        pass


# ------------------------------------------------------------------ what it costs


async def test_the_cost_of_each_answer_is_in_the_trace_and_the_sum_in_the_notes() -> None:
    llm = scripted(["Yes, we are.", Usage(40, 5)], ["Until eleven.", Usage(52, 4, 40)])
    script = [waits_for_agent(), says("Are you open?"), waits_for_agent(), says("Until when?"), pauses(6)]

    call = await simulate(Shop(), script, llm=llm)

    assert [turn.heard for turn in call.turns[1:]] == ["Yes, we are.", "Until eleven."]
    assert call.trace.count("TokensUsed") == call.notes["tokens"]["answers"]
    assert call.notes["tokens"]["remembered"] == 40
    assert call.notes["tokens"]["read"] >= 92


# ------------------------------------------------------------------ what it is asked for


async def thoughts(*each: Thought) -> AsyncIterator[Thought]:
    for thought in each:
        yield thought


async def test_of_an_answer_only_the_text_is_spoken() -> None:
    told: list[Usage] = []
    answer = thoughts("Yes, ", ToolCall("1", "book", "{}"), "we are.", Usage(1, 2))

    assert [token async for token in text(answer, tell=told.append)] == ["Yes, ", "we are."]
    assert told == [Usage(1, 2)]
    assert [token async for token in text(thoughts("Yes.", Usage(1, 2)))] == ["Yes."]


class Booking(BaseModel):
    guests: int


async def test_a_form_is_filled_in_or_the_error_names_it() -> None:
    ask = [Message("user", "A table for four.")]

    assert await fill(ScriptedModel(fill=lambda _: {"guests": 4}), Booking, ask) == Booking(guests=4)
    with pytest.raises(ProviderUnavailable, match="does not fit Booking"):
        await fill(ScriptedModel(fill=lambda _: {"people": 4}), Booking, ask)
