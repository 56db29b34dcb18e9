import math

import pytest
from hypothesis import given, strategies as st

from agentvoice.events import BargeIn, BargeInKind
from agentvoice.interruption import Decision, InterruptionController, Policy, Ruling

ONSET = BargeIn(BargeInKind.ONSET, "voice")
RETRACT = BargeIn(BargeInKind.RETRACT, "voice")
CONFIRM = BargeIn(BargeInKind.CONFIRM, "keys")

HELD, RESUMED, CUT = (lambda source, d=d: [Ruling(d, source)] for d in Decision)


def words(text: str) -> BargeIn:
    return BargeIn(BargeInKind.ONSET, "words", text)


def watching(**policy: float) -> InterruptionController:
    controller = InterruptionController(Policy(**policy))  # type: ignore[arg-type]
    controller.watch(interruptible=True)
    return controller


def test_an_onset_holds_at_once() -> None:
    controller = watching()

    assert controller.receive(ONSET, now=1.0) == HELD("voice")
    assert controller.held


def test_a_cough_lets_the_agent_go_on() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)

    assert controller.receive(RETRACT, now=1.2) == RESUMED("voice")
    assert not controller.held
    assert controller.deadline == math.inf


def test_speech_that_lasts_interrupts() -> None:
    controller = watching(min_speech_s=0.5)
    controller.receive(ONSET, now=1.0)

    assert controller.deadline == 1.5
    assert controller.handle_timer(now=1.49) == []
    assert controller.handle_timer(now=1.5) == CUT("deadline")


def test_a_confirmation_cuts_at_once() -> None:
    assert watching().receive(CONFIRM, now=1.0) == CUT("keys")


@pytest.mark.parametrize("text", ["No.", "wait", "Stop!", "make it four", "make it four people"])
def test_words_that_take_the_floor_cut_at_once(text: str) -> None:
    assert watching().receive(words(text), now=1.0) == CUT("words")


@pytest.mark.parametrize("text", ["Mm-hm.", "okay", "Yeah, I see.", "I see, okay.", "uh huh", "Right, of course"])
def test_a_listener_does_not_interrupt(text: str) -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)

    assert controller.receive(words(text), now=1.3) == RESUMED("words")
    assert controller.handle_timer(now=9) == []


def test_a_listener_who_goes_on_interrupts_after_all() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)
    controller.receive(words("okay"), now=1.3)

    assert controller.receive(ONSET, now=1.4) == []
    assert controller.receive(words("okay but I meant Friday"), now=1.6) == []
    assert controller.deadline == 1.9
    assert controller.handle_timer(now=1.9) == CUT("words")


@pytest.mark.parametrize(("lasted", "decided"), [(0.8, []), (0.9, CUT("words"))])
def test_words_count_once_somebody_has_spoken_for_long_enough(lasted: float, decided: list[Ruling]) -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)
    controller.receive(RETRACT, now=1.0 + lasted)

    assert controller.receive(words("make it four"), now=2.5) == decided


def test_a_stop_word_counts_however_short_it_was() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)
    controller.receive(RETRACT, now=1.3)

    assert controller.receive(words("No, not that."), now=2.0) == CUT("words")


def test_words_that_were_taken_for_enough_and_then_are_a_listener_s_do_not_count() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)
    controller.receive(words("all write I"), now=1.4)
    assert controller.receive(words("All right, I see."), now=1.6) == RESUMED("words")

    assert controller.deadline == math.inf


def test_words_wait_in_vain_when_the_caller_falls_silent_before_it_was_long_enough() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)
    controller.receive(words("make it four"), now=1.4)
    controller.receive(RETRACT, now=1.6)

    assert controller.handle_timer(now=9.0) == []


def test_the_longer_of_two_voices_counts() -> None:
    controller = watching()
    other = BargeIn(BargeInKind.ONSET, "other")
    controller.receive(ONSET, now=1.0)
    controller.receive(other, now=1.5)
    controller.receive(RETRACT, now=1.7)

    assert controller.receive(BargeIn(BargeInKind.RETRACT, "nobody"), now=1.8) == []
    assert controller.receive(words("make it four"), now=2.5) == CUT("words")


