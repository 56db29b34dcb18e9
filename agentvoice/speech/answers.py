"""Edge: speech as the body of an HTTP answer, sent while it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeAlias
from uuid import uuid4

import structlog
from anyio import to_thread
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from agentvoice.tts.wire import Chunk, Done, Failure, Generate, Reply

from .bodies import Order, error_body, event
from .decisions import Close
from .exchange import Exchange
from .service import SpeechService

log = structlog.get_logger()
Body: TypeAlias = AsyncIterator[bytes] | AsyncIterator[str]


async def audio_answer(service: SpeechService, order: Order, version: str) -> Response:
    """Answer with the audio, in the container that was asked for."""

    async def body(said: AsyncIterator[Reply]) -> AsyncIterator[bytes]:
        yield order.container.begin()
        async for reply in said:
            if isinstance(reply, Chunk):
                yield await to_thread.run_sync(order.container.wrap, reply.audio)
        yield order.container.end()

    exchange = service.exchange(version=version)
    first = await begin(exchange, order.generate)
    if isinstance(first, Failure):
        return error_answer(first, version)
    return _Speech(body(replies(first, exchange)), exchange, order.container.media_type)


async def event_answer(service: SpeechService, order: Order, version: str) -> Response:
    """Answer with server-sent events: the same messages that a socket carries."""

    async def body(said: AsyncIterator[Reply]) -> AsyncIterator[str]:
        async for reply in said:
            yield event(reply, version)

    exchange = service.exchange(version=version)
    first = await begin(exchange, order.generate)
    if isinstance(first, Failure):
        return error_answer(first, version)
    return _Speech(body(replies(first, exchange)), exchange, "text/event-stream")


async def begin(exchange: Exchange, said: Generate) -> Reply:
    """Wait for the first message, so that an error before the first sound is an error of HTTP."""
    first: Reply | None = None
    try:
        exchange.request(said)
        first = await _next(exchange)
    finally:
        if first is None or isinstance(first, Failure):
            exchange.close()
    return first


class ConnectionCut(Exception):
    """A fault wants the connection to break."""


class _Speech(StreamingResponse):
    """An answer that ends its exchange with itself, also when the client leaves in the middle."""

    def __init__(self, content: Body, exchange: Exchange, media_type: str) -> None:
        super().__init__(content, media_type=media_type)
        self._exchange = exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except ConnectionCut:
            log.info("answer_cut")  # uvicorn cuts the connection of an application that leaves in the middle
        finally:
            self._exchange.close()


async def replies(first: Reply, exchange: Exchange) -> AsyncIterator[Reply]:
    """Yield all messages about one context."""
    reply = first
    yield reply
    while not isinstance(reply, Done | Failure):
        reply = await _next(exchange)
        yield reply


async def _next(exchange: Exchange) -> Reply:
    due = await exchange.next()
    if isinstance(due, Close):  # nothing else closes an exchange that has one context
        raise ConnectionCut(due.reason)
    exchange.sent(due)
    return due.reply


# ------------------------------------------------------------------ what all answers need


def error_answer(failure: Failure, version: str) -> Response:
    """Answer with an error, in the shape of that version."""
    body, media_type = error_body(failure, version)
    headers = {"x-request-id": failure.request_id} if failure.request_id else None
    return Response(body, failure.status_code, headers, media_type)


def version_of(connection: HTTPConnection) -> str:
    """Return the version that a client wants: the query wins over the header."""
    return connection.query_params.get("cartesia_version") or connection.headers.get("cartesia-version", "")


def request_id_of(request: Request) -> str:
    """Return the id of a request, made up when it is first asked for."""
    if not hasattr(request.state, "request_id"):
        request.state.request_id = str(uuid4())
    return str(request.state.request_id)
