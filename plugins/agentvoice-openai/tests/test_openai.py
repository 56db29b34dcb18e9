"""The model against an endpoint on this machine that answers with the documented bytes."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio import fail_after

from agentvoice.errors import ProviderError, ProviderRejected, ProviderUnavailable, UsageError
from agentvoice.interfaces import Message, Thought, ToolCall, Usage
from agentvoice.plugins import load
from agentvoice.testing.contracts.llm import check_language_model
from agentvoice.testing.http import Answer, Answers, Request, Server, events, serve
from agentvoice_openai import OpenAI

pytestmark = [pytest.mark.anyio, pytest.mark.sockets]

ASK = [Message("user", "What is the capital of France?")]


def chunk(delta: object, reason: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


USAGE = {**chunk({}), "choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}


def saying(*texts: str) -> Answer:
    return Answer(events(*(chunk({"content": text}) for text in texts), chunk({}, "stop"), USAGE, "[DONE]"))


def calling(*calls: tuple[str, str, str]) -> Answer:
    fragments = [
        {"index": n, "id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (id_, name, arguments) in enumerate(calls)
    ]
    chunks = [chunk({"tool_calls": [fragment]}) for fragment in fragments]
    return Answer(events(*chunks, chunk({}, "tool_calls"), USAGE, "[DONE]"))


def as_asked(request: Request) -> Answer:
    """Answer as a model would that has understood."""
    if "response_format" in request.json:
        return saying('{"city": ', '"Paris"}')
    if "tools" in request.json and request.json["messages"][-1]["role"] == "user":
        return calling(("a", "weather", '{"city": "Paris"}'))
    return saying("It is ", "Paris.")


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MODEL", "BASE_URL", "API_KEY"):
        monkeypatch.delenv(f"AGENTVOICE_OPENAI_{name}", raising=False)


@asynccontextmanager
async def asking(*answers: Answers, **options: object) -> AsyncIterator[tuple[OpenAI, Server]]:
    async with serve(*answers) as server:
        model = OpenAI(model="m", base_url=f"{server.url}/v1", api_key="secret", **options)
        yield model, server
        await model.aclose()


async def ask(model: OpenAI) -> list[Thought]:
    return [thought async for thought in model.stream(ASK)]


async def test_it_keeps_the_contract() -> None:
    async with asking(as_asked) as (model, _):
        await check_language_model(lambda: model)


async def test_it_asks_as_the_endpoint_wants_it_and_tells_the_cost() -> None:
    async with asking(saying("It is ", "Paris."), temperature=0.1) as (model, server):
        assert await ask(model) == ["It is ", "Paris.", Usage(12, 3)]

    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer secret"
    assert (request.json["model"], request.json["temperature"]) == ("m", 0.1)


async def test_one_connection_serves_one_turn_after_the_other_and_is_opened_before_the_first() -> None:
    async with asking(Answer([b"{}"]), saying("Yes.")) as (model, server):
        await model.warm(ASK)
        for _ in range(3):
            await ask(model)

        assert server.connections == 1
    assert server.requests[0].path == "/v1/models"


async def test_a_wrong_key_is_told_before_the_first_call_and_what_may_pass_is_not() -> None:
    async with asking(Answer(status=401), Answer(status=503)) as (model, _):
        with pytest.raises(ProviderRejected, match="check AGENTVOICE_OPENAI_API_KEY"):
            await model.warm(ASK)
        await model.warm(ASK)
    await OpenAI(model="m", base_url="http://127.0.0.1:9").warm(ASK)


async def test_a_kept_connection_that_the_endpoint_gave_up_is_not_an_error() -> None:
    async with asking(saying("One."), Answer(breaks=True), saying("Two.")) as (model, server):
        assert (await ask(model))[0] == "One."
        assert (await ask(model))[0] == "Two."
        assert len(server.requests) == 3


async def test_tool_calls_come_whole() -> None:
    async with asking(calling(("a", "weather", '{"city": "Rome"}'), ("b", "weather", '{"city": "Oslo"}'))) as (
        model,
        _,
    ):
        assert await ask(model) == [
            ToolCall("a", "weather", '{"city": "Rome"}'),
            ToolCall("b", "weather", '{"city": "Oslo"}'),
            Usage(12, 3),
        ]


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (
            Answer([b'{"error": {"message": "bad key"}}'], 401),
            ProviderRejected,
            "check AGENTVOICE_OPENAI_API_KEY; bad key",
        ),
        (Answer([b"{}"], 404), ProviderRejected, "check AGENTVOICE_OPENAI_MODEL and AGENTVOICE_OPENAI_BASE_URL"),
        (Answer([b"{}"], 429, {"retry-after": "7"}), ProviderUnavailable, "too many requests; {}; it asks to wait 7 s"),
        (Answer([b"oops"], 500), ProviderUnavailable, "answers 500; oops"),
        (Answer([b"data: {nonsense\n\n"]), ProviderUnavailable, "its answer makes no sense"),
        (Answer(breaks=True), ProviderUnavailable, "broke off"),
        (Answer(events(chunk({"content": "Well"})), breaks=True), ProviderUnavailable, "broke off"),
        (Answer(events({"error": {"message": "overloaded"}})), ProviderUnavailable, "overloaded"),
    ],
)
async def test_what_can_go_wrong_is_told_as_what_it_is(answer: Answer, kind: type[ProviderError], says: str) -> None:
    async with asking(answer) as (model, _):
        with pytest.raises(kind, match=f"^openai: .*{says}"):
            await ask(model)


async def test_nobody_there_may_pass() -> None:
    with pytest.raises(ProviderUnavailable, match=r"^openai: nobody answers at http://127.0.0.1:9$"):
        await ask(OpenAI(model="m", base_url="http://127.0.0.1:9"))


async def test_an_endpoint_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVOICE_OPENAI_SILENCE_S", "0.1")
    async with asking(Answer([60.0])) as (model, _):
        with pytest.raises(ProviderUnavailable, match=r"no word came from .* for 0.1 s"):
            await ask(model)


async def test_a_cancelled_turn_closes_its_connection_at_once() -> None:
    async with asking(Answer([*events(chunk({"content": "Well"})), 60.0])) as (model, server):
        with anyio.CancelScope() as scope:
            async for _ in model.stream(ASK):
                scope.cancel()
        cut_at = time.perf_counter()
        with fail_after(0.5):
            await server.requests[0].left.wait()

    print(f"cancel to closed connection {1000 * (time.perf_counter() - cut_at):.1f} ms")  # noqa: T201


# ------------------------------------------------------------------ settings


def test_it_is_found_by_its_name() -> None:
    assert load("llm", "openai") is OpenAI


def test_what_has_to_be_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="AGENTVOICE_OPENAI_MODEL"):
        OpenAI()
    monkeypatch.setenv("AGENTVOICE_OPENAI_MODEL", "m")
    with pytest.raises(UsageError, match="AGENTVOICE_OPENAI_API_KEY"):
        OpenAI()
    monkeypatch.setenv("AGENTVOICE_OPENAI_BASE_URL", "localhost:8000")
    with pytest.raises(UsageError, match="AGENTVOICE_OPENAI_BASE_URL='localhost:8000'"):
        OpenAI()
    monkeypatch.setenv("AGENTVOICE_OPENAI_BASE_URL", "http://localhost:8000/v1")
    OpenAI()


async def test_what_is_set_goes_into_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(saying("Yes.")) as server:
        for name, value in {"MODEL": "m", "BASE_URL": server.url, "TEMPERATURE": "0.2", "MAX_TOKENS": "60"}.items():
            monkeypatch.setenv(f"AGENTVOICE_OPENAI_{name}", value)
        model = OpenAI(reasoning_effort="low")
        await ask(model)
        await model.aclose()

    body = json.loads(server.requests[0].body)
    assert (body["temperature"], body["max_tokens"], body["reasoning_effort"]) == (0.2, 60, "low")
    assert "authorization" not in server.requests[0].headers
