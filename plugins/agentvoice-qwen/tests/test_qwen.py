import json
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any

import anyio
import pytest
from pydantic import BaseModel, Field

from agentvoice.errors import ProviderError, ProviderRejected, ProviderUnavailable
from agentvoice.interfaces import Message
from agentvoice.llm import fill
from agentvoice_qwen import Qwen
from agentvoice_qwen._model import _tokens

pytestmark = pytest.mark.anyio

ASK = [Message("system", "Answer in one sentence."), Message("user", "What is the capital of France?")]


class Booking(BaseModel):
    party_size: int
    name: str


class Story(BaseModel):
    text: str = Field(min_length=500, max_length=600)


@pytest.fixture(scope="module")
def qwen() -> Qwen:
    model = Qwen()
    model.prepare()
    model.prepare()  # twice is once
    return model


@pytest.mark.speech
async def test_it_answers_token_by_token(qwen: Qwen) -> None:
    tokens = [token async for token in qwen.stream(ASK) if isinstance(token, str)]

    assert len(tokens) > 3
    assert "Paris" in "".join(tokens)


@pytest.mark.speech
async def test_it_fills_in_forms(qwen: Qwen) -> None:
    said = [Message("user", "A table for four people, please. My name is Sarah.")]

    assert await fill(qwen, Booking, said) == Booking(party_size=4, name="Sarah")


@pytest.mark.speech
async def test_a_form_comes_whole_however_long_it_is(qwen: Qwen) -> None:
    told = await fill(qwen, Story, [Message("user", "Tell me a long story about a restaurant.")])

    assert len(told.text) >= 500


@pytest.mark.speech
async def test_a_closed_stream_stops_generating_and_the_next_one_does_not_wait_for_it(qwen: Qwen) -> None:
    await qwen.warm(ASK)
    with anyio.fail_after(20):
        async with aclosing(qwen.stream([Message("user", "Count from one to a hundred.")])) as tokens:
            async for _ in tokens:
                break
        assert "".join([token async for token in qwen.stream(ASK) if isinstance(token, str)])


@pytest.mark.speech
async def test_a_cancelled_stream_stops_generating(qwen: Qwen) -> None:
    with anyio.move_on_after(0.5) as scope:
        async for _ in qwen.stream([Message("user", "Count from one to a hundred, in words.")]):
            pass
    assert scope.cancelled_caught

    with anyio.fail_after(20):
        assert "Paris" in "".join([token async for token in qwen.stream(ASK) if isinstance(token, str)])


STEP = {"choices": [{"delta": {"content": "Hel"}}]}


@pytest.mark.parametrize("answer", [STEP, [STEP], json.dumps(STEP), [json.dumps(STEP)]])
def test_a_step_may_come_in_any_of_its_shapes(answer: object) -> None:
    assert list(_tokens(answer)) == ["Hel"]


def test_steps_without_words_are_none() -> None:
    assert list(_tokens([{"choices": [{"delta": {"role": "assistant"}}]}, {"usage": {}}])) == []


@pytest.mark.parametrize(
    ("complaint", "kind"),
    [
        ({"code": 400, "message": "too long"}, ProviderRejected),
        ({"error": {"code": 400, "message": "too long"}}, ProviderRejected),
        ({"error": {"code": 500, "message": "too long"}}, ProviderUnavailable),
        ({"error": "too long"}, ProviderUnavailable),
    ],
)
def test_what_the_model_complains_of_is_an_error(complaint: object, kind: type[ProviderError]) -> None:
    with pytest.raises(kind, match="qwen: too long"):
        list(_tokens(complaint))


class Stalled:
    """A server that reads the prompt until it is told to stop."""

    def __init__(self) -> None:
        self.steps = 0

    def handle_chat_completions(self, request: dict[str, Any], step: Callable[[object], bool]) -> None:
        while not step({"prompt_progress": {"processed": self.steps}, "choices": [{"delta": {"content": None}}]}):
            self.steps += 1


class Complaining:
    """A server that swallows what its callback raises, as xllamacpp does."""

    def handle_chat_completions(self, request: dict[str, Any], step: Callable[[object], bool]) -> None:
        with suppress(Exception):
            step({"code": 400, "message": "too long"})


def serving(server: object) -> Qwen:
    qwen = Qwen()
    qwen._server = server
    return qwen


# The virtual clock would run ahead of the model's thread: these keep the real one, on both event loops.
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_request_that_is_cancelled_while_its_prompt_is_read_makes_way(backend: str) -> None:
    qwen = serving(Stalled())

    async def give_up() -> None:
        with anyio.move_on_after(0.05):
            async for _ in qwen.stream(ASK):
                pass

    anyio.run(give_up, backend=backend)

    qwen._thread.submit(lambda: None).result(timeout=5)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_error_within_the_answer_reaches_whoever_asked(backend: str) -> None:
    async def ask() -> list[str]:
        return [token async for token in serving(Complaining()).stream(ASK) if isinstance(token, str)]

    with pytest.raises(ProviderRejected, match="too long"):
        anyio.run(ask, backend=backend)


@pytest.mark.speech
async def test_a_prompt_that_does_not_fit_is_an_error(qwen: Qwen) -> None:
    with pytest.raises(ProviderRejected):
        _ = [token async for token in qwen.stream([Message("user", "word " * 6000)])]


@pytest.mark.speech
async def test_a_schema_that_makes_no_sense_is_an_error(qwen: Qwen) -> None:
    with pytest.raises(ProviderRejected):
        _ = [token async for token in qwen.stream(ASK, schema={"type": "nonsense"})]
