"""The example with a notice that has to be heard."""

import pytest

from agentvoice import Agent, Evidence, TurnState
from agentvoice.cli.locate import locate
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import barges_in, hangs_up, says, waits_for, waits_for_agent
from agentvoice.testing.simulate import simulate

pytestmark = pytest.mark.anyio

NOTICE = "This call is recorded. If you do not agree, please hang up now."


@pytest.fixture
def bank() -> Agent:
    return locate("examples/notice.py:Bank")()


async def test_the_notice_is_heard_whatever_the_caller_says_meanwhile_and_that_is_noted(bank: Agent) -> None:
    call = await simulate(
        bank, [barges_in("Stop, I need my balance.", after=0.5), waits_for_agent(), hangs_up()], llm=ScriptedModel()
    )

    assert call.turns[0].heard == NOTICE
    assert call.turns[0].outcome is TurnState.COMPLETED
    assert call.notes == {"notice": Evidence.MARKS_AND_WORDS}


async def test_a_caller_who_hangs_up_during_the_notice_has_not_heard_it(bank: Agent) -> None:
    call = await simulate(bank, [hangs_up(after=1.5)], llm=ScriptedModel())

    assert NOTICE.startswith(call.turns[0].heard)
    assert not call.notes.get("notice")


async def test_what_matters_is_said_although_the_caller_cut_it_off(bank: Agent) -> None:
    answers = ["You can have ten thousand pounds at an interest of nine percent a year.", "Yes."]
    llm = ScriptedModel(lambda _: answers.pop(0) if answers else "Indeed.")
    call = await simulate(
        bank,
        [
            waits_for("do for you"),
            says("I want a loan."),
            barges_in("Sorry, wait, pounds?", at_word=6),
            waits_for("percent a year"),
            hangs_up(),
        ],
        llm=llm,
    )

    cut = call.turns[2]
    assert cut.heard.startswith("Borrowing costs money. ")
    assert cut.outcome is TurnState.INTERRUPTED
    assert call.turns[-1].heard.startswith("And, as I was saying, ")
