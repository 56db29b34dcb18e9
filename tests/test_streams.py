"""Message streams: in memory, and over real sockets on both event loops."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from anyio import BrokenResourceError, EndOfStream, create_task_group, fail_after
from anyio.lowlevel import checkpoint
from websockets.exceptions import InvalidStatus
from websockets.sync.server import Server, ServerConnection, serve

from agentvoice import streams
from agentvoice.errors import UsageError
from agentvoice.streams import WebSocketStream, connect_websocket, memory_pair

pytestmark = pytest.mark.anyio

# ------------------------------------------------------------------ in memory


async def test_what_one_end_sends_the_other_receives() -> None:
    left, right = memory_pair()
    await left.send("hello")
    await right.send("hi")
    assert (await right.receive(), await left.receive()) == ("hello", "hi")
    await left.aclose()
    await right.aclose()


async def test_what_was_sent_before_the_end_still_arrives() -> None:
    left, right = memory_pair()
    await left.send("last words")
    await left.aclose()
    await left.aclose()

    assert await right.receive() == "last words"
    with pytest.raises(EndOfStream):
        await right.receive()
    with pytest.raises(BrokenResourceError):
        await right.send("anyone?")
    await right.aclose()


async def test_a_closed_end_is_at_its_end() -> None:
    left, right = memory_pair()
    await left.aclose()
    with pytest.raises(EndOfStream):
        await left.receive()
    with pytest.raises(BrokenResourceError):
        await left.send("x")
    await right.aclose()


async def test_who_waits_is_woken_by_the_end() -> None:
    left, right = memory_pair(size=1)

    async def wait() -> None:
        with pytest.raises(EndOfStream):
            await left.receive()

    async with create_task_group() as group:
        group.start_soon(wait)
        await checkpoint()
        await right.aclose()
    await left.aclose()


async def test_a_full_pair_makes_the_sender_wait() -> None:
    left, right = memory_pair(size=1)
    await left.send("1")
    with anyio.move_on_after(1) as scope:
        await left.send("2")
    assert scope.cancelled_caught
    assert await right.receive() == "1"
    await left.aclose()
    await right.aclose()


async def test_what_can_be_sent_without_waiting_is() -> None:
    left, right = memory_pair(size=1)
    assert left.send_nowait("1")
    assert not left.send_nowait("2")
    assert await right.receive() == "1"
    await right.aclose()
    with pytest.raises(anyio.BrokenResourceError):
        left.send_nowait("3")
    await left.aclose()


# ------------------------------------------------------------------ a proxy is for the world outside


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("ws://127.0.0.1:1/x", True),
        ("ws://[::1]:1/x", True),
        ("ws://localhost/x", True),
        ("ws://speech.localhost/x", True),
        ("wss://example.com/x", False),
        ("ws://10.0.0.1/x", False),
    ],
)
async def test_this_machine_is_reached_without_a_proxy(url: str, *, local: bool) -> None:
    assert streams._is_local(url) is local


@pytest.mark.parametrize(("url", "proxy"), [("ws://localhost/x", None), ("wss://example.com/x", True)])
async def test_the_proxy_of_the_environment_is_used_for_the_world_outside(
    url: str, proxy: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    class Connection:
        def __init__(self, url: str, **options: Any) -> None:
            asked.update(options)

        async def __aenter__(self) -> Any:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def close(self) -> None:
            pass

    monkeypatch.setattr(streams, "_client", lambda: Connection)
    async with connect_websocket(url, ping_timeout=7):
        pass
    assert asked["proxy"] is proxy
    assert asked["ping_timeout"] == 7


# ------------------------------------------------------------------ over sockets


def echo(socket: ServerConnection) -> None:
    for message in socket:
        if message == "bye":
            socket.close(1000, "connection idle timeout")
        elif message == "headers":
            socket.send(socket.request.headers.get("X-API-Key", "none") if socket.request else "")
        else:
            socket.send(message)


def refuse(socket: ServerConnection, request: Any) -> Any:
    return socket.respond(402, "no credit") if request.path == "/poor" else None


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(echo, "127.0.0.1", 0, process_request=refuse, max_size=None, close_timeout=0.1) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def url_of(server: Server, path: str = "/") -> str:
    return f"ws://127.0.0.1:{server.socket.getsockname()[1]}{path}"


Run = Callable[..., Any]


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a function in real time."""

    def run(function: Callable[[], Any]) -> Any:
        async def bounded() -> Any:
            with fail_after(10):
                return await function()

        return anyio.run(bounded, backend=request.param)

    return run


@pytest.mark.sockets
def test_a_websocket_carries_whole_messages_both_ways(server: Server, run: Run) -> None:
    async def main() -> None:
        async with connect_websocket(url_of(server), headers={"X-API-Key": "secret"}) as stream:
            for message in ("hello", b"\x00\xff", "x" * 3_000_000, "👋"):
                await stream.send(message)
                assert await stream.receive() == message
            await stream.send("headers")
            assert await stream.receive() == "secret"

    run(main)


@pytest.mark.sockets
def test_a_close_by_the_peer_is_the_end_and_says_why(server: Server, run: Run) -> None:
    async def main() -> None:
        async with connect_websocket(url_of(server)) as stream:
            await stream.send("bye")
            with pytest.raises(EndOfStream, match="connection idle timeout"):
                await stream.receive()
            with pytest.raises(EndOfStream):
                await stream.receive()
            with pytest.raises(BrokenResourceError):
                await stream.send("x")
            await stream.aclose()
            await stream.aclose()

    run(main)


@pytest.mark.sockets
def test_a_handshake_that_is_refused_says_how(server: Server, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with connect_websocket(url_of(server, "/poor")):
                pass
        assert refused.value.response.status_code == 402
        assert refused.value.response.body == b"no credit"

    run(main)


@pytest.mark.sockets
def test_no_server_is_an_os_error(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(OSError, match=r".+"):
            async with connect_websocket("ws://127.0.0.1:9/"):
                pass

    run(main)


@pytest.mark.sockets
def test_leaving_does_not_wait_for_a_peer_that_does_not_answer(run: Run) -> None:
    def deaf(connection: ServerConnection) -> None:
        connection.recv_events_thread.join(0)  # nothing is read, so no close is answered
        gate.wait(5)

    gate = threading.Event()
    with serve(deaf, "127.0.0.1", 0, max_queue=1, close_timeout=0.1) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        async def main() -> float:
            async with connect_websocket(url_of(server)) as stream:
                for _ in range(40):
                    await stream.send("x")
                began = anyio.current_time()
            return anyio.current_time() - began

        try:
            assert run(main) < 4  # the peer would have it wait for 5
        finally:
            gate.set()
            server.shutdown()
            thread.join(5)


async def test_a_close_that_hangs_is_given_a_second() -> None:
    class Hanging:
        async def close(self) -> None:
            await anyio.sleep(100)

    began = anyio.current_time()
    await WebSocketStream(Hanging()).aclose()
    assert anyio.current_time() - began <= 1


def test_trio_with_an_old_library_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "websockets.trio.client", None)

    async def main() -> None:
        with pytest.raises(UsageError, match="pip install -U websockets"):
            async with connect_websocket("ws://127.0.0.1:9/"):
                pass

    anyio.run(main, backend="trio")
