"""Words are set where they were spoken, and never over one another."""

from dataclasses import replace
from itertools import pairwise

import pytest

from agentvoice.trace.phrases import LINES, SPACE, Phrase, flowing, in_blocks, of_caller, of_turn
from agentvoice.trace.staff import EDGE, LEFT, Row
from agentvoice.trace.story import Sound, Understood, Word
from agentvoice.trace.telling import tell

ROW = Row(10.0, 22.0, 90.0)


def said(text: str, start: float, *, each: float = 0.3, heard: bool = True) -> list[Word]:
    return [Word(word, start + each * n, start + each * (n + 1), heard) for n, word in enumerate(text.split())]


def overlaps(placed) -> bool:
    return any(
        one.right > other.x for one, other in pairwise(sorted(placed, key=lambda one: (one.line, one.x)))
        if one.line == other.line
    )  # fmt: skip


def test_a_word_stands_where_it_was_spoken() -> None:
    placed = flowing([Phrase(said("Good evening", 11.0, each=2.0))], ROW)

    assert [one.x for one in placed] == [LEFT + 90, LEFT + 270]


def test_words_spoken_fast_make_room_for_one_another() -> None:
    placed = flowing([Phrase(said("extraordinarily complicated circumstances", 11.0, each=0.1))], ROW)

    assert not overlaps(placed)
    assert placed[1].x == placed[0].right + SPACE


def test_words_at_the_edge_are_pushed_back_in_order() -> None:
    placed = flowing([Phrase(said("far out at the very edge of it all", 21.0, each=0.12))], ROW)

    assert placed[-1].right <= EDGE + 1e-9
    assert not overlaps(placed)


def test_only_the_words_of_a_row_are_set_in_it() -> None:
    placed = flowing([Phrase(said("before within after", 9.5, each=1.0)), Phrase(said("gone", 25.0))], ROW)

    assert [one.word.text for one in placed] == ["within", "after"]


def test_cut_words_follow_the_cut_and_end_before_the_next_phrase() -> None:
    cut = Phrase([*said("I can", 11.0), *said("offer you the corner by the window", 12.0, heard=False)], cut_at=11.6)
    placed = flowing([cut, Phrase(said("Certainly", 14.0))], ROW)

    assert [one.word.text for one in placed[:3]] == ["I", "can", "Certainly"]
    assert placed[3].word.text == "offer"
    assert placed[3].x >= ROW.x(11.6)
    assert placed[-1].word.text == "…"
    assert not overlaps(placed)


def test_cut_words_that_all_fit_need_no_ellipsis() -> None:
    cut = Phrase([*said("I", 11.0), *said("can offer", 12.0, heard=False)], cut_at=11.3)

    assert [one.word.text for one in flowing([cut], ROW)] == ["I", "can", "offer"]


def test_without_any_room_no_cut_word_is_set() -> None:
    cut = Phrase([*said("I", 11.0), *said("can offer", 12.0, heard=False)], cut_at=11.3)
    placed = flowing([cut, Phrase(said("Certainly", 11.35))], ROW)

    assert [one.word.text for one in placed] == ["I", "Certainly"]


def test_on_a_small_scale_a_phrase_is_a_paragraph() -> None:
    small = Row(0.0, 60.0, 18.0)
    placed = in_blocks([Phrase(said("A table for two at half past seven by the window", 10.0))], small)

    assert {one.line for one in placed} == {0, 1}
    assert placed[0].x == small.x(10.0)
    assert not overlaps(placed)


def test_a_paragraph_that_does_not_fit_ends_with_an_ellipsis() -> None:
    small = Row(0.0, 60.0, 18.0)
    long = Phrase(said("A table for two at half past seven by the window " * 4, 10.0, each=0.05))
    placed = in_blocks([long, Phrase(said("Next", 18.0)), Phrase([])], small)

    assert max(one.line for one in placed) == LINES - 1
    assert "…" in [one.word.text for one in placed]
    assert not overlaps(placed)


def test_where_there_is_no_room_at_all_nothing_is_set() -> None:
    small = Row(0.0, 60.0, 18.0)

    tight = in_blocks([Phrase(said("Extraordinarily", 10.0)), Phrase(said("x", 11.0))], small)
    tighter = in_blocks([Phrase(said("Extraordinarily", 10.0)), Phrase(said("x", 12.0))], small)

    assert [one.word.text for one in tight] == ["x"]
    assert [one.word.text for one in tighter] == ["…", "x"]


@pytest.fixture(scope="module")
def story(booking):
    return tell(booking.trace)


def test_the_caller_is_given_the_words_that_were_understood(story) -> None:
    phrases = of_caller(story)

    assert [" ".join(word.text for word in phrase.words) for phrase in phrases] == [
        "Hello, I would like to book a table for two tonight, please.",
        "No, wait, make it four people.",
        "It is Reed, Anna Reed.",
    ]
    assert phrases[0].words[0].start == story.segments[0].start
    assert phrases[0].words[-1].end == pytest.approx(story.segments[0].end)


def test_a_noise_has_no_words_and_the_last_segment_those_known_so_far(story) -> None:
    short = replace(
        story,
        segments=(Sound(1.0, 1.3), Sound(2.0, 3.0)),
        understood=(Understood(1.5, "", final=True), Understood(2.5, "Hel", final=False)),
    )

    assert [phrase.words[0].text for phrase in of_caller(short)] == ["Hel"]
    assert of_caller(replace(short, understood=())) == []


def test_only_a_turn_with_unheard_words_was_cut(story) -> None:
    assert [of_turn(turn).cut_at is not None for turn in story.turns] == [False, True, False, False]


def test_what_was_said_before_leaves_cut_words_their_room() -> None:
    before = Phrase(said("Hello", 10.2))
    cut = Phrase([*said("I", 12.0), *said("can offer", 12.3, heard=False)], cut_at=12.3)

    assert [one.word.text for one in flowing([before, cut], ROW)] == ["Hello", "I", "can", "offer"]