@pytest.mark.parametrize("text", ["Right, I", "Okay, I, I, I", "oh really oh"])
def test_what_may_still_become_a_listener_s_words_is_not_held_against_it(text: str) -> None:
    assert not Policy().interrupts(text)


def test_a_listener_may_say_it_again() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)
    controller.receive(words("okay"), now=1.3)

    assert controller.receive(words("okay, okay"), now=1.5) == []
    assert not controller.held


def test_an_excuse_lasts_as_long_as_the_speech_it_was_for() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)
    controller.receive(words("okay"), now=1.3)
    controller.receive(RETRACT, now=1.5)

    assert controller.receive(ONSET, now=3.0) == HELD("voice")


def test_one_word_that_may_be_the_first_of_many_changes_nothing() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)

    assert controller.receive(words("four"), now=1.2) == []
    assert controller.held


def test_words_that_come_after_the_silence_still_count() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)
    controller.receive(RETRACT, now=1.4)

    assert controller.receive(words("stop"), now=1.5) == CUT("words")


def test_two_sources_that_disagree_hold_until_both_take_it_back() -> None:
    controller = watching()
    controller.receive(ONSET, now=1.0)
    other = BargeIn(BargeInKind.ONSET, "camera")

    assert controller.receive(other, now=1.1) == []
    assert controller.receive(RETRACT, now=1.2) == []
    assert controller.held
    assert controller.receive(BargeIn(BargeInKind.RETRACT, "camera"), now=1.3) == RESUMED("camera")


def test_a_suspicion_that_nobody_settles_runs_out() -> None:
    controller = watching(min_speech_s=5.0, hold_s=1.5)
    controller.receive(ONSET, now=1.0)

    assert controller.handle_timer(now=2.5) == RESUMED("deadline")


def test_a_turn_that_may_not_be_interrupted_is_not() -> None:
    controller = InterruptionController()
    controller.watch(interruptible=False)

    assert [*controller.receive(ONSET, now=1.0), *controller.receive(CONFIRM, now=1.1)] == []


def test_signals_while_nothing_is_spoken_or_for_a_turn_that_is_over_decide_nothing() -> None:
    controller = InterruptionController()
    assert controller.receive(CONFIRM, now=1.0) == []

    controller.watch(interruptible=True)
    controller.receive(ONSET, now=2.0)
    controller.unwatch()

    assert controller.receive(RETRACT, now=2.1) == []
    assert controller.handle_timer(now=9) == []
    assert controller.deadline == math.inf


def test_a_retraction_of_nothing_means_nothing() -> None:
    assert watching().receive(RETRACT, now=1.0) == []


SIGNALS = st.sampled_from([ONSET, RETRACT, CONFIRM, words("okay"), words("four"), words("no wait"), None])


@given(st.lists(st.tuples(SIGNALS, st.floats(0, 2)), max_size=200))
def test_a_storm_of_signals_cuts_once_and_never_leaves_a_hold_behind(storm: list[tuple[BargeIn | None, float]]) -> None:
    rulings: list[Ruling] = []
    controller, now = watching(), 0.0
    for signal, gap in storm:
        now += gap
        rulings += controller.handle_timer(now=now) if signal is None else controller.receive(signal, now=now)

    decisions = [ruling.decision for ruling in rulings]
    assert decisions.count(Decision.CUT) <= 1
    assert Decision.CUT not in decisions[:-1]
    kept = [decision for decision in decisions if decision is not Decision.CUT]
    assert kept == [Decision.HOLD, Decision.RESUME] * (len(kept) // 2) + [Decision.HOLD] * (len(kept) % 2)
    assert controller.held == (controller.deadline < math.inf)


def test_before_anything_is_watched_nothing_is_held_and_nothing_is_decided() -> None:
    controller = InterruptionController()

    assert not controller.held
    assert controller.receive(CONFIRM, now=1.0) == []
    assert controller.handle_timer(now=9.0) == []
