"""Who says the agent's words: the line, or the caller."""

import pytest
from hypothesis import given, strategies

from agentvoice.echo import is_echo

SAID = "Of course, a table for four people at seven this evening. May I have your name, please?"


@pytest.mark.parametrize(
    "heard",
    [
        "a table for four people",
        "Table for for people at seven.",
        "may I have your name please",
        "of course the table for four",
        "have you name please",
    ],
)
def test_words_that_are_being_played_are_an_echo_also_with_a_recogniser_s_mistakes(heard: str) -> None:
    assert is_echo(heard, SAID)


@pytest.mark.parametrize(
    "heard",
    [
        "four people",  # callers repeat two words to make sure
        "No, wait, make it five.",
        "Sarah Johnson.",
        "at eight, not at seven",
        "seven at people four table",
        "",
    ],
)
def test_whoever_says_something_else_is_the_caller(heard: str) -> None:
    assert not is_echo(heard, SAID)


def test_when_nothing_is_played_nothing_is_an_echo() -> None:
    assert not is_echo("a table for four people", "")


words = strategies.lists(strategies.text("abcdefgh", min_size=2, max_size=6), min_size=3, max_size=12)


@given(words, strategies.data())
def test_any_three_words_in_a_row_are_an_echo(said: list[str], data: strategies.DataObject) -> None:
    start = data.draw(strategies.integers(0, len(said) - 3))

    assert is_echo(" ".join(said[start : start + 3]), " ".join(said))


@given(words)
def test_words_of_other_letters_are_none(said: list[str]) -> None:
    assert not is_echo("stop now mister", " ".join(said))
