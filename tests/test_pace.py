import pytest

from agentvoice.pace import Pace


def pace() -> Pace:
    return Pace(usual_s=0.5, shortest_s=0.3, longest_s=1.4)


def test_it_begins_with_what_is_usual() -> None:
    assert pace().silence_s == 0.5


def test_short_pauses_change_nothing() -> None:
    caller = pace()
    caller.paused(0.25)

    assert caller.silence_s == 0.5


def test_long_pauses_lengthen_it_up_to_the_longest() -> None:
    caller = pace()
    for _ in range(20):
        caller.paused(3.0)

    assert caller.silence_s == pytest.approx(1.4, abs=0.01)


def test_a_caller_who_goes_on_at_once_was_cut_in_on_and_it_learns_most_from_that() -> None:
    gently, bitterly = pace(), pace()
    gently.paused(0.7)
    bitterly.ended(stopped_at=2.0, now=2.5)
    bitterly.began(2.7)

    assert bitterly.silence_s > gently.silence_s


def test_a_caller_who_answers_later_was_not() -> None:
    caller = pace()
    caller.ended(stopped_at=2.0, now=2.5)
    shorter = caller.silence_s
    caller.began(3.5)

    assert caller.silence_s == shorter


def test_it_shortens_while_the_caller_never_pauses_down_to_the_shortest() -> None:
    caller = pace()
    for turn in range(60):
        caller.ended(stopped_at=10.0 * turn, now=10.0 * turn + 0.5)

    assert caller.silence_s == pytest.approx(0.3, abs=0.01)
