"""Ringing over real sockets."""

import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import anyio
import pytest
from anyio import create_task_group, sleep
from websockets.asyncio.server import ServerConnection, serve

from agentvoice.audio import TELEPHONE
from agentvoice.errors import UsageError
from agentvoice.events import HungUp
from agentvoice.interfaces import Transport
from agentvoice.server.app import create_app
from agentvoice.server.serve import serve_app
from agentvoice.testing.caller import Caller
from agentvoice.testing.phone import ring
from agentvoice.testing.script import Pauses, WaitsForAgent, WaitsForHangUp

pytestmark = [pytest.mark.anyio, pytest.mark.sockets]

LOUD = b"\x20\xa0" * 80


class Host:
    """Says something for half a second, and hangs up."""

    def __init__(self) -> None:
        self.caller = ""

    async def take(
        self, transport: Transport, *, call_id: str, caller: str, called: str, parameters: Mapping[str, str]
    ) -> None:
        self.caller = caller
        transport.send_audio(LOUD * 25)
        async with create_task_group() as group:
            group.start_soon(transport.run)
            await sleep(0.7)
            transport.hang_up()
            while not isinstance(await transport.receive(), HungUp):
                pass


@asynccontextmanager
async def serving(host: Host) -> AsyncIterator[int]:
    ready, ports = anyio.Event(), list[int]()

    def on_ready(port: int) -> None:
        ports.append(port)
        ready.set()

    async def run() -> None:
        await serve_app(create_app(host), on_ready=on_ready)

    async with create_task_group() as group:
        group.start_soon(run)
        await ready.wait()
        yield ports[0]
        group.cancel_scope.cancel()


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """A server that says the same to everybody."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                request = connection.makefile("rb")  # whole: what is left unread would make a reset of the close
                headers = dict(
                    line.lower().split(b": ", 1) for line in iter(request.readline, b"\r\n") if b": " in line
                )
                request.read(int(headers.get(b"content-length", 0)))
                connection.sendall(reply)
                request.close()

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_an_agent_is_rung_at_its_webhook_or_at_its_stream_and_is_heard(scheme: str) -> None:
    host = Host()
    path = {"http": "/twilio/voice", "ws": "/twilio/media"}[scheme]
    caller = Caller([WaitsForAgent(silence_s=0.1), WaitsForHangUp()])
    async with serving(host) as port:
        call = await ring(f"{scheme}://127.0.0.1:{port}{path}", caller, number="+15550123")

    assert host.caller == ("+15550123" if scheme == "http" else "")
    assert call.hung_up_by == "agent"
    assert caller.complaints == []
    assert sum(stretch.size for stretch in call.carrier.played) == 4000
    assert call.recording[1].count(LOUD) == 25
    assert call.seconds == pytest.approx(0.7, abs=0.4)
    assert len(call.recording[0]) == TELEPHONE.size(call.seconds)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:{port}/twilio", r"answers 404 Not Found; an agent's webhook is /twilio/voice"),
        ("http://127.0.0.1:{port}/health", "answers 40[45]"),
        ("http://127.0.0.1:{port}/", "answers 40[45]"),
        ("ws://127.0.0.1:{port}/twilio", "answers 404; an agent's media stream is /twilio/media"),
        ("ws://127.0.0.1:{port}/twilio/voice", "answers 404"),
    ],
)
async def test_a_wrong_path_is_named_with_the_right_one(url: str, says: str) -> None:
    async with serving(Host()) as port:
        with pytest.raises(UsageError, match=says) as raised:
            await ring(url.format(port=port), Caller([]))

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_where_nobody_answers_it_says_how_to_start_an_agent(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UsageError, match=r"nobody answers at .*; start an agent with: agentvoice serve MODULE:AGENT"):
        await ring(f"{scheme}://127.0.0.1:{port}/twilio/voice", Caller([]))


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://host/", "http://", "ws://[bad", "http://host:0/", "http://host:99999/", ""]
)
async def test_what_cannot_be_rung_is_said_to_be_so(url: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be rung; it has to be like http://HOST/twilio/voice"):
        await ring(url, Caller([]))


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"SSH-2.0-hello\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n<Response><Say>No.</Say></Response>", "does not connect the call to a media stream"),
        (b"HTTP/1.1 200 OK\r\n\r\n<Response>", "does not connect the call to a media stream"),
        (b"HTTP/1.1 503 Busy\r\n\r\n", "answers 503 Busy"),
    ],
)
async def test_a_webhook_that_is_none_is_told_apart(reply: bytes, says: str) -> None:
    with answering(reply) as port, pytest.raises(UsageError, match=says):
        await ring(f"http://127.0.0.1:{port}/twilio/voice", Caller([]))


async def test_a_stream_that_is_none_is_told_apart() -> None:
    with answering(b"SSH-2.0-hello\r\n\r\n") as port, pytest.raises(UsageError, match="nobody answers"):
        await ring(f"ws://127.0.0.1:{port}/twilio/media", Caller([]))


async def test_a_connection_that_is_lost_is_complained_of_and_the_recording_kept() -> None:
    async def crash(connection: ServerConnection) -> None:
        for _ in range(10):
            await connection.recv()
        connection.transport.abort()

    async with serve(crash, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        call = await ring(f"ws://127.0.0.1:{port}/", Caller([Pauses(5)]))

    assert call.hung_up_by == "network"
    assert call.seconds == pytest.approx(0.16, abs=0.1)
    (complaint,) = call.caller.complaints
    assert complaint.startswith("the connection was lost at 0.")


async def test_an_agent_whose_server_stops_has_hung_up() -> None:
    async def stop(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(1012, "service restart")

    async with serve(stop, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        call = await ring(f"ws://127.0.0.1:{port}/", Caller([Pauses(5)]))

    assert call.hung_up_by == "agent"
    assert call.caller.complaints == []
