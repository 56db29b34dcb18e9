"""The model against an endpoint on this machine that answers with the documented bytes."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio import fail_after

from agentvoice.errors import ProviderError, ProviderRejected, ProviderUnavailable, UsageError
from agentvoice.interfaces import Message, Thought, ToolCall, ToolSpec, Usage
from agentvoice.plugins import load
from agentvoice.testing.contracts.llm import check_language_model
from agentvoice.testing.http import Answer, Answers, Request, Server, events, serve
from agentvoice_anthropic import Anthropic
from agentvoice_anthropic._dialect import request

pytestmark = [pytest.mark.anyio, pytest.mark.sockets]

ASK = [Message("system", "Be brief."), Message("user", "What is the capital of France?")]
KEPT = {"type": "ephemeral"}
START = {
    "type": "message_start",
    "message": {
        "id": "m",
        "role": "assistant",
        "content": [],
        "usage": {
            "input_tokens": 5,
            "cache_creation_input_tokens": 2,
            "cache_read_input_tokens": 30,
            "output_tokens": 1,
        },
    },
}


def block(index: int, content: dict[str, object], *deltas: dict[str, object]) -> list[dict[str, object]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(index: int, *texts: str) -> list[dict[str, object]]:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": each} for each in texts))


def tool(index: int, id_: str, name: str, *fragments: str) -> list[dict[str, object]]:
    deltas = ({"type": "input_json_delta", "partial_json": fragment} for fragment in fragments)
    return block(index, {"type": "tool_use", "id": id_, "name": name, "input": {}}, *deltas)


def answering(*blocks: list[dict[str, object]], reason: str = "end_turn") -> Answer:
    end = [{"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}}]
    return Answer(events(START, *(event for each in blocks for event in each), *end, {"type": "message_stop"}))


def as_asked(request: Request) -> Answer:
    """Answer as a model would that has understood."""
    if "tool_choice" in request.json:
        return answering(tool(0, "a", request.json["tool_choice"]["name"], '{"city"', ': "Paris"}'))
    if "tools" in request.json and request.json["messages"][-1]["content"][0]["type"] == "text":
        return answering(text(0, "Let me see."), tool(1, "a", "weather", '{"city": "Paris"}'), reason="tool_use")
    return answering(text(0, "It is ", "Paris."))


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MODEL", "API_KEY"):
        monkeypatch.delenv(f"AGENTVOICE_ANTHROPIC_{name}", raising=False)


@asynccontextmanager
async def asking(*answers: Answers, **options: object) -> AsyncIterator[tuple[Anthropic, Server]]:
    async with serve(*answers) as server:
        model = Anthropic(model="m", base_url=server.url, api_key="secret", **options)
        yield model, server
        await model.aclose()


async def ask(model: Anthropic) -> list[Thought]:
    return [thought async for thought in model.stream(ASK)]


async def test_it_keeps_the_contract() -> None:
    async with asking(as_asked) as (model, _):
        await check_language_model(lambda: model)


async def test_it_asks_as_the_endpoint_wants_it_and_tells_the_cost() -> None:
    async with asking(answering(text(0, "It is ", "Paris.")), top_p=0.9) as (model, server):
        assert await ask(model) == ["It is ", "Paris.", Usage(37, 7, 30)]

    (asked,) = server.requests
    assert (asked.path, asked.headers["x-api-key"]) == ("/v1/messages", "secret")
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert (asked.json["model"], asked.json["max_tokens"], asked.json["top_p"]) == ("m", 1024, 0.9)


def test_the_system_prompt_stands_apart_and_the_conversation_is_to_be_remembered() -> None:
    said = [Message("assistant", "Yes?"), Message("user", "And of Italy?")]

    body = request([*ASK, *said], [], None, {"model": "m"})

    assert body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": KEPT}]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][-1]["content"] == [{"type": "text", "text": "And of Italy?", "cache_control": KEPT}]
    assert "cache_control" not in body["messages"][0]["content"][0]
    assert "tools" not in body


def test_tools_and_what_came_of_them_are_blocks() -> None:
    weather = ToolSpec("weather", "Tell the weather.", {"type": "object"})
    asked = [Message("assistant", "", [ToolCall("a", "weather", '{"city": "Rome"}')]), Message("tool", "Rain", (), "a")]

    body = request([*ASK, *asked], [weather], None, {})

    assert body["tools"] == [
        {"name": "weather", "description": "Tell the weather.", "input_schema": {"type": "object"}}
    ]
    assert body["messages"][1]["content"] == [
        {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}}
    ]
    assert body["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": "Rain", "cache_control": KEPT}
    ]


async def test_tool_calls_come_whole_and_thoughts_not_at_all() -> None:
    thinking = block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "Hm."})
    two = [tool(2, "a", "weather", "", '{"ci', 'ty": "Rome"}'), tool(3, "b", "answer")]

    async with asking(answering(thinking, text(1, "Let me see."), *two)) as (model, _):
        assert await ask(model) == [
            "Let me see.",
            ToolCall("a", "weather", '{"city": "Rome"}'),
            ToolCall("b", "answer", "{}"),
            Usage(37, 7, 30),
        ]


async def test_one_connection_serves_one_turn_after_the_other_and_is_opened_before_the_first() -> None:
    async with asking(Answer([b"{}"]), answering(text(0, "Yes."))) as (model, server):
        await model.warm(ASK)
        for _ in range(3):
            await ask(model)

        assert server.connections == 1
    assert server.requests[0].path == "/v1/models"


def failing(status: int, kind: str, message: str, **headers: str) -> Answer:
    error = {"type": "error", "error": {"type": kind, "message": message}}
    return Answer([str(error).replace("'", '"').encode()], status, headers)


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (
            failing(401, "authentication_error", "bad key"),
            ProviderRejected,
            "check AGENTVOICE_ANTHROPIC_API_KEY; bad key",
        ),
        (failing(404, "not_found_error", "model: m"), ProviderRejected, "check AGENTVOICE_ANTHROPIC_MODEL; model: m"),
        (
            failing(429, "rate_limit_error", "slow", **{"retry-after": "7"}),
            ProviderUnavailable,
            "slow; it asks to wait 7",
        ),
        (failing(529, "overloaded_error", "Overloaded"), ProviderUnavailable, "answers 529; overloaded; Overloaded"),
        (Answer(events(START, *text(0, "Well"), OVERLOADED)), ProviderUnavailable, "Overloaded"),
        (Answer(events(START, *text(0, "Well"))), ProviderUnavailable, "its answer broke off"),
        (Answer([b"data: {nonsense\n\n"]), ProviderUnavailable, "its answer makes no sense"),
        (Answer(events(START), breaks=True), ProviderUnavailable, "broke off"),
    ],
)
async def test_what_can_go_wrong_is_told_as_what_it_is(answer: Answer, kind: type[ProviderError], says: str) -> None:
    async with asking(answer) as (model, _):
        with pytest.raises(kind, match=f"^anthropic: .*{says}"):
            await ask(model)


async def test_nobody_there_may_pass() -> None:
    with pytest.raises(ProviderUnavailable, match=r"^anthropic: nobody answers at http://127.0.0.1:9$"):
        await ask(Anthropic(model="m", base_url="http://127.0.0.1:9", api_key="x"))


async def test_a_cancelled_turn_closes_its_connection_at_once() -> None:
    async with asking(Answer([*events(START, *text(0, "Well")), 60.0])) as (model, server):
        with anyio.CancelScope() as scope:
            async for _ in model.stream(ASK):
                scope.cancel()
        cut_at = time.perf_counter()
        with fail_after(0.5):
            await server.requests[0].left.wait()

    print(f"cancel to closed connection {1000 * (time.perf_counter() - cut_at):.1f} ms")  # noqa: T201


def test_what_has_to_be_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load("llm", "anthropic") is Anthropic
    with pytest.raises(UsageError, match="AGENTVOICE_ANTHROPIC_MODEL"):
        Anthropic()
    monkeypatch.setenv("AGENTVOICE_ANTHROPIC_MODEL", "m")
    with pytest.raises(UsageError, match="AGENTVOICE_ANTHROPIC_API_KEY"):
        Anthropic()
    monkeypatch.setenv("AGENTVOICE_ANTHROPIC_API_KEY", "secret")
    Anthropic()
    monkeypatch.setenv("AGENTVOICE_ANTHROPIC_TEMPERATURE", "3")
    with pytest.raises(UsageError, match="AGENTVOICE_ANTHROPIC_TEMPERATURE='3'"):
        Anthropic()
