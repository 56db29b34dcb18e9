"""Words that will not be revised."""

from __future__ import annotations

from agentvoice.events import Transcript
from agentvoice.speech.hearing.stability import Stability


def test_words_are_certain_when_two_guesses_agree_and_never_the_last_one() -> None:
    stability = Stability()
    guesses = ["I would lie", "I would like", "I would like to", "I would like to book"]
    assert [stability.receive(Transcript(text, final=False)) for text in guesses] == [
        "",
        "I would",
        "",
        "I would like",
    ]


def test_final_words_extend_what_was_told_whatever_their_punctuation() -> None:
    stability = Stability()
    for text in ("Well, I think so", "Well, I think so too"):
        stability.receive(Transcript(text, final=False))
    assert stability.receive(Transcript("well I think so too.", final=True)) == "Well, I think so too."


def test_what_contradicts_what_was_told_is_not_told() -> None:
    stability = Stability()
    for text in ("nine people tonight", "nine people tonight at"):
        stability.receive(Transcript(text, final=False))
    assert stability.receive(Transcript("wine, people, tonight at home", final=True)) == ""
