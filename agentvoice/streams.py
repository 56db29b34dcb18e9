"""Edge: `MessageStream`s. A WebSocket client for asyncio and trio, and a pair in memory for tests."""

from __future__ import annotations

import ipaddress
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from anyio import BrokenResourceError, EndOfStream, move_on_after
from websockets.exceptions import ConnectionClosed

from .bell import Bell
from .errors import UsageError
from .interfaces import MessageStream

Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[MessageStream]]
"""Opens a connection, which is closed when the block ends."""

_CLOSING_S: Final = 0.5
"""How long to wait for the peer's half of the closing handshake, before the connection is cut."""
_PING_S: Final = 5.0
"""How often to ask whether the peer is there, and how long it may take to say so."""
_LARGEST: Final = 8 * 2**20
"""Bytes of a message beyond which the connection is closed (1009)."""


@asynccontextmanager
async def connect_websocket(
    url: str, *, headers: Mapping[str, str] | None = None, open_timeout_s: float = 10.0, **options: Any
) -> AsyncIterator[WebSocketStream]:
    """Connect to a WebSocket server, on asyncio or trio; `options` are those of the websockets client.

    Raises:
        websockets.exceptions.InvalidStatus: the server answered with something else; `tts.failures` reads it.
        OSError, TimeoutError: there is no server, or it does not answer.
        UsageError: the installed websockets has no client for trio.
    """
    connect = _client()
    # Audio in base64 hardly shrinks, and compressing it costs more than everything else. A proxy is for the world
    # outside, and never for this machine.
    defaults: dict[str, Any] = {"compression": None, "max_size": _LARGEST, "proxy": None if _is_local(url) else True}
    defaults |= {"ping_interval": _PING_S, "ping_timeout": _PING_S}
    connection = connect(
        url,
        additional_headers=headers,
        open_timeout=open_timeout_s,
        close_timeout=_CLOSING_S,
        **(defaults | options),
    )
    async with connection as socket:
        stream = WebSocketStream(socket)
        try:
            yield stream
        finally:
            await stream.aclose()


def _client() -> Any:
    """Return the websockets client for the event loop that runs."""
    if "trio" in sys.modules and sys.modules["trio"].lowlevel.in_trio_run():
        try:
            from websockets.trio.client import connect  # noqa: PLC0415 - only where trio is
        except ImportError as error:
            raise UsageError(
                "the installed websockets has no client for trio; try: pip install -U websockets, or use asyncio"
            ) from error
        return connect
    from websockets.asyncio.client import connect as connect_asyncio  # noqa: PLC0415 - only where asyncio is

    return connect_asyncio


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


class WebSocketStream:
    """A connection of the websockets library, for whichever event loop, as whole messages."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._close = getattr(socket, "aclose", None) or socket.close  # trio's name, or asyncio's

    async def send(self, message: str | bytes) -> None:
        """Send one message, text or binary; see `MessageStream.send`."""
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise BrokenResourceError(str(error)) from error

    async def receive(self) -> str | bytes:
        """Wait for one message; see `MessageStream.receive`."""
        try:
            message: str | bytes = await self._socket.recv()
        except ConnectionClosed as error:
            raise EndOfStream(str(error)) from error
        return message

    async def aclose(self) -> None:
        """Close the connection; see `MessageStream.aclose`."""
        with move_on_after(2 * _CLOSING_S, shield=True):
            await self._close()


class _Pipe:
    """One direction of a connection in memory. Waits only where it has to: whole simulated calls go through it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._messages: deque[str] = deque()
        self._closed = False
        self._changed = Bell()

    async def send(self, message: str) -> None:
        while not self.send_nowait(message):
            await self._changed.wait()

    def send_nowait(self, message: str) -> bool:
        if self._closed:
            raise BrokenResourceError
        if len(self._messages) >= self._size:
            return False
        self._messages.append(message)
        self._changed.ring()
        return True

    async def receive(self) -> str:
        while not self._messages:
            if self._closed:
                raise EndOfStream
            await self._changed.wait()
        if len(self._messages) == self._size:
            self._changed.ring()
        return self._messages.popleft()

    def close(self) -> None:
        self._closed = True
        self._changed.ring()


class MemoryStream:
    """One end of a connection in memory."""

    def __init__(self, outgoing: _Pipe, incoming: _Pipe) -> None:
        self._outgoing = outgoing
        self._incoming = incoming
        self.send = outgoing.send
        """Send one text message; see `MessageStream.send`."""
        self.send_nowait = outgoing.send_nowait
        """Send one text message and return `True`; or `False`, when that would have to wait. Raises as `send` does."""
        self._open = True

    async def receive(self) -> str:
        """Wait for one message; see `MessageStream.receive`."""
        if not self._open:
            raise EndOfStream
        return await self._incoming.receive()

    async def aclose(self) -> None:
        """Close both directions. What the peer has not read yet, it can still read."""
        self._open = False
        self._outgoing.close()
        self._incoming.close()


def memory_pair(size: int = 64) -> tuple[MemoryStream, MemoryStream]:
    """Return the two ends of a connection that holds up to `size` messages each way; then sending waits."""
    to_right, to_left = _Pipe(size), _Pipe(size)
    return MemoryStream(to_right, to_left), MemoryStream(to_left, to_right)
