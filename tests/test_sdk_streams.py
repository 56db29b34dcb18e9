"""The streams of SDKs, as they come: the SDKs themselves, against a server that replays what is documented."""

import time
from collections.abc import AsyncIterator
from functools import cached_property

import anthropic
import anyio
import httpx
import httpx2
import openai
import pytest
from mistralai.client import Mistral
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.testing.http import Answer, events, serve
from agentvoice.token_streams import Tokens, token_stream

pytestmark = [pytest.mark.anyio, pytest.mark.sockets]


def chat(*deltas: dict[str, object]) -> list[object]:
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    last = {**chunk, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}}
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    return [*({**chunk, "choices": [choice]} for choice in choices), last]


CHAT = chat({"role": "assistant", "content": ""}, {"content": "Good "}, {"content": "evening."}, {})
USAGE = {"input_tokens": 9, "output_tokens": 1}
MESSAGE: dict[str, object] = {"id": "m1", "type": "message", "role": "assistant", "model": "m", "content": []}
ANTHROPIC = [
    {"type": "message_start", "message": {**MESSAGE, "stop_reason": None, "stop_sequence": None, "usage": USAGE}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "x"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Good "}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "evening."}},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": USAGE},
    {"type": "message_stop"},
]
RESPONSE = {"id": "r1", "object": "response", "created_at": 1, "model": "m", "status": "in_progress", "output": []}
PART = {"type": "output_text", "text": "", "annotations": []}
PLACE = {"item_id": "i1", "output_index": 0, "content_index": 0}
RESPONSES = [
    {"type": "response.created", "sequence_number": 0, "response": RESPONSE},
    {"type": "response.content_part.added", "sequence_number": 1, **PLACE, "part": PART},
    {"type": "response.output_text.delta", "sequence_number": 2, **PLACE, "delta": "Good ", "logprobs": []},
    {"type": "response.output_text.delta", "sequence_number": 3, **PLACE, "delta": "evening.", "logprobs": []},
    {"type": "response.output_text.done", "sequence_number": 4, **PLACE, "text": "Good evening.", "logprobs": []},
    {"type": "response.completed", "sequence_number": 5, "response": {**RESPONSE, "status": "completed"}},
]
ASK = [{"role": "user", "content": "Good evening."}]


class Asking:
    """An agent's reply, by one SDK after the other, as its documentation has it."""

    def __init__(self, url: str) -> None:
        self.url = url

    @cached_property
    def openai(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=self.url, api_key="key", max_retries=0)

    @cached_property
    def anthropic(self) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(base_url=self.url, api_key="key", max_retries=0)

    @cached_property
    def mistral(self) -> Mistral:
        return Mistral(server_url=self.url, api_key="key")

    @cached_property
    def pydantic_ai(self) -> PydanticAgent:
        return PydanticAgent(OpenAIChatModel("m", provider=OpenAIProvider(openai_client=self.openai)))

    @cached_property
    def httpx(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, verify=False)

    @cached_property
    def httpx2(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.url, verify=False)

    async def aclose(self) -> None:
        for name in {"openai", "anthropic", "httpx", "httpx2"} & vars(self).keys():
            client = vars(self)[name]
            await (client.aclose() if name.startswith("httpx") else client.close())

    def openai_chat(self) -> Tokens:
        return self.openai.chat.completions.create(model="m", messages=ASK, stream=True)

    def openai_responses(self) -> Tokens:
        return self.openai.responses.create(model="m", input="Good evening.", stream=True)

    def anthropic_stream(self) -> Tokens:
        return self.anthropic.messages.stream(model="m", max_tokens=9, messages=ASK)

    def anthropic_events(self) -> Tokens:
        return self.anthropic.messages.create(model="m", max_tokens=9, messages=ASK, stream=True)

    async def anthropic_texts(self) -> AsyncIterator[str]:
        async with self.anthropic.messages.stream(model="m", max_tokens=9, messages=ASK) as stream:
            async for text in stream.text_stream:
                yield text

    def mistral_chat(self) -> Tokens:
        return self.mistral.chat.stream_async(model="m", messages=ASK)

    def pydantic_ai_run(self) -> Tokens:
        return self.pydantic_ai.run_stream("Good evening.")

    def pydantic_ai_events(self) -> Tokens:
        return self.pydantic_ai.run_stream_events("Good evening.")

    def http(self) -> Tokens:
        return self.httpx.stream("POST", "/chat/completions", json={})

    async def http_sent(self) -> object:
        return await self.httpx2.send(self.httpx2.build_request("POST", "/chat/completions"), stream=True)

    async def http_bytes(self) -> AsyncIterator[bytes]:
        async with self.httpx2.stream("POST", "/chat/completions", json={}) as response:
            async for chunk in response.aiter_bytes():
                yield chunk


