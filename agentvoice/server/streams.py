"""Edge: Starlette's WebSocket as a `MessageStream`."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from anyio import BrokenResourceError, EndOfStream, move_on_after
from starlette.websockets import WebSocket, WebSocketDisconnect

_GONE: Final = (WebSocketDisconnect, RuntimeError)
"""What Starlette raises about a connection that is over: the second when it has been told so before."""


class SocketStream:
    """A WebSocket that was accepted, as whole messages."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def send(self, message: str) -> None:
        """Send one text message; see `MessageStream.send`."""
        try:
            await self._socket.send_text(message)
        except _GONE as error:
            raise BrokenResourceError from error

    async def receive(self) -> str | bytes:
        """Wait for one message; see `MessageStream.receive`."""
        try:
            message = await self._socket.receive()
        except _GONE as error:
            raise EndOfStream from error
        if message["type"] == "websocket.disconnect":
            raise EndOfStream
        text: str | None = message.get("text")
        data: Any = message.get("bytes")
        return text if text is not None else bytes(data)

    async def aclose(self, code: int = 1000) -> None:
        """Close the connection; harmless when it is closed already."""
        with move_on_after(1, shield=True), suppress(*_GONE):
            await self._socket.close(code)
