from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, strategies as st

from agentvoice.events import SpeechStarted, SpeechStopped
from agentvoice.voice_gate import Hearable, Sensitivity, VoiceGate

WINDOW_S = 0.032


def pass_through(gate: VoiceGate, *probabilities: float, start: float = 0.0) -> list[SpeechStarted | SpeechStopped]:
    events = []
    for number, probability in enumerate(probabilities):
        at = start + number * WINDOW_S
        if event := gate.receive(probability, start=at, end=at + WINDOW_S):
            events.append(event)
    return events


def test_two_loud_windows_are_speech_that_began_with_the_first() -> None:
    gate = VoiceGate()

    assert pass_through(gate, 0.1, 0.9, 0.9) == [SpeechStarted(WINDOW_S)]
    assert gate.speaking


def test_one_loud_window_is_a_click() -> None:
    gate = VoiceGate()

    assert pass_through(gate, 0.1, 0.9, 0.1, 0.9, 0.1) == []
    assert gate.state is Hearable.SILENCE


def test_a_window_between_the_thresholds_neither_begins_nor_ends_speech() -> None:
    gate = VoiceGate()

    assert pass_through(gate, *[0.4] * 20) == []
    assert pass_through(gate, 0.9, 0.4, *[0.4] * 20) == [SpeechStarted(0.0)]


def test_speech_stops_where_the_silence_began_once_it_has_lasted() -> None:
    gate = VoiceGate()
    pass_through(gate, 0.9, 0.9)

    assert pass_through(gate, *[0.1] * 6, start=1.0) == []
    assert pass_through(gate, 0.1, start=1.0 + 6 * WINDOW_S) == [SpeechStopped(1.0)]
    assert not gate.speaking


def test_a_pause_between_syllables_is_not_silence() -> None:
    gate = VoiceGate()
    pass_through(gate, 0.9, 0.9)

    assert pass_through(gate, *[0.1, 0.1, 0.1, 0.1, 0.9] * 5) == []
    assert gate.state is Hearable.SPEECH


def test_silence_is_measured_from_its_own_beginning_not_from_that_of_an_earlier_pause() -> None:
    gate = VoiceGate(Sensitivity(silence_s=3 * WINDOW_S))
    pass_through(gate, 0.9, 0.9)

    assert pass_through(gate, 0.1, 0.1, 0.9, 0.1, 0.1) == []


def test_whoever_cannot_be_heard_any_more_stops_speaking() -> None:
    gate = VoiceGate()
    pass_through(gate, 0.9, 0.9)

    assert gate.starve(5.0) == SpeechStopped(5.0)
    assert gate.starve(6.0) is None


def test_a_silence_that_had_begun_when_the_audio_ceased_keeps_its_beginning() -> None:
    gate = VoiceGate()
    pass_through(gate, 0.9, 0.9)
    pass_through(gate, 0.1, start=2.0)

    assert gate.starve(5.0) == SpeechStopped(2.0)


def test_what_was_only_perhaps_speech_when_the_audio_ceased_never_was() -> None:
    gate = VoiceGate()
    pass_through(gate, 0.9)

    assert gate.starve(5.0) is None
    assert pass_through(gate, 0.9, start=6.0) == []


@given(st.lists(st.floats(0, 1), max_size=200))
def test_starts_and_stops_alternate_and_time_runs_forward(probabilities: Sequence[float]) -> None:
    events = pass_through(VoiceGate(), *probabilities)

    assert [type(event) for event in events] == [(SpeechStarted, SpeechStopped)[n % 2] for n in range(len(events))]
    assert [event.at for event in events] == sorted(event.at for event in events)
