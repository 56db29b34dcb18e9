"""A real agent of Pydantic AI, whose model is a function."""

import json
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from anyio import Event, fail_after, move_on_after, sleep, sleep_forever
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.exceptions import ModelHTTPError, UserError
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.usage import UsageLimits

from agentvoice import Fallback
from agentvoice.errors import ProviderError, ProviderRejected, ProviderUnavailable, UsageError
from agentvoice.interfaces import LanguageModel, Message, Thought, ToolCall, Usage
from agentvoice.llm import fill
from agentvoice.plugins import load
from agentvoice.testing.contracts.llm import WEATHER, check_language_model
from agentvoice_pydantic_ai import PydanticAI

pytestmark = [pytest.mark.anyio, pytest.mark.real_time]  # a run needs asyncio

ASK = [Message("system", "Be brief."), Message("user", "What time is it?")]
Deltas = AsyncIterator[str | dict[int, DeltaToolCall]]


def seen(messages: list[ModelMessage]) -> list[str]:
    return [f"{part.part_kind} {getattr(part, 'content', '')}".strip() for each in messages for part in each.parts]


class Thinking:
    """What the function that is the model was shown."""

    def __init__(self) -> None:
        self.shown: list[list[str]] = []
        self.instructions: list[str | None] = []

    async def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> Deltas:
        self.shown.append(seen(messages))
        self.instructions.append(info.instructions)
        tools = {tool.name for tool in info.function_tools}
        if info.output_tools:
            yield {0: DeltaToolCall(info.output_tools[0].name, '{"city": "Paris", "guests": 4}', tool_call_id="o1")}
        elif "tool-return" in self.shown[-1][-1]:
            yield "It is "
            await sleep(0.01)
            yield self.shown[-1][-1].removeprefix("tool-return ") + "."
        elif "weather" in self.shown[-1][-1] and "weather" in tools:
            yield {0: DeltaToolCall("weather", '{"city": "Paris"}', tool_call_id=f"w{len(self.shown)}")}
        elif "time" in self.shown[-1][-1] and "clock" in tools:
            yield {0: DeltaToolCall("clock", "{}", tool_call_id="c1")}
        else:
            yield "It is "
            yield "Paris."


def agent(thinking: Thinking) -> "PydanticAgent[None, str]":
    found = PydanticAgent(FunctionModel(stream_function=thinking), instructions="You know the time.")

    @found.tool_plain
    def clock() -> str:
        return "noon"

    return found


@pytest.fixture
def thinking() -> Thinking:
    return Thinking()


@pytest.fixture
def model(thinking: Thinking) -> LanguageModel:
    return PydanticAI(agent(thinking))


async def ask(model: LanguageModel, *messages: Message, **wanted: object) -> list[Thought]:
    return [thought async for thought in model.stream(messages, **wanted)]


async def test_it_keeps_the_contract(model: LanguageModel) -> None:
    await check_language_model(lambda: model)


async def test_its_own_tools_are_run_within_its_answer(model: LanguageModel, thinking: Thinking) -> None:
    *text, usage = await ask(model, *ASK)

    assert text == ["It is ", "noon."]
    assert isinstance(usage, Usage)
    assert usage.prompt > 0
    assert thinking.instructions[0] == "You know the time.\n\nBe brief."


async def test_tools_of_the_agentvoice_agent_are_passed_on_and_their_results_shown(
    model: LanguageModel, thinking: Thinking
) -> None:
    question = Message("user", "How is the weather?")
    call, _ = await ask(model, question, tools=[WEATHER])
    assert call == ToolCall("w1", "weather", '{"city":"Paris"}')

    results = [Message("assistant", "Let me see.", [call]), Message("tool", "sunny", (), "w1")]
    *text, _ = await ask(model, question, *results, tools=[WEATHER])

    assert "".join(text) == "It is sunny."
    assert thinking.shown[-1] == [
        "user-prompt How is the weather?",
        "text Let me see.",
        "tool-call",
        "tool-return sunny",
    ]


async def test_facts_that_came_up_in_mid_call_are_shown_where_they_did(
    model: LanguageModel, thinking: Thinking
) -> None:
    await ask(model, ASK[1], Message("assistant", "Noon."), Message("system", "It is late."), Message("user", "Hm?"))

    assert [part for part in thinking.shown[0] if "It is late." in part] == thinking.shown[0][2:3]


class Booking(BaseModel):
    guests: int


async def test_it_fills_in_forms(model: LanguageModel) -> None:
    assert await fill(model, Booking, ASK) == Booking(guests=4)


async def test_it_may_be_one_of_several(model: LanguageModel) -> None:
    *text, _ = await ask(Fallback(model, model, first_token_s=5), *ASK)

    assert text == ["It is ", "noon."]


async def test_a_cancelled_turn_ends_the_run_and_its_tools() -> None:
    ended = Event()
    slow = agent(Thinking())

    @slow.tool_plain(name="weather")
    async def weather(city: str) -> None:
        try:
            await sleep_forever()
        finally:
            ended.set()

    with fail_after(5):
        with move_on_after(0.2):
            await ask(PydanticAI(slow), Message("user", "How is the weather?"))
        await ended.wait()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UserError("no such tool"), UsageError),
        (ConnectionResetError("gone"), ConnectionResetError),
    ],
)
async def test_what_is_nobody_elses_fault_is_passed_on(error: Exception, kind: type[Exception]) -> None:
    async def broken(messages: list[ModelMessage], info: AgentInfo) -> Deltas:
        raise error
        yield ""

    with pytest.raises(kind, match=str(error)):
        await ask(PydanticAI(PydanticAgent(FunctionModel(stream_function=broken))), *ASK)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, ProviderRejected), (404, ProviderRejected), (503, ProviderUnavailable)]
)
async def test_what_can_go_wrong_is_told_as_what_it_is(status: int, kind: type[ProviderError]) -> None:
    async def broken(messages: list[ModelMessage], info: AgentInfo) -> Deltas:
        raise ModelHTTPError(status, "m", {"message": "no"})
        yield ""

    with pytest.raises(kind, match=r"^pydantic-ai: "):
        await ask(PydanticAI(PydanticAgent(FunctionModel(stream_function=broken))), *ASK)


async def test_a_run_that_may_not_go_on_is_refused(thinking: Thinking, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = agent(thinking)
    run = limited.run_stream_events
    once = partial(run, usage_limits=UsageLimits(request_limit=1))
    monkeypatch.setattr(limited, "run_stream_events", once)

    with pytest.raises(ProviderRejected, match="request_limit"):
        await ask(PydanticAI(limited), *ASK)


def test_the_agent_may_be_named_in_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load("llm", "pydantic-ai") is PydanticAI
    monkeypatch.delenv("AGENTVOICE_PYDANTIC_AI_AGENT", raising=False)
    with pytest.raises(UsageError, match="set AGENTVOICE_PYDANTIC_AI_AGENT"):
        PydanticAI()
    for name, says in (
        ("no_such:agent", "no_such"),
        ("json:no_such", "no_such"),
        ("json:dumps", "not a pydantic_ai.Agent"),
    ):
        monkeypatch.setenv("AGENTVOICE_PYDANTIC_AI_AGENT", name)
        with pytest.raises(UsageError, match=f"AGENTVOICE_PYDANTIC_AI_AGENT='{name}'.*{says}"):
            PydanticAI()
    monkeypatch.setattr(json, "agent", agent(Thinking()), raising=False)
    monkeypatch.setenv("AGENTVOICE_PYDANTIC_AI_AGENT", "json:agent")
    PydanticAI()
    assert "json" in sys.modules
