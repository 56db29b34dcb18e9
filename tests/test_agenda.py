"""What waits for the floor, and in which order it is taken."""

import pytest

from agentvoice.agenda import Agenda
from agentvoice.commands import UtteranceEnded
from agentvoice.events import HangUpRequested, PlayRequested, SayRequested

HELLO, GONG, BYE = SayRequested("s1", "Hello."), PlayRequested("s2", b""), HangUpRequested()
TWO, FOUR = (UtteranceEnded(text, 0.0, 1.0) for text in ("For two.", "No, four."))


def agenda(*items: SayRequested | PlayRequested | HangUpRequested | UtteranceEnded) -> Agenda:
    found = Agenda()
    for item in items:
        found.add(item)
    return found


def test_an_empty_agenda_has_nothing_to_take() -> None:
    assert not Agenda()
    with pytest.raises(LookupError, match="wants nothing"):
        Agenda().take_wish()


def test_what_is_to_be_said_comes_in_order_and_the_hang_up_last() -> None:
    found = agenda(BYE, HELLO, GONG)

    assert [found.take_wish() for _ in range(3)] == [HELLO, GONG, BYE]


def test_what_nobody_wants_any_more_is_struck() -> None:
    found = agenda(HELLO, GONG, BYE)
    found.strike("s1")
    found.stay()

    assert found.take_wish() == GONG
    assert not found


def test_what_was_not_answered_is_one_prompt_and_taken_once() -> None:
    found = agenda(TWO, FOUR)

    assert found.unanswered
    assert found.prompt("At seven.") == "For two. No, four. At seven."
    assert found.take_unanswered() == [TWO, FOUR]
    assert not found.unanswered
