import pytest
from anyio import current_time, move_on_after
from pydantic import BaseModel

from agentvoice import Message
from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.llm import fill, text
from agentvoice.testing.llm import ModelFault, ScriptedModel

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


async def test_faults_happen_to_the_answer_they_are_meant_for() -> None:
    faults = {0: ModelFault(fails_after=2), 1: ModelFault(rejects=True), 2: ModelFault(stalls_after=1)}
    model = ScriptedModel(lambda _: "one two three", faults=faults)
    said: list[str] = []

    with pytest.raises(ProviderUnavailable):
        said.extend([token async for token in text(model.stream(TALK))])
    with pytest.raises(ProviderRejected):
        await answer(model, TALK)
    with move_on_after(60) as patience:
        async for token in text(model.stream(TALK)):
            said.append(token)  # noqa: PERF401 - what came before the stall is kept
    assert patience.cancelled_caught
    assert said == ["one "]
    assert await answer(model, TALK) == "one two three"
    assert model.asked == [TALK] * 4


async def test_the_first_token_takes_its_time_the_same_for_the_same_seed() -> None:
    async def times(seed: int) -> list[float]:
        model = ScriptedModel(latency_s=0.5, jitter_s=0.3, token_s=0, seed=seed)
        began, times = current_time(), list[float]()
        for _ in range(5):
            await answer(model, TALK)
            times.append(current_time() - began)
            began = current_time()
        return times

    one = await times(1)
    assert all(0.2 <= took <= 0.8 for took in one)
    assert len(set(one)) == 5
    assert await times(1) == pytest.approx(one)
    assert await times(2) != pytest.approx(one)
