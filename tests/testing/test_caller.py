from collections.abc import Sequence

import pytest

from agentvoice.testing.caller import SILENCE, Caller, Heard
from agentvoice.testing.script import BargesIn, HangsUp, Pauses, Presses, Says, Step, WaitsForAgent, WaitsForHangUp

LOUD = b"\x20\xa0" * 80
SPEECH = b"\x10" * 400  # 50 ms


def hear(
    steps: Sequence[Step], agent: Sequence[tuple[float, bytes]] = (), *, seconds: float = 60
) -> tuple[Caller, list[Heard]]:
    """Let the caller hear stretches of the agent (seconds, frame), then silence."""
    caller = Caller(steps)
    frames = [frame for stretch, frame in agent for _ in range(round(stretch / 0.02))]
    said: list[Heard] = []
    while not caller.done and len(said) < seconds / 0.02:
        said.append(caller.tick(frames[len(said)] if len(said) < len(frames) else SILENCE))
    return caller, said


def test_a_line_is_said_in_frames_of_20_ms_and_noted() -> None:
    caller, said = hear([Says("Hello.", SPEECH)])

    assert [heard.audio for heard in said[:3]] == [b"\x10" * 160, b"\x10" * 160, b"\x10" * 80 + b"\xff" * 80]
    assert (caller.lines[0].text, caller.lines[0].start_s, caller.lines[0].end_s) == ("Hello.", 0.0, 0.05)
    assert said[-1].hangs_up


def test_waiting_for_the_agent_is_to_hear_it_and_then_silence() -> None:
    caller, _ = hear([WaitsForAgent(silence_s=0.9), Says("Hello.", SPEECH)], [(1.0, SILENCE), (2.0, LOUD)])

    assert caller.lines[0].start_s == pytest.approx(3.92, abs=0.03)
    assert caller.complaints == []


def test_a_short_gap_in_the_agent_s_speech_is_no_end() -> None:
    caller, _ = hear([WaitsForAgent(silence_s=0.9), Says("Hello.", SPEECH)], [(1.0, LOUD), (0.5, SILENCE), (1.0, LOUD)])

    assert caller.lines[0].start_s > 3.3


def test_a_barge_in_comes_when_the_agent_has_been_audible_for_so_long() -> None:
    caller, _ = hear([BargesIn("Wait!", SPEECH, after_s=1.2)], [(0.5, SILENCE), (5.0, LOUD)])

    assert caller.lines[0].start_s == pytest.approx(1.7, abs=0.03)
    assert caller.lines[0].barged_in


@pytest.mark.parametrize(
    "step", [BargesIn("Wait!", SPEECH, limit_s=2.0), WaitsForAgent(limit_s=2.0), WaitsForHangUp(2.0)]
)
def test_nothing_is_waited_for_for_ever(step: Step) -> None:
    caller, said = hear([step])

    assert len(said) == pytest.approx(101, abs=5)
    assert len(caller.complaints) == 1


@pytest.mark.parametrize(("word_s", "starts_s"), [(0.4, 2.0), (None, 0.5 + 5 / 2.7)])
def test_a_barge_in_at_a_word_counts_the_agent_s_words_or_guesses(word_s: float | None, starts_s: float) -> None:
    caller = Caller([Pauses(0.1), BargesIn("Wait!", SPEECH, at_word=5)])
    for tick in range(500):
        words = int(tick * 0.02 / word_s) if word_s else None  # by 0.1 s none, by 2 s five
        caller.tick(SILENCE if tick < 25 else LOUD, words=words)

    assert caller.lines[0].start_s == pytest.approx(starts_s, abs=0.05)
    assert caller.lines[0].barged_in


def test_the_words_of_an_earlier_step_do_not_count() -> None:
    caller = Caller([WaitsForAgent(silence_s=0.1), BargesIn("Wait!", SPEECH, at_word=5)])
    heard = [(LOUD, 7)] * 50 + [(SILENCE, 7)] * 20 + [(LOUD, 8)] * 20 + [(LOUD, 12)] * 20
    for agent, words in heard:
        caller.tick(agent, words=words)

    assert caller.lines[0].start_s == pytest.approx(1.8, abs=0.03)


def test_the_agent_is_not_cut_off_when_it_has_just_stopped() -> None:
    caller, _ = hear([BargesIn("Wait!", SPEECH, after_s=1.0)], [(0.8, LOUD), (1.0, SILENCE), (1.0, LOUD)])

    assert caller.lines[0].start_s == pytest.approx(1.8, abs=0.03)


def test_hanging_up_may_wait() -> None:
    _, said = hear([HangsUp(after_s=1.5)])

    assert len(said) == 76


@pytest.mark.parametrize(("step", "frames"), [(HangsUp(at_s=3), 150), (HangsUp(1.5, 3), 126), (HangsUp(4, 3), 150)])
def test_a_script_that_comes_early_to_the_second_of_the_hang_up_waits_for_it(step: HangsUp, frames: int) -> None:
    caller, said = hear([Pauses(1), step])

    assert len(said) == pytest.approx(frames, abs=1)
    assert said[-1].hangs_up
    assert caller.complaints == []


def test_lines_are_made_before_the_call_and_each_text_has_a_tone_of_its_own() -> None:
    made: list[str] = []

    def speak(text: str) -> bytes:
        made.append(text)
        return SPEECH

    Caller([Says("one"), Pauses(1), BargesIn("two"), Says("three", SPEECH)], speak=speak)
    _, said = hear([Says("one"), Says("two")])

    assert made == ["one", "two"]
    assert said[2].audio != said[20].audio


def test_keys_are_pressed_and_pauses_last() -> None:
    _, said = hear([Pauses(0.5), Presses("5#"), HangsUp()])

    assert [number for number, heard in enumerate(said) if heard.keys] == [26]
    assert said[26].keys == "5#"


def test_a_line_without_a_sound_is_spoken_in_tones() -> None:
    _, said = hear([Says("one two three")])

    assert sum(heard.audio != SILENCE for heard in said) == 50
