from itertools import product

import pytest

from agentvoice.commands import TurnState
from agentvoice.errors import LocalProtocolError
from agentvoice.turn import LIVE, TRANSITIONS, Step, Turn


def turn_in(state: TurnState) -> Turn:
    turn = Turn("t1", "c1")
    turn.state = state
    return turn


@pytest.mark.parametrize(("state", "step"), TRANSITIONS)
def test_every_arrow_of_the_table_leads_where_it_says(state: TurnState, step: Step) -> None:
    turn = turn_in(state)

    assert turn.step(step) is TRANSITIONS[state, step]
    assert turn.state is TRANSITIONS[state, step]


@pytest.mark.parametrize(("state", "step"), sorted(set(product(TurnState, Step)) - set(TRANSITIONS)))
def test_anything_that_is_no_arrow_is_an_error_and_changes_nothing(state: TurnState, step: Step) -> None:
    turn = turn_in(state)

    with pytest.raises(LocalProtocolError, match=f"turn t1 cannot {step} while it is {state}"):
        turn.step(step)
    assert turn.state is state


def test_no_arrow_leaves_a_turn_that_is_over() -> None:
    assert {state for state, _ in TRANSITIONS} == LIVE
    assert all(turn_in(state).live == (state in LIVE) for state in TurnState)


def test_every_live_turn_can_fail() -> None:
    assert {state for state, step in TRANSITIONS if step is Step.FAIL} == LIVE


def test_only_a_turn_whose_first_frame_was_out_is_audible() -> None:
    assert {state for state in TurnState if turn_in(state).audible} == {TurnState.SPEAKING, TurnState.HELD}


def test_a_stamp_keeps_the_first_time() -> None:
    turn = Turn("t1", "c1")

    turn.stamp("first_token", 1.0)
    turn.stamp("first_token", 2.0)

    assert turn.timeline == {"first_token": 1.0}


def test_a_turn_shows_what_it_is_at() -> None:
    assert repr(Turn("t1", "c1")) == "<Turn t1 open context=c1>"


def test_a_fresh_turn_is_prompted_by_nothing_shows_nothing_and_was_not_heard() -> None:
    turn = Turn("t1", "c1")

    assert (turn.prompt, turn.history, turn.spoken, turn.heard) == ("", (), "", None)
    assert turn.interruptible
    assert turn.confirmed
    assert Turn("t1", "c1", prompt="Hello?").prompt == "Hello?"
