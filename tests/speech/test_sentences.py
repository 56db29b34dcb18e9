"""Text is cut where a person would breathe, and waits no longer than it must."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from agentvoice.speech.sentences import TextBuffer, is_speakable, split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["One.", " Two!", " Three?"],
        ["Dr. Smith met J. Doe at 3.14 p.m. today.", " Yes."],
        ['He said "No!"', " And left."],
        ["Wait...", " what?!", " Yes."],
        ["你好。", "再见！", "OK"],
        ["no end at all"],
        ["... well, yes."],
        ["Visit www.example.com now.", " Go."],
        ["Yes.", " Really. -"],
    ],
)
def test_sentences_are_found(sentences: list[str]) -> None:
    assert split_sentences("".join(sentences)) == sentences


def test_a_long_sentence_is_cut_at_a_pause_or_between_words() -> None:
    with_pauses = "and so on, " * 60
    assert all(part.endswith(",") for part in split_sentences(with_pauses)[:-1])
    without = "word " * 120
    assert all(len(part) <= 240 for part in split_sentences(without))
    assert {len(part) for part in split_sentences("x" * 500)} == {240, 20}


@given(st.text(alphabet='ab .!?,\n"。“”…Dr', max_size=800))
def test_joined_they_are_the_text_and_each_can_be_spoken(text: str) -> None:
    parts = split_sentences(text)
    assert "".join(parts) == text
    if is_speakable(text):
        assert all(is_speakable(part) for part in parts)


def test_an_abbreviation_at_the_end_is_no_end() -> None:
    buffer = TextBuffer()
    assert buffer.add("I saw Dr.", delay_s=3.0, now=0.0) == ""
    assert buffer.deadline == 3.0
    assert buffer.add(" Smith! ", delay_s=3.0, now=1.0) == "I saw Dr. Smith!"
    assert buffer.deadline == math.inf


def test_what_is_certain_goes_and_what_is_doubtful_stays() -> None:
    buffer = TextBuffer()
    assert buffer.add("Yes. It is 3.", delay_s=3.0, now=0.0) == "Yes."
    assert len(buffer) == len(" It is 3.")
    assert buffer.deadline == pytest.approx(0.15)
    assert buffer.handle_timer(now=0.1) == ""
    assert buffer.handle_timer(now=0.2) == " It is 3."


def test_words_that_keep_coming_do_not_wait_for_ever_and_are_not_cut() -> None:
    buffer = TextBuffer()
    for n, token in enumerate(["and ", "then ", "we ", "went ", "on ", "to ", "the ", "mar"]):
        assert buffer.add(token, delay_s=0.7, now=n / 10) == ""
    assert buffer.deadline == pytest.approx(0.7)
    assert buffer.handle_timer(now=0.7) == "and then we went on to the "
    assert buffer.deadline == pytest.approx(1.4)
    assert buffer.add("ket", delay_s=0.7, now=0.8) == ""
    assert buffer.handle_timer(now=1.4) == "market"


def test_a_text_that_came_at_once_goes_at_once_however_short_the_delay() -> None:
    buffer = TextBuffer()
    buffer.add("and then we", delay_s=0.1, now=5.0)
    assert buffer.handle_timer(now=5.1) == "and then we"


def test_one_long_word_that_keeps_coming_is_waited_for() -> None:
    buffer = TextBuffer()
    buffer.add("incompre", delay_s=0.2, now=0.0)
    buffer.add("hensi", delay_s=0.2, now=0.1)
    assert buffer.handle_timer(now=0.2) == ""
    assert buffer.deadline == pytest.approx(0.25)
    assert buffer.handle_timer(now=0.25) == "incomprehensi"
    assert buffer.deadline == math.inf


def test_a_tag_that_has_not_ended_is_not_cut_by_the_clock() -> None:
    buffer = TextBuffer()
    buffer.add("well ", delay_s=0.2, now=0.0)
    buffer.add("then <break ", delay_s=0.2, now=0.1)
    assert buffer.handle_timer(now=0.2) == "well then "


def test_dots_that_trail_off_are_no_point() -> None:
    assert TextBuffer().add("Well...", delay_s=3.0, now=0.0) == "Well..."


@given(st.lists(st.text(alphabet="ab. !?<3>/\"'sp", max_size=9)), st.sampled_from([0.1, 3.0]))
def test_nothing_is_lost_or_said_twice(texts: list[str], delay_s: float) -> None:
    buffer, released = TextBuffer(), ""
    for n, text in enumerate(texts):
        released += buffer.handle_timer(now=n) + buffer.add(text, delay_s=delay_s, now=n)
    assert released + buffer.take() == "".join(texts)
    assert buffer.deadline == math.inf
