"""The concierge, whose answers come from a server on this machine, in real time."""

import httpx2
import pytest
from anyio import fail_after

from agentvoice import Turn
from agentvoice.interfaces import Message
from agentvoice.testing.http import Answer, events, serve
from agentvoice.token_streams import token_stream
from examples import token_stream as example

pytestmark = [pytest.mark.anyio, pytest.mark.sockets]


def chunk(text: str) -> dict[str, object]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}


@pytest.fixture
async def concierge(monkeypatch: pytest.MonkeyPatch):
    async with httpx2.AsyncClient() as client:
        monkeypatch.setattr(example.Concierge, "client", client)
        yield example.Concierge()


def turn() -> Turn:
    asked = Turn("t1", "k-1", prompt="Is breakfast included?")
    asked.history = [Message("system", "Be brief."), Message("user", asked.prompt)]
    return asked


async def test_the_response_is_the_reply(concierge: example.Concierge, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(Answer(events(chunk("Yes, "), chunk("until ten."), "[DONE]"))) as server:
        monkeypatch.setattr(example, "URL", f"{server.url}/v1/chat/completions")

        async with token_stream(concierge.reply(turn())) as tokens:
            assert [token async for token in tokens] == ["Yes, ", "until ten."]

    assert server.requests[0].json["messages"][-1] == {"role": "user", "content": "Is breakfast included?"}


async def test_a_turn_that_is_cut_off_closes_the_connection(
    concierge: example.Concierge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(Answer([*events(chunk("Yes, ")), 60.0])) as server:
        monkeypatch.setattr(example, "URL", f"{server.url}/v1/chat/completions")

        async with token_stream(concierge.reply(turn())) as tokens:
            async for _ in tokens:
                break

        with fail_after(0.5):
            await server.requests[0].left.wait()
