import pytest

from agentvoice.unfinished import Sounds, sounds


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A table for two.", "en"),
        ("Yes", "en"),
        ("", "en"),
        ("I was born in 1984", "en"),
        ("It costs 12.50", "en"),
        ("At seven thirty", "en"),
        ("There are two", "en"),
        ("My number is 212 555 0134", "en"),
        ("four one five, five five five, oh one three four", "en"),
        ("Ein Tisch für zwei.", "de"),
        ("and", "xx"),
        ("Do you have a hold on my account?", "en"),
        ("Go on.", "en"),
        ("I think so.", "en"),
        ("Where are you calling from?", "en"),
        ("Wofür ist das?", "de"),
    ],
)
def test_this_sounds_finished(text: str, language: str) -> None:
    assert sounds(text, language) is Sounds.FINISHED


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I would like", "en-GB"),
        ("I'd like a table and", "en"),
        ("My name is ...", "en"),
        ("Um", "en"),
        ("So, uh,", "en"),
        ("We come from.", "en"),
        ("On the third,", "en"),
        ("My number is 212 555", "en"),
        ("double oh four one", "en"),
        ("four one five", "en"),
        ("Ich hätte gern", "de"),
        ("Je voudrais", "fr"),
        ("un tavolo per", "it"),
        ("quiero una mesa para", "es"),
        ("een tafel voor", "nl"),
        ("uma mesa para", "pt"),
    ],
)
def test_after_this_more_comes(text: str, language: str) -> None:
    assert sounds(text, language) is Sounds.UNFINISHED


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hold on.", "en"),
        ("Okay, wait a second...", "en"),
        ("Let me see", "en"),
        ("Einen Moment, bitte", "de"),
        ("Un instant", "fr"),
    ],
)
def test_this_asks_for_time(text: str, language: str) -> None:
    assert sounds(text, language) is Sounds.ASKS_FOR_TIME
