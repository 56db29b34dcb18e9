"""A line that plays at once what it is sent, one piece after the other."""

import pytest

from agentvoice.audio import TELEPHONE
from agentvoice.trace.far_end import FarEnd, Take

SECOND = TELEPHONE.size(1.0)


def take() -> Take:
    return Take(TELEPHONE)


def test_what_is_sent_ahead_is_played_in_its_turn() -> None:
    line, turn = FarEnd(TELEPHONE), take()

    assert line.play(turn, SECOND, 10.0) == 0
    assert line.play(turn, SECOND, 10.5) == 0

    assert [(run.start, run.end) for run in turn.runs] == [(10.0, 12.0)]
    assert turn.when(SECOND * 3 // 2) == 11.5


def test_a_line_that_ran_dry_in_the_middle_of_a_turn_tells_for_how_long() -> None:
    line, turn = FarEnd(TELEPHONE), take()
    line.play(turn, SECOND, 10.0)

    assert line.play(turn, SECOND, 11.25) == pytest.approx(0.25)
    assert [(run.start, run.end) for run in turn.runs] == [(10.0, 11.0), (11.25, 12.25)]
    assert (turn.when(SECOND // 2), turn.when(SECOND * 3 // 2)) == (10.5, 11.75)


def test_silence_between_two_turns_is_no_dryness() -> None:
    line = FarEnd(TELEPHONE)
    line.play(take(), SECOND, 10.0)

    assert line.play(take(), SECOND, 20.0) == 0


def test_a_clear_cuts_what_was_not_played_and_the_next_begins_at_once() -> None:
    line, cut, fresh = FarEnd(TELEPHONE), take(), take()
    line.play(cut, SECOND, 10.0)
    line.clear(10.4)
    line.play(fresh, SECOND, 10.5)

    assert cut.ended == 10.4
    assert cut.when(SECOND) == 11.0
    assert fresh.runs[0].start == 10.5


def test_a_clear_leaves_what_was_played_before_as_it_was() -> None:
    line, turn = FarEnd(TELEPHONE), take()
    line.play(turn, SECOND, 10.0)
    line.clear(13.0)

    assert turn.ended == 11.0


def test_a_turn_that_waits_behind_another_is_cut_before_it_begins() -> None:
    line, first, second = FarEnd(TELEPHONE), take(), take()
    line.play(first, SECOND, 10.0)
    line.play(second, SECOND, 10.1)
    line.clear(10.5)

    assert (second.runs[0].start, second.ended) == (11.0, 11.0)


def test_the_words_of_a_successor_come_after_what_was_kept() -> None:
    turn = take()
    turn.received = SECOND
    turn.place("one", 0.0, 0.4)
    turn.place("two", 0.5, 0.9)
    turn.place("three", 1.0, 1.4)
    turn.sent = TELEPHONE.size(0.6)

    turn.succeed(delivered=False)
    turn.place("three", 0.0, 0.4)

    assert [word for word, _, _ in turn.words] == ["one", "two", "three"]
    assert turn.words[-1][1:] == (TELEPHONE.size(0.9), TELEPHONE.size(1.3))


def test_a_delivered_context_is_kept_whole_and_one_without_words_up_to_what_was_sent() -> None:
    whole, wordless = take(), take()
    whole.received = wordless.received = SECOND
    wordless.sent = 800

    whole.succeed(delivered=True)
    wordless.succeed(delivered=False)

    assert (whole.base, wordless.base) == (SECOND, 800)


def test_what_comes_after_a_clear_is_a_stretch_of_its_own() -> None:
    line, turn = FarEnd(TELEPHONE), take()
    line.play(turn, SECOND, 10.0)
    line.clear(10.5)
    line.play(turn, SECOND, 10.5)

    assert [(run.position, run.start, run.end) for run in turn.runs] == [(0, 10.0, 10.5), (SECOND, 10.5, 11.5)]
