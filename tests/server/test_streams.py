"""Starlette's WebSocket as a stream of messages: what it makes of a peer that is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from starlette.websockets import WebSocket

from agentvoice.server.streams import SocketStream

pytestmark = pytest.mark.anyio


class Peer:
    """The far side of an ASGI WebSocket, by hand."""

    def __init__(self, *messages: dict[str, Any], gone: bool = False) -> None:
        self.messages = [{"type": "websocket.connect"}, *messages]
        self.sent: list[dict[str, Any]] = []
        self.gone = gone

    async def receive(self) -> dict[str, Any]:
        return self.messages.pop(0)

    async def send(self, message: Any) -> None:
        if self.gone and message["type"] != "websocket.accept":
            raise OSError("gone")  # as a server says by the ASGI specification, 2.4
        self.sent.append(dict(message))

    async def stream(self) -> SocketStream:
        scope = {"type": "websocket", "path": "/", "headers": []}
        socket = WebSocket(scope, self.receive, self.send)
        await socket.accept()
        return SocketStream(socket)

    def told(self) -> Sequence[str]:
        return [message["type"] for message in self.sent]


async def test_messages_go_both_ways_whole() -> None:
    peer = Peer({"type": "websocket.receive", "text": "tu"}, {"type": "websocket.receive", "bytes": b"felix"})
    stream = await peer.stream()

    assert [await stream.receive(), await stream.receive()] == ["tu", b"felix"]
    await stream.send("Austria")
    assert peer.sent[-1] == {"type": "websocket.send", "text": "Austria"}


async def test_a_peer_that_closes_ends_the_stream_however_often_one_asks() -> None:
    stream = await Peer({"type": "websocket.disconnect", "code": 1000}).stream()
    for _ in range(2):
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()


async def test_sending_to_a_peer_that_is_gone_says_so_however_often_one_tries() -> None:
    stream = await Peer(gone=True).stream()
    for _ in range(2):
        with pytest.raises(anyio.BrokenResourceError):
            await stream.send("anybody?")
    await stream.aclose()


async def test_closing_twice_is_closing_once() -> None:
    stream = await (peer := Peer()).stream()
    await stream.aclose()
    await stream.aclose()
    assert peer.told() == ["websocket.accept", "websocket.close"]


async def test_closing_does_not_wait_for_a_peer_that_is_stuck() -> None:
    peer = Peer()
    stream = await peer.stream()

    async def stuck(_: Any) -> None:
        await anyio.sleep_forever()

    stream._socket._send = stuck
    began = anyio.current_time()
    await stream.aclose()
    assert anyio.current_time() - began <= 1
