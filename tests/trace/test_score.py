"""The drawing holds what the story tells."""

import re
from array import array
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from agentvoice.commands import TurnState
from agentvoice.trace.flags import signs
from agentvoice.trace.picture import BEST_ROW_S, Figure, Head, compose, picture, rasterise
from agentvoice.trace.recording import Recording, Track, read_recording
from agentvoice.trace.score import Score
from agentvoice.trace.story import BargeInStory, ContextSpan, Hole, Mark, Stretch
from agentvoice.trace.telling import tell

HEAD = Head("Call c", "a subtitle", [Figure("0.9", "s", "median"), Figure("3", "", "holes", good=False)])


@pytest.fixture(scope="module")
def story(booking):
    return tell(booking.trace, zero=booking.truth["t0"])


@pytest.fixture(scope="module")
def recording(booking, tmp_path_factory) -> Recording:
    path = tmp_path_factory.mktemp("call") / "call.wav"
    path.write_bytes(booking.wav)
    return read_recording(path)


def drawn(story, recording=None, row_s: float = BEST_ROW_S) -> ET.Element:
    return ET.fromstring(picture(compose(HEAD, Score(story, recording), row_s=row_s)))


def of(root: ET.Element, cls: str) -> list[ET.Element]:
    return [one for one in root.iter() if cls in one.get("class", "").split()]


def texts(root: ET.Element, cls: str) -> list[str]:
    return ["".join(one.itertext()) for one in of(root, cls)]


def title(element: ET.Element) -> str:
    return next((one.text or "" for one in element if one.tag.endswith("title")), "")


def test_every_word_heard_is_written_once_and_the_cut_ones_struck_through(story, recording) -> None:
    root = drawn(story, recording)
    written = [one for one in of(root, "said") if one.get("data-from")]
    cut = [one for one in of(root, "cut") if title(one)]

    heard = sum(word.heard for turn in story.turns for word in turn.words)
    caller = sum(len(one.text.split()) for one in story.utterances)
    assert len(written) == heard + caller
    assert title(cut[0]).startswith("can")
    assert all("never played" in title(one) for one in cut)


def test_every_turn_is_a_bar_in_the_colour_of_its_outcome_that_can_be_played(story, recording) -> None:
    root = drawn(story, recording)
    bars = [one for one in of(root, "turn") if one.get("data-from")]

    assert {one.get("class") for one in bars} == {"turn completed", "turn interrupted"}
    assert {title(one).split()[0] for one in bars} == {"s1", "t1", "t2", "t3"}
    assert any("demo-1-3" in label for label in texts(root, "label"))


def test_the_barge_in_is_flagged_with_how_long_it_took(story, recording) -> None:
    root = drawn(story, recording)

    assert texts(root, "flag") == ["barge-in"]
    assert re.fullmatch(r"silent after \d+ ms · decided after \d+ ms", texts(root, "flag-soft")[0])
    assert of(root, "band")


def test_every_answer_has_its_time_written_once(story, recording) -> None:
    assert len(texts(drawn(story, recording), "latency")) == len(story.responses)


def test_marks_are_drawn_where_they_came_back(story, recording) -> None:
    root = drawn(story, recording)

    assert len([one for one in of(root, "mark") if title(one)]) + len(
        [one for one in of(root, "mark-cleared") if title(one)]
    ) == sum(len(turn.marks) for turn in story.turns)


def test_a_call_without_a_recording_is_drawn_from_its_trace(story) -> None:
    root = drawn(story)

    assert of(root, "peak")
    assert all(one.tag.endswith("rect") for one in of(root, "peak"))


def test_a_silent_recording_is_drawn_flat(story) -> None:
    silent = Track(array("h", bytes(2 * 8000 * 34)), 8000)

    assert not of(drawn(story, Recording(silent, silent, b"")), "peak")


def test_nothing_at_all_can_be_drawn(story) -> None:
    nothing = replace(
        story, turns=(), utterances=(), segments=(), understood=(), barge_ins=(), start=0.0, end=0.0, ended_by=""
    )

    assert drawn(nothing).tag.endswith("svg")


@pytest.mark.parametrize("row_s", [5.0, 13.0, 22.0, 60.0, 300.0])
def test_nothing_is_drawn_beyond_the_edges_on_any_scale(story, recording, row_s: float) -> None:
    root = drawn(story, recording, row_s)
    width, height = float(root.get("width")), float(root.get("height"))

    for one in root.iter():
        assert 0 <= float(one.get("x", 0)) <= width, ET.tostring(one)
        assert 0 <= float(one.get("y", 0)) <= height, ET.tostring(one)


