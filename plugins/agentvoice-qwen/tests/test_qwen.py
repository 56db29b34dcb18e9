import json
from contextlib import aclosing

import anyio
import pytest
from pydantic import BaseModel

from agentvoice.errors import ProviderUnavailable
from agentvoice.interfaces import Message
from agentvoice.llm import fill
from agentvoice_qwen import Qwen
from agentvoice_qwen._model import _tokens

pytestmark = pytest.mark.anyio

ASK = [Message("system", "Answer in one sentence."), Message("user", "What is the capital of France?")]


class Booking(BaseModel):
    party_size: int
    name: str


@pytest.fixture(scope="module")
def qwen() -> Qwen:
    model = Qwen()
    model.prepare()
    model.prepare()  # twice is once
    return model


@pytest.mark.speech
async def test_it_answers_token_by_token(qwen: Qwen) -> None:
    tokens = [token async for token in qwen.stream(ASK)]

    assert len(tokens) > 3
    assert "Paris" in "".join(tokens)


@pytest.mark.speech
async def test_it_fills_in_forms(qwen: Qwen) -> None:
    said = [Message("user", "A table for four people, please. My name is Sarah.")]

    assert await fill(qwen, Booking, said) == Booking(party_size=4, name="Sarah")


@pytest.mark.speech
async def test_a_closed_stream_stops_generating_and_the_next_one_does_not_wait_for_it(qwen: Qwen) -> None:
    await qwen.warm(ASK)
    with anyio.fail_after(20):
        async with aclosing(qwen.stream([Message("user", "Count from one to a hundred.")])) as tokens:
            async for _ in tokens:
                break
        assert "".join([token async for token in qwen.stream(ASK)])


@pytest.mark.speech
async def test_a_cancelled_stream_stops_generating(qwen: Qwen) -> None:
    with anyio.move_on_after(0.5) as scope:
        async for _ in qwen.stream([Message("user", "Count from one to a hundred, in words.")]):
            pass
    assert scope.cancelled_caught

    with anyio.fail_after(20):
        assert "Paris" in "".join([token async for token in qwen.stream(ASK)])


STEP = {"choices": [{"delta": {"content": "Hel"}}]}


@pytest.mark.parametrize("answer", [STEP, [STEP], json.dumps(STEP), [json.dumps(STEP)]])
def test_a_step_may_come_in_any_of_its_shapes(answer: object) -> None:
    assert list(_tokens(answer)) == ["Hel"]


def test_steps_without_words_are_none() -> None:
    assert list(_tokens([{"choices": [{"delta": {"role": "assistant"}}]}, {"usage": {}}])) == []


def test_what_the_model_complains_of_is_an_error() -> None:
    with pytest.raises(ProviderUnavailable, match="qwen: too long"):
        list(_tokens({"code": 400, "message": "too long"}))
