"""Markup is honoured or stripped, and never read aloud."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agentvoice.speech.markup import MAX_PAUSE_S, Manner, Pause, Say, open_tag, parse_markup, strip_markup

PLAIN = Manner()


def parse(text: str) -> list[Say | Pause]:
    return parse_markup(text, PLAIN)[0]


def test_plain_text_stays_as_it_is() -> None:
    assert parse("2 < 3, and [so] on.") == [Say("2 < 3, and [so] on.", PLAIN)]


def test_speed_and_volume_hold_from_there_on() -> None:
    spans, after = parse_markup('a <speed ratio="1.5"/>b <volume ratio="0.5"/>c', PLAIN)
    assert spans == [Say("a ", PLAIN), Say("b ", Manner(1.5)), Say("c", Manner(1.5, 0.5))]
    assert parse_markup("d", after)[0] == [Say("d", Manner(1.5, 0.5))]


@pytest.mark.parametrize(
    ("tag", "ratio"), [("<speed ratio='9'/>", 2.0), ('<speed ratio="0"/>', 1.0), ("<Speed ratio=0.1 />", 0.5)]
)
def test_what_nobody_could_follow_is_bounded(tag: str, ratio: float) -> None:
    assert parse(f"{tag}a") == [Say("a", Manner(ratio))]


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ('<break time="1s"/>', 1),
        ("<break time='200ms'/>", 0.2),
        ('<break time="1.2.3s"/>', 0),
        ('<break time="99s"/>', 10),
    ],
)
def test_a_break_is_a_silence(tag: str, seconds: float) -> None:
    assert parse(f"a{tag}b") == [Say("a", PLAIN), Pause(seconds), Say("b", PLAIN)]
    assert seconds <= MAX_PAUSE_S


def test_spelling_goes_letter_by_letter() -> None:
    assert parse("It is <spell>AB-1</spell>.") == [Say("It is ", PLAIN), Say("A B 1", PLAIN, "AB-1"), Say(".", PLAIN)]
    assert parse("<spell>--</spell>") == []


def test_phonemes_are_a_word() -> None:
    assert parse("a <<m|ɛ|t>> b") == [Say("a <<m|ɛ|t>> b", PLAIN)]


@pytest.mark.parametrize("tag", ['<emotion value="angry"/>', "<pause>", "</spell>", "[laughter]", "[Sigh]", "<break/>"])
def test_what_no_voice_here_can_do_is_dropped(tag: str) -> None:
    assert parse(f"a {tag}b") == [Say("a b", PLAIN)]


def test_the_text_alone() -> None:
    assert strip_markup('a <break time="1s"/><spell>B1</spell>') == "a  B1"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("all of it", 9),
        ('a <speed ratio="1.', 2),
        ("a <", 2),
        ("a <<m|", 2),
        ("a <spell>AB", 2),
        ("a <spell>AB</spell>", 19),
        ("2 < 3 is true", 13),
        ("a <b" + "x" * 100, 104),
    ],
)
def test_a_tag_that_has_not_ended_is_found(text: str, at: int) -> None:
    assert open_tag(text) == at


@given(st.text(alphabet="ab <>/=\"'[]|12.speedratiobreaktime", max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    parse(text)
    assert 0 <= open_tag(text) <= len(text)
