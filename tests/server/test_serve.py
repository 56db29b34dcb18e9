"""The server as one task among others, on real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from agentvoice.errors import AgentVoiceError, UsageError
from agentvoice.server.serve import Tls, listen, serve_app

pytestmark = [pytest.mark.anyio, pytest.mark.sockets]


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    async for message in socket.iter_text():
        await socket.send_text(message)


APP = Starlette(routes=[Route("/", hello), WebSocketRoute("/echo", echo)])


@asynccontextmanager
async def serving(app: Starlette, **options: object) -> AsyncIterator[int]:
    ready = anyio.Event()
    ports: list[int] = []

    def on_ready(port: int) -> None:
        ports.append(port)
        ready.set()

    async with anyio.create_task_group() as group:

        async def serve() -> None:
            await serve_app(app, host="127.0.0.1", port=0, on_ready=on_ready, **options)  # type: ignore[arg-type]

        group.start_soon(serve)
        with anyio.fail_after(5):
            await ready.wait()
        yield ports[0]
        group.cancel_scope.cancel()


async def test_whoever_is_told_the_port_can_connect() -> None:
    async with serving(APP) as port, httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/")).text == "hello"
        async with connect(f"ws://127.0.0.1:{port}/echo") as ws:
            await ws.send("tu")
            assert await ws.recv() == "tu"


async def test_a_cancelled_server_is_gone_within_a_second_and_its_port_is_free() -> None:
    with anyio.fail_after(1.5):
        async with serving(APP) as port:
            pass
    socket.create_server(("127.0.0.1", port)).close()


async def test_a_cancelled_server_ends_live_connections_and_the_tasks_behind_them() -> None:
    tasks = anyio.get_running_tasks
    before = len(tasks())
    async with serving(APP) as port:
        live = await connect(f"ws://127.0.0.1:{port}/echo")
        await live.send("tu")
        await live.recv()
        began = anyio.current_time()
    assert anyio.current_time() - began < 1
    with pytest.raises(ConnectionClosed):
        await live.recv()
    await live.wait_closed()
    assert len(tasks()) == before


async def test_a_handler_that_will_not_listen_is_cancelled_and_waited_for() -> None:
    ended = []

    async def stubborn(socket: WebSocket) -> None:
        await socket.accept()
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.1)
                ended.append(True)

    app = Starlette(routes=[WebSocketRoute("/stubborn", stubborn)])
    async with serving(app) as port:
        live = await connect(f"ws://127.0.0.1:{port}/stubborn")
        began = anyio.current_time()
    assert anyio.current_time() - began < 1
    assert ended == [True]
    await live.close()


async def test_a_port_in_use_is_one_line_that_names_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} on 127.0.0.1 is in use; .*--port \(0 takes any free one\)"):
            await serve_app(APP, host="127.0.0.1", port=port)


async def test_a_host_that_is_not_ours_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"no address 'no\.such\.host\.invalid' here"):
        await serve_app(APP, host="no.such.host.invalid", port=0)
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1"):
        await serve_app(APP, host="192.0.2.1", port=0)


async def test_a_number_that_is_no_port_is_one_line() -> None:
    with pytest.raises(UsageError, match="99999 is not a port"):
        await serve_app(APP, host="127.0.0.1", port=99999)


async def test_a_certificate_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nonsense")
    with pytest.raises(UsageError, match="both must be PEM files"):
        await serve_app(APP, host="127.0.0.1", port=0, tls=Tls(tmp_path / "cert.pem", tmp_path / "key.pem"))


async def test_an_application_that_refuses_to_start_is_an_error_and_not_an_exit() -> None:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        raise RuntimeError("no")
        yield  # what makes it a generator

    with pytest.raises(AgentVoiceError, match="did not start"):
        await serve_app(Starlette(lifespan=lifespan), host="127.0.0.1", port=0)


async def test_a_message_that_is_too_large_ends_its_connection_and_not_the_server() -> None:
    async with serving(APP, max_message=1000) as port:
        async with connect(f"ws://127.0.0.1:{port}/echo") as ws:
            with pytest.raises(ConnectionClosed):  # noqa: PT012
                await ws.send("x" * 2000)
                await ws.recv()
            assert ws.close_code == 1009
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == "hello"


def test_it_runs_beside_the_main_thread_too() -> None:
    answers: list[str] = []

    async def main() -> None:
        async with serving(APP) as port, httpx.AsyncClient() as client:
            answers.append((await client.get(f"http://127.0.0.1:{port}/")).text)

    thread = threading.Thread(target=anyio.run, args=(main,))
    thread.start()
    thread.join(10)
    assert answers == ["hello"]


async def test_a_small_message_does_not_wait_until_the_one_before_it_was_acknowledged() -> None:
    with await listen("127.0.0.1", 0) as listener:
        # What asyncio looks at before it turns off Nagle's algorithm, which costs 40 ms a message.
        assert listener.proto == socket.IPPROTO_TCP