KINDS = {
    "openai_chat": CHAT,
    "openai_responses": RESPONSES,
    "anthropic_stream": ANTHROPIC,
    "anthropic_events": ANTHROPIC,
    "anthropic_texts": ANTHROPIC,
    "mistral_chat": CHAT,
    "pydantic_ai_run": CHAT,
    "pydantic_ai_events": CHAT,
    "http": CHAT,
    "http_sent": CHAT,
    "http_bytes": CHAT,
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reply_may_be_the_stream_of_an_sdk(kind: str) -> None:
    done = [] if KINDS[kind] is ANTHROPIC else ["[DONE]"]
    async with serve(Answer(events(*KINDS[kind], *done))) as server:
        asking = Asking(server.url)

        async with token_stream(getattr(asking, kind)()) as tokens:
            text = "".join([token async for token in tokens])

        assert text == "Good evening."
        await asking.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_turn_that_is_cancelled_closes_the_connection_at_once(kind: str) -> None:
    pieces = events(*KINDS[kind])[: -3 if KINDS[kind] is CHAT else -2]
    async with serve(Answer([*pieces, 60.0])) as server, anyio.create_task_group() as group:
        asking = Asking(server.url)
        cut_at = await _cut_at_the_first_word(getattr(asking, kind), group)

        with anyio.fail_after(0.5):
            await server.requests[0].left.wait()

        print(f"{kind}: cancel to closed connection {1000 * (time.perf_counter() - cut_at):.1f} ms")  # noqa: T201
        await asking.aclose()
        group.cancel_scope.cancel()


async def _cut_at_the_first_word(ask, group: anyio.abc.TaskGroup) -> float:
    """Read a reply to its first word, let it wait for the next one, and cancel it as a barge-in does."""
    heard, scope = anyio.Event(), anyio.CancelScope()

    async def reply() -> None:
        with scope:
            async with token_stream(ask()) as tokens:
                async for _ in tokens:
                    heard.set()

    group.start_soon(reply)
    with anyio.fail_after(5):
        await heard.wait()
    await anyio.sleep(0.02)
    scope.cancel()
    return time.perf_counter()


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            Answer([b'{"error": {"message": "no such key"}}'], status=401),
            ProviderRejected,
            "answers 401; check the API",
        ),
        (Answer([b"busy"], status=429, headers={"retry-after": "7"}), ProviderUnavailable, "busy; it asks to wait 7 s"),
        (Answer([b"<html>oops"], status=502), ProviderUnavailable, "answers 502; <html>oops"),
        (Answer(events({"error": {"message": "overloaded"}})), ProviderUnavailable, "overloaded"),
    ],
)
async def test_a_response_that_is_an_error_is_one(answer: Answer, error: type[Exception], says: str) -> None:
    async with serve(answer) as server:
        asking = Asking(server.url)
        with pytest.raises(error, match=says):
            async with token_stream(asking.http()) as tokens:
                _ = [token async for token in tokens]
        await asking.aclose()
