"""What may not be interrupted, and what becomes of those who try."""

from agentvoice.events import BargeIn, BargeInKind
from agentvoice.protection import Protected, Protection

ONSET, CONFIRM, RETRACT = (
    BargeIn(kind, "voice") for kind in (BargeInKind.ONSET, BargeInKind.CONFIRM, BargeInKind.RETRACT)
)


def stretch(start: int, end: int | None = None) -> Protection:
    protection = Protection()
    protection.begin(start)
    if end is not None:
        protection.end(end)
    return protection


def test_protected_text_is_text() -> None:
    assert Protected("I agree.") == "I agree."


def test_a_stretch_covers_from_its_first_character_to_its_last() -> None:
    protection = stretch(4, 9)

    assert [protection.covers(at) for at in (3, 4, 8, 9)] == [False, True, True, False]


def test_a_stretch_that_is_still_being_written_has_no_end() -> None:
    protection = stretch(4)

    assert protection.covers(1000)
    assert protection.heard(1000) == []


def test_a_stretch_is_told_once_when_it_was_heard_whole() -> None:
    protection = stretch(4, 9)

    assert protection.heard(8) == []
    assert protection.pending
    assert protection.heard(9) == [(4, 9)]
    assert protection.heard(9) == []
    assert not protection.pending


def test_a_stretch_that_was_thought_heard_too_early_is_still_covered() -> None:
    protection = stretch(4, 9)
    protection.heard(9)

    assert protection.covers(6)


def test_a_signal_is_kept_until_the_stretch_was_heard_and_given_out_once() -> None:
    protection = stretch(0, 9)
    protection.keep(ONSET)

    assert protection.release(8) == ()
    assert protection.release(9) == (ONSET,)
    assert protection.release(9) == ()


def test_a_signal_that_is_taken_back_is_forgotten() -> None:
    protection = stretch(0, 9)
    protection.keep(ONSET)
    protection.keep(RETRACT)

    assert protection.release(9) == ()


def test_whoever_takes_back_what_was_not_kept_changes_nothing() -> None:
    protection = stretch(0, 9)
    protection.keep(RETRACT)

    assert protection.release(9) == ()


def test_of_one_source_the_last_word_counts_but_confirmed_stays_confirmed() -> None:
    protection = stretch(0, 9)
    words = BargeIn(BargeInKind.ONSET, "words", "no")
    for signal in (ONSET, CONFIRM, ONSET, words, BargeIn(BargeInKind.ONSET, "words", "no wait")):
        protection.keep(signal)

    assert protection.release(9) == (CONFIRM, BargeIn(BargeInKind.ONSET, "words", "no wait"))
