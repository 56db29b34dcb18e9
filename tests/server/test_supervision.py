"""A person who sees the calls, and cuts in."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from anyio import sleep
from starlette.applications import Starlette
from starlette.testclient import TestClient

from agentvoice import Agent, Call, Turn
from agentvoice.server.app import create_app
from agentvoice.server.supervision import supervision
from agentvoice.testing.quiet import QuietAgent, QuietEars, QuietLine, QuietVoice, quiet_call

pytestmark = pytest.mark.anyio

KNOWN = {"authorization": "Bearer secret"}


class Nobody:
    async def take(self, *_: object, **__: object) -> None:
        """Take no call."""


class Talker(Agent):
    async def on_call_start(self) -> None:
        await self.call.say("Once upon a time.")

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        yield "Yes."


def client(*calls: Call) -> httpx2.AsyncClient:
    app = create_app(Nobody(), supervision=supervision({call.id: call for call in calls}, "secret"))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://agent.example", headers=KNOWN)


async def test_a_supervisor_sees_the_calls_and_what_the_agent_says() -> None:
    async with quiet_call("CA1", Talker()) as call, client(call) as http:
        await sleep(0.1)
        [told] = (await http.get("/calls")).json()["calls"]

        assert (told["id"], told["agent"], told["heard"]) == ("CA1", "Talker", [])
        assert told["turn"] == {"id": "s1", "state": "thinking", "generated": "Once upon a time."}
        assert (await http.get("/calls/CA1")).json() == told


async def test_a_supervisor_cuts_in_and_has_the_agent_say_something_else() -> None:
    async with quiet_call("CA1", Talker()) as call, client(call) as http:
        await sleep(0.1)
        answer = await http.post("/calls/CA1/interrupt")
        assert answer.json() == {"interrupted": "s1"}
        await sleep(0.1)

        answer = await http.post("/calls/CA1/say", json={"text": "We are sorry.", "interrupt": True})
        assert answer.status_code == 200
        await sleep(0.1)
        assert call.turn is not None
        assert (call.turn.id, call.turn.generated) == (answer.json()["turn"], "We are sorry.")


async def test_a_supervisor_ends_a_call() -> None:
    async with quiet_call("CA1", QuietAgent()) as call, client(call) as http:
        assert (await http.post("/calls/CA1/hang-up")).json() == {"ended": "CA1"}


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer wrong"}, {"authorization": "secret1"}])
async def test_whoever_does_not_know_the_token_learns_nothing(header: dict[str, str]) -> None:
    async with quiet_call("CA1") as call, client(call) as http:
        http.headers.pop("authorization")
        for method, path in (("GET", "/calls"), ("GET", "/calls/CA1"), ("POST", "/calls/CA1/interrupt")):
            answer = await http.request(method, path, headers=header)
            assert answer.status_code == 401
            assert "supervisor's token" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status", "complaint"),
    [
        ("/calls/CA9/interrupt", b"", 404, "no call CA9"),
        ("/calls/CA1/interrupt", b"", 409, "not speaking"),
        ("/calls/CA1/say", b"{}", 400, "say what"),
        ("/calls/CA1/say", b'{"text": " "}', 400, "say what"),
        ("/calls/CA1/say", b"hello", 400, "no JSON object"),
        ("/calls/CA1/say", b"[1]", 400, "no JSON object"),
    ],
)
async def test_what_makes_no_sense_is_told_in_a_sentence(path: str, body: bytes, status: int, complaint: str) -> None:
    async with quiet_call("CA1") as call, client(call) as http:
        answer = await http.post(path, content=body)

        assert answer.status_code == status
        assert complaint in answer.json()["error"]


def test_more_than_anybody_says_on_the_telephone_is_refused() -> None:
    call = Call("CA1", QuietAgent(), QuietLine(), QuietVoice(), QuietEars)
    with TestClient(create_app(Nobody(), supervision=supervision({"CA1": call}, "secret")), headers=KNOWN) as client:
        answer = client.post("/calls/CA1/say", content=b" " * 70_000)

    assert answer.status_code == 413
    assert "not for the telephone" in answer.json()["error"]


async def test_without_a_token_there_is_nothing_for_supervisors() -> None:
    app: Starlette = create_app(Nobody())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://agent.example") as http:
        assert (await http.get("/calls", headers=KNOWN)).status_code == 404
