"""What is written, and how it is said."""

from collections.abc import AsyncIterator

import pytest

from agentvoice import Agent, Protected, Turn
from agentvoice.ear import Ear
from agentvoice.errors import UsageError
from agentvoice.testing.script import hangs_up, says, waits_for_agent
from agentvoice.testing.simulate import simulate

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("A table for 4 people.", "A table for four people."),
        ("1,234.5 metres", "one thousand, two hundred and thirty four point five metres"),
        ("It costs $4.50.", "It costs four dollars, fifty cents."),
        ("£3 each", "three pounds each"),
        ("$4 million", "four million dollars"),
        ("at 7:30 p.m.", "at seven thirty P M"),
        ("at 7:00", "at seven o'clock"),
        ("at 7:05", "at seven oh five"),
        ("on December 5, 2026", "on December fifth, twenty twenty six"),
        ("on 2026-12-05", "on December fifth, twenty twenty six"),
        ("the 3rd of May", "the third of May"),
        ("12% off", "twelve percent off"),
        ("It is -5 °C.", "It is minus five degrees Celsius."),
        ("Call 555 01 99.", "Call five five five, zero one, nine nine."),
        ("Call +15550100", "Call plus one five five five zero one zero zero"),
        ("Code 0042", "Code zero zero four two"),
        ("Dr. Smith & Sons, e.g. here", "Doctor Smith and Sons, for example here"),
        ("10 km at 5 km/h", "ten kilometres at five kilometres an hour"),
        ("A4 paper, 3D, B-52", "A4 paper, 3D, B-52"),
    ],
)
def test_english_is_said_as_a_person_would(written: str, said: str) -> None:
    assert Ear("en").words(written) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("de", "4 Personen um 19:30", "vier Personen um neunzehn Uhr dreißig"),
        ("de", "Das kostet 4,50 €.", "Das kostet vier Euro und fünfzig Cent."),
        ("de", "1.234 Stück, z.B. 12%", "eintausendzweihundertvierunddreißig Stück, zum Beispiel zwölf Prozent"),
        ("fr", "4 personnes, 12%", "quatre personnes, douze pour cent"),
        ("fr", "à 19:00", "à dix neuf heures"),
        ("es", "3 €", "tres euros"),
        ("pl", "7 osób", "siedem osób"),
    ],
)
def test_other_languages_have_their_own_words(language: str, written: str, said: str) -> None:
    assert Ear(language).words(written) == said


def test_a_lexicon_says_how_words_are_said() -> None:
    assert Ear("en", {"SQL": "sequel", "Nguyen": "win"}).words("Mr. Nguyen's SQL, not MySQL") == (
        "Mister win's sequel, not MySQL"
    )


def test_a_language_that_is_not_known_says_so() -> None:
    with pytest.raises(UsageError, match="does not know the language 'xx'"):
        Ear("xx").words("1")


async def said(*tokens: str) -> list[str]:
    async def stream() -> AsyncIterator[str]:
        for token in tokens:
            yield token

    return [token async for token in Ear("en").stream(stream())]


async def test_a_number_waits_for_what_follows_it() -> None:
    assert "".join(await said("It ", "costs ", "$4", ".50", " or ", "£3", " mill", "ion", ". ", "Fine.")) == (
        "It costs four dollars, fifty cents or three million pounds. Fine."
    )


async def test_words_do_not_wait_for_what_follows_them() -> None:
    assert await said("Of course, ", "a table ", "for two.") == ["Of course, ", "a table ", "for ", "two."]


async def test_what_is_protected_stays_so() -> None:
    tokens = await said(Protected("It costs $4"), " a day.")

    assert [(str(token), type(token)) for token in tokens] == [
        ("It costs ", Protected),
        ("four dollars", Protected),
        (" a ", str),
        ("day.", str),
    ]


async def test_an_agent_may_have_its_text_said_for_the_ear() -> None:
    class Shop(Agent):
        greeting = "We have 3 sizes."
        ear = Ear("en")

        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            yield "That is "
            yield "$4."

    call = await simulate(Shop(), [waits_for_agent(), says("How much?"), waits_for_agent(), hangs_up()])

    assert [turn.heard for turn in call.turns] == ["We have three sizes.", "That is four dollars."]