def test_a_false_alarm_a_key_and_a_barge_in_unheard_are_told_in_words(story) -> None:
    barge_in = BargeInStory("t1", "v", at=2.0, held=2.1, decided=2.5, confirmed=False, cleared=None, silent=None)
    late = replace(barge_in, at=5.0, decided=5.2, confirmed=True, silent=5.4)
    eager = replace(barge_in, at=7.0, confirmed=True)

    idle = replace(late, at=9.0, decided=9.5, silent=8.0)

    told = signs(replace(story, barge_ins=(barge_in, late, eager, idle), keys=((1.0, "#"),)))

    assert told == [
        (1.0, "", "key #"),
        (2.0, "", "false alarm, goes on after 500 ms"),
        (5.0, "barge-in", "decided after 200 ms · silent after 400 ms"),
        (7.0, "", "the caller goes on: t1 withdrawn unheard"),
        (9.0, "barge-in", "the agent was silent already · decided after 500 ms"),
    ]


def test_speech_that_cut_after_all_was_no_false_alarm(story) -> None:
    cut = replace(story.barge_ins[0], at=3.0)
    told = signs(replace(story, barge_ins=(replace(cut, confirmed=False, silent=None), cut)))

    assert [strong for _, strong, _ in told] == ["barge-in"]


def test_only_what_was_cut_has_a_band(story) -> None:
    (cut,) = story.barge_ins
    for spared in (replace(cut, confirmed=False, silent=None), replace(cut, silent=None)):
        root = drawn(replace(story, barge_ins=(spared,)))
        assert not [one for one in of(root, "band") if float(one.get("height")) > 20]


def test_flags_at_one_moment_stand_one_above_the_other(story) -> None:
    root = drawn(replace(story, keys=((3.0, "1"), (3.1, "2"), (33.1, "3"))))

    assert "key 1" in texts(root, "flag-soft")
    ys = {one.get("y") for one in of(root, "flag-soft") if "key" in "".join(one.itertext())}
    assert len(ys) > 1


def test_everything_rare_is_drawn_too(story) -> None:
    first, second, *rest = story.turns
    contexts = (
        first.contexts[0],
        ContextSpan("demo-1-9", 2.0, 5.0),
        ContextSpan("d-3", 5.2, 5.3),
        ContextSpan("d-4", 30.0, 31.0),
    )
    lost = Mark("lost", 2.0, None, cleared=False)
    held = (Stretch(TurnState.HELD, 2.0, 2.5), Stretch(TurnState.SPEAKING, 2.5, 5.0))
    odd = replace(first, contexts=contexts, marks=(lost, Mark("m", 2.0, 2.5, cleared=True)), states=held)
    failed = replace(second, id="t9", outcome=TurnState.FAILED, heard=None, sounds=(), words=(), states=())
    long_name = replace(rest[0], contexts=(ContextSpan("c" * 40, 15.0, 20.0),))
    empty = replace(first, id="t0", opened=9.0, closed=9.0)

    root = drawn(replace(story, turns=(odd, failed, long_name, empty), holes=(Hole(3.0, 0.1),), ended_by="caller"))

    assert of(root, "hole")
    assert [one for one in of(root, "mark-lost") if title(one)]
    assert of(root, "succession")
    assert of(root, "failed")
    assert any(label.startswith("…c") for label in texts(root, "label"))
    assert "the far end hangs up" in texts(root, "note")


def test_what_lasts_longer_than_a_row_goes_on_in_the_next(story) -> None:
    barge_in = replace(story.barge_ins[0], at=3.0, decided=30.0, silent=28.0)
    slow = replace(story.turns[1], timeline={"caller_stopped": 1.0, "first_frame_out": 29.0})

    root = drawn(replace(story, barge_ins=(barge_in,), turns=(slow,)), row_s=6.0)

    assert len(of(root, "band")) > 4
    assert len(of(root, "response")) > 4
    assert len(texts(root, "latency")) == 1


def test_a_call_that_just_stops_has_no_end(story) -> None:
    assert not of(drawn(replace(story, ended_by="")), "end")


def test_the_picture_has_its_colours_in_it_by_day_and_by_night(story) -> None:
    drawing = compose(HEAD, Score(story))

    assert "var(" not in picture(drawing)
    assert picture(drawing, "dark") != picture(drawing)
    assert picture(drawing) == picture(compose(HEAD, Score(story)))


def test_a_bad_figure_is_shown_as_one(story) -> None:
    assert texts(drawn(story), "alarm") == ["3holes"]


def test_the_picture_is_rasterised(story) -> None:
    png = rasterise(picture(compose(HEAD, Score(story))), zoom=0.25)

    assert png.startswith(b"\x89PNG\r\n")
    assert int.from_bytes(png[16:20], "big") == 300
