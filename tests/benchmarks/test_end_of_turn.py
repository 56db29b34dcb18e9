from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from agentvoice.endpointing import Endpointing
from agentvoice.events import SpeechStarted, SpeechStopped, Transcript
from benchmarks.end_of_turn.corpus import LONGEST_S, SHORTEST_S, Contribution, Corpus, Part, placed
from benchmarks.end_of_turn.figures import Point, by_kind, curve, judged
from benchmarks.end_of_turn.hearing import Heard, recent, timed, transcribed
from benchmarks.end_of_turn.phrases import PAUSED, Kind
from benchmarks.end_of_turn.picture import picture
from benchmarks.end_of_turn.recordings import silences
from benchmarks.end_of_turn.trial import Outcome, Way, attempt
from benchmarks.selectivity.sounds import RATE, Sound


def tone(seconds: float) -> Sound:
    return np.asarray(0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE))


def contribution(first: str = "A table and", second: str = "a chair.", *, pause_s: float = 1.0) -> Contribution:
    parts = [Part(first, 1.0, 2.0), Part(second, 2.0 + pause_s, 3.0 + pause_s)]
    return Contribution(0, 0, Kind.CONJUNCTION, parts, tone(3.0 + pause_s))


def found(said: Contribution) -> list[tuple[float, SpeechStarted | SpeechStopped]]:
    events: list[tuple[float, SpeechStarted | SpeechStopped]] = []
    for part in said.parts:
        events += [(part.start_s + 0.1, SpeechStarted(part.start_s)), (part.end_s + 0.2, SpeechStopped(part.end_s))]
    return events


def heard(said: Contribution, *, judged: float = 0.9) -> Heard:
    events = transcribed(said, found(said))
    return Heard(events, [(at, judged) for at, event in events if isinstance(event, Transcript)])


def outcome(way: Way, said: Contribution, *, judged: float = 0.9, silence_s: float = 0.5) -> Outcome:
    setting = Endpointing(silence_s=silence_s, shortest_s=silence_s, sure_s=0.3, patience_s=1.4)
    [only] = attempt(way, setting, [(said, heard(said, judged=judged))])
    return only


def way(name: str = "silence alone", **how: bool) -> Way:
    return Way(name, lambda seconds: Endpointing(silence_s=seconds), **how)


# ------------------------------------------------------------------ the corpus


def test_pauses_are_as_long_as_is_the_callers_habit() -> None:
    chance = np.random.default_rng(1)
    said = [placed(0, 0, None, [("one", tone(0.3)), ("two", tone(0.3))], 0.8, chance) for _ in range(200)]
    pauses = [end - start for each in said for start, end in each.pauses]

    assert min(pauses) >= SHORTEST_S - 0.01
    assert max(pauses) <= LONGEST_S + 0.01
    assert np.median(pauses) == pytest.approx(0.8, abs=0.1)


def test_a_pause_is_silent_and_the_rest_is_not() -> None:
    said = placed(0, 0, None, [("one", tone(0.3)), ("two", tone(0.3))], 0.8, np.random.default_rng(1))
    [(start, end)] = said.pauses

    assert not said.speech[round(start * RATE) : round(end * RATE)].any()
    assert np.abs(said.speech[: round(start * RATE)]).max() > 0
    assert len(said.speech) == round(said.end_s * RATE)


def test_the_line_has_the_noise_that_was_asked_for_and_is_the_same_each_time() -> None:
    said = contribution()

    assert said.line(10.0) == said.line(10.0) != said.line(None)
    assert len(said.line(None)) == len(said.speech) + 2.5 * RATE


def test_the_digest_names_the_sounds() -> None:
    one, same, other = (Corpus([contribution(pause_s=pause_s)]).digest for pause_s in (1.0, 1.0, 0.9))

    assert one == same != other


