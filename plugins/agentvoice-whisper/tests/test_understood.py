"""What is believed of what the model says. The figures are those that it gave for real sounds."""

from __future__ import annotations

import math

import pytest

from agentvoice.events import Transcript
from agentvoice.utterance import HeardWord
from agentvoice_whisper._understood import Understood

NOTHING = Transcript("", final=True)


def test_what_was_said_is_passed_on_with_all_that_is_known_of_it() -> None:
    words = (HeardWord("Right.", 0.34, 0.76, 0.8),)

    assert Understood("Right.", likely=-0.28, silent=0.12, words=words, language="en").transcript() == Transcript(
        "Right.", final=True, confidence=pytest.approx(math.exp(-0.28)), words=words, language="en"
    )


@pytest.mark.parametrize(
    ("sound", "text", "likely", "silent"),
    [
        ("digital silence", "you", -0.67, 0.99),
        ("a hum", "you", -0.69, 0.90),
        ("white noise", "I'm not going to be able to do it.", -1.81, 0.92),
        ("a cough", "I'm going to go to the end of the", -1.62, 0.79),
        ("low noise", "You", -2.14, 0.61),
        ("an offset", ". . . . .", -0.05, 0.60),
    ],
)
def test_what_is_made_up_of_noise_is_not_passed_on(sound: str, text: str, likely: float, silent: float) -> None:
    assert Understood(text, likely=likely, silent=silent).transcript() == NOTHING, sound


def test_what_is_merely_doubtful_or_merely_soft_is_passed_on() -> None:
    for likely, silent in ((-1.5, 0.52), (-0.42, 0.70)):
        assert Understood("MISDN", likely=likely, silent=silent).transcript().text == "MISDN"


def test_a_text_without_an_end_is_a_loop_and_not_passed_on() -> None:
    boo = Understood("BOOO", likely=-0.66, silent=0.1, ended=False)

    assert boo.loops
    assert boo.transcript() == NOTHING


def test_what_repeats_itself_and_ends_is_doubted_and_believed_when_the_doubt_was_looked_into() -> None:
    zeros = Understood("zero " * 20, likely=-0.1, silent=0.1)

    assert zeros.loops
    assert zeros.transcript().text == zeros.text
    assert not Understood("zero zero zero zero, five five five one", likely=-0.1, silent=0.1).loops
