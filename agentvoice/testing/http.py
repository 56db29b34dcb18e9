"""An HTTP server on this machine that answers as it is told, byte by byte: for what talks to a model's endpoint.

    async with serve(Answer(events('{"choices": ...}', "[DONE]"))) as server:
        model = OpenAI(base_url=server.url, ...)

It runs in the test's own event loop, in real time: mark such tests `sockets`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import anyio
import h11
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream, create_task_group, create_tcp_listener, sleep
from anyio.abc import SocketAttribute, SocketStream

_LOCAL: Final = "127.0.0.1"


def events(*data: str | Mapping[str, Any]) -> list[bytes | float]:
    """Return server-sent events, a piece each. A mapping is sent as JSON, and under the name that its `type` gives."""
    return [_event(each) for each in data]


def _event(data: str | Mapping[str, Any]) -> bytes:
    if isinstance(data, str):
        return f"data: {data}\n\n".encode()
    name = f"event: {data['type']}\n" if "type" in data else ""
    return f"{name}data: {json.dumps(data)}\n\n".encode()


@dataclass(frozen=True)
class Answer:
    """What the server answers to one request."""

    pieces: Sequence[bytes | float] = ()
    """The body; a number is a pause, in seconds (`math.inf` until the client leaves)."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    breaks: bool = False
    """Whether the connection breaks off where the body would end; without any body, before there is an answer."""


@dataclass
class Request:
    """What the server was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    left: anyio.Event = field(default_factory=anyio.Event)
    """Set when the client closed the connection before the answer was over."""

    @property
    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.body)


Answers: TypeAlias = Answer | Callable[[Request], Answer]
"""An answer, or what makes one of the request."""


class Server:
    """A server that runs; see `serve`."""

    def __init__(self, url: str, answers: Sequence[Answers]) -> None:
        self.url = url
        """Where it is, without a slash at its end."""
        self.requests: list[Request] = []
        self.connections = 0
        """How many it has accepted."""
        self._answers = list(answers)

    async def handle(self, stream: SocketStream) -> None:
        """Serve one connection to its end."""
        self.connections += 1
        connection = h11.Connection(h11.SERVER)
        async with stream:
            try:
                while (request := await _receive(connection, stream)) is not None:
                    self.requests.append(request)
                    answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                    answer = answer if isinstance(answer, Answer) else answer(request)
                    if not await _answer(connection, stream, request, answer):
                        return
                    connection.start_next_cycle()
            except (BrokenResourceError, ClosedResourceError, EndOfStream, h11.ProtocolError):
                return


@asynccontextmanager
async def serve(*answers: Answers) -> AsyncIterator[Server]:
    """Serve requests, in order, with one answer each; the last one goes on answering."""
    async with await create_tcp_listener(local_host=_LOCAL) as listener, create_task_group() as group:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no Django here
        server = Server(f"http://{_LOCAL}:{port}", answers)
        group.start_soon(listener.serve, server.handle)
        yield server
        group.cancel_scope.cancel()


async def _receive(connection: h11.Connection, stream: SocketStream) -> Request | None:
    head, body = None, b""
    while True:
        match event := connection.next_event():
            case h11.NEED_DATA:
                try:
                    connection.receive_data(await stream.receive())
                except EndOfStream:
                    return None
            case h11.Request():
                head = event
            case h11.Data():
                body += event.data
            case h11.EndOfMessage() if head is not None:
                headers = {name.decode(): value.decode() for name, value in head.headers}
                return Request(head.method.decode(), head.target.decode(), headers, body)
            case _:
                return None


async def _answer(connection: h11.Connection, stream: SocketStream, request: Request, answer: Answer) -> bool:
    """Send an answer; return whether the connection can go on."""
    if answer.breaks and not answer.pieces:
        return False
    async with create_task_group() as group:
        group.start_soon(_watch, stream, request, group)
        try:
            await _send(connection, stream, h11.Response(status_code=answer.status, headers=[*answer.headers.items()]))
            for piece in answer.pieces:
                await (_send(connection, stream, h11.Data(data=piece)) if isinstance(piece, bytes) else sleep(piece))
            if not answer.breaks:
                await _send(connection, stream, h11.EndOfMessage())
        except (BrokenResourceError, ClosedResourceError):
            request.left.set()
        group.cancel_scope.cancel()
    return not answer.breaks and not request.left.is_set()


async def _send(connection: h11.Connection, stream: SocketStream, event: h11.Event) -> None:
    await stream.send(connection.send(event) or b"")


async def _watch(stream: SocketStream, request: Request, group: anyio.abc.TaskGroup) -> None:
    """Notice that the client leaves."""
    try:
        await stream.receive()
    except (EndOfStream, BrokenResourceError, ClosedResourceError):
        request.left.set()
    group.cancel_scope.cancel()