def test_pauses_in_a_recording_are_found_and_gaps_between_sounds_are_not() -> None:
    sound = np.concatenate((tone(0.3), np.zeros(400), tone(0.3), np.zeros(RATE // 4), tone(0.3)))

    [middle] = silences(sound)

    assert middle == pytest.approx(0.65 * RATE + 1000, abs=160)


def test_every_phrase_with_pauses_has_them() -> None:
    assert all("|" in text for texts in PAUSED.values() for text in texts)


# ------------------------------------------------------------------ what is heard of it


def test_a_segments_words_come_when_it_is_over_without_a_mark_at_the_end() -> None:
    transcripts = [(at, event.text) for at, event in heard(contribution()).events if isinstance(event, Transcript)]

    assert transcripts == [(pytest.approx(2.3), "A table and"), (pytest.approx(4.3), "a chair")]


def test_words_that_voice_activity_did_not_part_come_together() -> None:
    events = transcribed(contribution(), [(1.1, SpeechStarted(1.0)), (4.2, SpeechStopped(4.0))])

    assert [event.text for _, event in events if isinstance(event, Transcript)] == ["A table and a chair"]


def test_words_last_as_long_as_their_letters() -> None:
    said = Contribution(0, 0, None, [Part("to wait", 1.0, 1.7)], tone(1.7))

    assert timed(said) == [("to", pytest.approx(1.1)), ("wait", pytest.approx(1.5))]


def test_a_model_is_given_the_last_eight_seconds() -> None:
    line = bytes(80000)

    assert [len(recent(line, at)) for at in (1.0, 9.0)] == [16000, 128000]


# ------------------------------------------------------------------ what is decided


@pytest.mark.parametrize(("pause_s", "cut_in"), [(0.4, [False]), (1.0, [True])])
def test_silence_alone_takes_a_longer_pause_for_the_end(pause_s: float, cut_in: list[bool]) -> None:
    cut = outcome(way(), contribution(pause_s=pause_s))

    assert cut.cut_in == cut_in
    assert cut.delay_s == pytest.approx(0.5)


def test_an_answer_that_was_late_is_not_decided_before_it_came() -> None:
    assert outcome(way(), contribution(), silence_s=0.2).delay_s == pytest.approx(0.3)


def test_words_tell_that_more_is_to_come() -> None:
    assert outcome(way(words=True), contribution("A table and", "a chair.")).cut_in == [False]
    assert outcome(way(words=True), contribution("A table.", "A chair.")).cut_in == [True]


@pytest.mark.parametrize(("judged", "cut_in", "delay_s"), [(0.9, [True], 0.35), (0.1, [False], 1.4)])
def test_a_model_that_is_sure_makes_it_quick_and_one_that_is_not_patient(
    judged: float, cut_in: list[bool], delay_s: float
) -> None:
    cut = outcome(way(model=True), contribution(), judged=judged)

    assert cut.cut_in == cut_in
    assert cut.delay_s == pytest.approx(delay_s)


def test_a_judgement_is_worth_nothing_when_the_caller_goes_on_before_it() -> None:
    said = contribution(pause_s=0.22)

    assert outcome(way(model=True), said, judged=0.9).cut_in == [False]


def test_pace_is_learnt_from_one_contribution_to_the_next() -> None:
    said = [contribution(pause_s=pause_s) for pause_s in (0.7, 0.7, 0.7, 0.7)]
    setting = Endpointing(silence_s=0.5, shortest_s=0.5, patience_s=1.4)
    learning, not_learning = (
        [each.cut_in for each in attempt(how, setting, [(each, heard(each)) for each in said])]
        for how in (way(pace=True), way())
    )

    assert not_learning == [[True]] * 4
    assert learning == [[True], [False], [False], [False]]


# ------------------------------------------------------------------ figures


def points() -> Sequence[Point]:
    said = contribution()
    return [
        Point(name, "clean", silence, [Outcome(said, [cut], delay), Outcome(said, [False], delay)])
        for name in ("silence alone", "words")
        for silence, cut, delay in ((0.3, True, 0.4), (math.nan, False, 0.9))
    ]


def test_the_curve_has_a_row_for_each_point() -> None:
    assert curve(points()[:2]).splitlines()[2:] == [
        "| clean | silence alone | 0.3 | 50 (9–91) | 0.40 | 0.40 | 0.40 |",
        "| clean | silence alone | default | 0 (0–66) | 0.90 | 0.90 | 0.90 |",
    ]


def test_pauses_are_told_apart_by_kind() -> None:
    assert by_kind(points()[:1]).splitlines()[2] == "| clean | silence alone | 50 (9–91) | – | – | – | – |"


def test_the_models_judgements_are_told_apart_by_where_they_are_made() -> None:
    said = contribution()

    assert judged("clean", [(said, heard(said, judged=0.4))]).splitlines()[2:] == [
        "| clean | end, synthetic | 0 (0–79) |",
        "| clean | pause, after a conjunction | 0 (0–79) |",
    ]


def test_the_picture_has_a_curve_for_each_way_and_a_ring_for_its_default() -> None:
    root = ET.fromstring(picture([points()[0], points()[2]], [points()[1], points()[3]]))
    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]

    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) == 2
    assert "words, default: 0 % cut in, 0.90 s" in titles
