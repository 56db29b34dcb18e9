import pytest
from pydantic import BaseModel

from agentvoice import Message
from agentvoice.llm import fill, text
from agentvoice.testing.llm import ScriptedModel

pytestmark = pytest.mark.anyio

TALK = [
    Message("user", "Hello, I would like to book a table for two tonight at seven."),
    Message("assistant", "Of course,"),
    Message("user", "(cutting in) No, wait, make it four people."),
]


class Booking(BaseModel):
    party_size: int
    time: str
    name: str


async def answer(model: ScriptedModel, said: list[Message]) -> str:
    return "".join([token async for token in text(model.stream(said))])


async def test_it_says_what_was_said_last() -> None:
    said = await answer(ScriptedModel(), TALK)

    assert said == "Of course, a table for 4 people at seven this evening. May I have your name, please?"


async def test_it_thanks_whoever_gives_a_name() -> None:
    said = await answer(ScriptedModel(), [*TALK, Message("user", "My name is Sarah Johnson.")])

    assert said.startswith("Thank you, Sarah Johnson,")


async def test_it_fills_in_the_form_of_the_demo() -> None:
    booking = await fill(ScriptedModel(), Booking, [*TALK, Message("user", "My name is Sarah Johnson.")])

    assert booking == Booking(party_size=4, time="seven", name="Sarah Johnson")


async def test_it_answers_as_it_is_told() -> None:
    assert await answer(ScriptedModel(lambda messages: f"{len(messages)} messages."), TALK) == "3 messages."
