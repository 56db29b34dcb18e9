"""Edge: the doors of the speech server, as an ASGI application.

| door                              | what it gives                                        |
| --------------------------------- | ---------------------------------------------------- |
| `/tts/websocket`                  | the context protocol                                 |
| `POST /tts/bytes`                 | one text as a stream of audio, raw or WAV            |
| `POST /tts/sse`                   | the same as server-sent events                       |
| `GET /voices`, `/voices/{id}`     | who can speak; `/voices/{id}/preview` lets you hear  |
| `POST /access-token`              | a token for browsers, which expires                  |
| `GET /`, `/health`, `/metrics`    | for machines that watch                              |
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from importlib.metadata import version as installed_version
from typing import Any, Final, TypeAlias
from uuid import uuid4

import msgspec
import structlog
from anyio import create_task_group, current_time, move_on_after
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from agentvoice.audio import AudioFormat, Encoding
from agentvoice.server.streams import SocketStream
from agentvoice.tts.wire import Chunk, Done, Failure, Generate, Reply, RequestRejected, rejected

from .auth import LONGEST_TOKEN_S
from .bodies import error_body, event, read_order, wav_header
from .decisions import Close
from .exchange import Exchange
from .service import SpeechService
from .sockets import serve_stream
from .voices import describe

log = structlog.get_logger()

_MAX_BODY: Final = 1 << 20
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


def create_app(service: SpeechService) -> Starlette:
    """Return the application. Its lifespan runs the service, which has been prepared by the caller."""
    doors = _Doors(service)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with create_task_group() as group:
            group.start_soon(service.run)
            yield
            group.cancel_scope.cancel()

    return Starlette(
        lifespan=lifespan,
        routes=[
            WebSocketRoute("/tts/websocket", doors.socket),
            WebSocketRoute("/{path:path}", doors.no_such_socket),
            Route("/", doors.root),
            Route("/health", doors.health),
            Route("/metrics", doors.metrics),
            Route("/tts/bytes", doors.guarded(doors.speak_bytes), methods=["POST"]),
            Route("/tts/sse", doors.guarded(doors.speak_events), methods=["POST"]),
            Route("/voices", doors.guarded(doors.voices)),
            Route("/voices/{voice_id}", doors.guarded(doors.voice)),
            Route("/voices/{voice_id}/preview", doors.guarded(doors.preview)),
            Route("/access-token", doors.guarded(doors.access_token), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _http_error, RequestRejected: _rejected},
    )


class _Doors:
    def __init__(self, service: SpeechService) -> None:
        self._service = service

    # -------------------------------------------------------------- the socket

    async def socket(self, socket: WebSocket) -> None:
        request_id = str(uuid4())
        if (refusal := self._refusal(socket, request_id)) is not None:
            await socket.send_denial_response(refusal)
            return
        version = _version(socket)
        exchange = self._service.exchange(version=version, connection_id=request_id)
        self._service.metrics.sockets += 1
        try:
            await socket.accept(headers=[(b"x-request-id", request_id.encode())])
            log.debug("socket_opened", request_id=request_id, version=version)
            ended = await serve_stream(SocketStream(socket), exchange, version=version)
            with move_on_after(1, shield=True), suppress(RuntimeError, WebSocketDisconnect):  # it may be closed already
                await socket.close(ended.code, ended.reason)
        finally:
            self._service.metrics.sockets -= 1
            log.debug("socket_closed", request_id=request_id)

    def _refusal(self, socket: WebSocket, request_id: str) -> Response | None:
        version = _version(socket)
        if not self._admits(socket):
            return _error(_unauthorized(request_id), version)
        if self._service.metrics.sockets >= self._service.max_sockets:
            message = f"this server has {self._service.max_sockets} sockets at most"
            failure = Failure(None, 429, "Too many sockets", message, "concurrency_limited", request_id)
            return _error(failure, version)
        return None

    async def no_such_socket(self, socket: WebSocket) -> None:
        message = f"there is no socket at {socket.url.path}; try /tts/websocket"
        refusal = _error(Failure(None, 404, "Not found", message, None, str(uuid4())), _version(socket))
        await socket.send_denial_response(refusal)

    # -------------------------------------------------------------- speech over HTTP

    async def speak_bytes(self, request: Request) -> Response:
        version, request_id = _version(request), _request_id(request)
        body = await _body(request)
        order = read_order(body, version, request_id=request_id, containers=("raw", "wav"))
        output = order.generate.output
        header = wav_header(output) if output and order.container == "wav" else b""
        media_type = "audio/wav" if header else "application/octet-stream"

        async def audio(replies: AsyncIterator[Reply]) -> AsyncIterator[bytes]:
            if header:
                yield header
            async for reply in replies:
                if isinstance(reply, Chunk):
                    yield reply.audio

        return await self._stream(order.generate, version, audio, media_type)

    async def speak_events(self, request: Request) -> Response:
        version, request_id = _version(request), _request_id(request)
        order = read_order(await _body(request), version, request_id=request_id, containers=("raw",))

        async def events(replies: AsyncIterator[Reply]) -> AsyncIterator[str]:
            async for reply in replies:
                yield event(reply, version)

        return await self._stream(order.generate, version, events, "text/event-stream")

    async def _stream(
        self,
        generate: Generate,
        version: str,
        body: Callable[[AsyncIterator[Reply]], AsyncIterator[bytes] | AsyncIterator[str]],
        media_type: str,
    ) -> Response:
        """Answer with the speech as it is made; with an error when there is one before the first sound."""
        exchange = self._service.exchange(version=version)
        try:
            exchange.request(generate)
            first = await _next(exchange)
        except BaseException:
            exchange.close()
            raise
        if isinstance(first, Failure):
            exchange.close()
            return _error(first, version)
        return _Speech(body(_replies(first, exchange)), exchange, media_type)

    # -------------------------------------------------------------- voices and tokens

    async def voices(self, request: Request) -> Response:
        page = self._service.voices.page(request.query_params, version=_version(request), url=str(request.base_url))
        return JSONResponse(page)

    async def voice(self, request: Request) -> Response:
        voice = self._service.voices.get(request.path_params["voice_id"])
        if voice is None:
            raise HTTPException(404, f"there is no voice '{request.path_params['voice_id']}'")
        return JSONResponse(describe(voice, version=_version(request), url=str(request.base_url)))

    async def preview(self, request: Request) -> Response:
        voice = self._service.voices.get(request.path_params["voice_id"])
        if voice is None:
            raise HTTPException(404, f"there is no voice '{request.path_params['voice_id']}'")
        output = AudioFormat(Encoding.S16LE, 24000)
        text = f"Hello, I am {voice.name}. This is how I sound."
        said = Generate(context_id="preview", transcript=text, model_id="sonic", voice_id=voice.id, output=output)

        async def audio(replies: AsyncIterator[Reply]) -> AsyncIterator[bytes]:
            yield wav_header(output)
            async for reply in replies:
                if isinstance(reply, Chunk):
                    yield reply.audio

        return await self._stream(said, _version(request), audio, "audio/wav")

    async def access_token(self, request: Request) -> Response:
        try:
            wanted: Any = msgspec.json.decode(await _body(request) or b"{}")
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise rejected(None, "Invalid request", str(error)) from error
        seconds = wanted.get("expires_in", 60) if isinstance(wanted, dict) else None
        if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_TOKEN_S:
            message = f"expires_in must be more than 0 and at most {LONGEST_TOKEN_S} seconds"
            raise rejected(None, "Invalid request", message)
        return JSONResponse({"token": self._service.gate.issue(seconds, now=current_time())})

    # -------------------------------------------------------------- for machines that watch

    async def root(self, _: Request) -> Response:
        return JSONResponse({"ok": True, "version": installed_version("agentvoice")})

    async def health(self, _: Request) -> Response:
        metrics = self._service.metrics
        return JSONResponse({"ok": True, "sockets": metrics.sockets, "contexts": metrics.contexts})

    async def metrics(self, _: Request) -> Response:
        return PlainTextResponse(self._service.metrics.text(), media_type="text/plain; version=0.0.4")

    # -------------------------------------------------------------- who may come in

    def guarded(self, handler: Handler) -> Handler:
        async def guard(request: Request) -> Response:
            if not self._admits(request):
                return _error(_unauthorized(_request_id(request)), _version(request))
            response = await handler(request)
            response.headers["x-request-id"] = _request_id(request)
            return response

        return guard

    def _admits(self, connection: HTTPConnection) -> bool:
        return self._service.gate.admits(connection.headers, connection.query_params, now=current_time())


class _Speech(StreamingResponse):
    """An answer that ends its exchange with itself, also when the client leaves in the middle."""

    def __init__(self, content: AsyncIterator[bytes] | AsyncIterator[str], exchange: Exchange, media_type: str) -> None:
        super().__init__(content, media_type=media_type)
        self._exchange = exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._exchange.close()


async def _replies(first: Reply, exchange: Exchange) -> AsyncIterator[Reply]:
    """Yield all messages about one context."""
    reply = first
    yield reply
    while not isinstance(reply, Done | Failure):
        reply = await _next(exchange)
        yield reply


async def _next(exchange: Exchange) -> Reply:
    due = await exchange.next()
    if isinstance(due, Close):  # idle for minutes: nothing comes any more
        return Failure(None, 500, "Timed out", due.reason)
    exchange.sent(due)
    return due.reply


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY:
            raise HTTPException(413, f"a request has {_MAX_BODY} bytes at most")
    return body


def _version(connection: HTTPConnection) -> str:
    """The query wins over the header."""
    return connection.query_params.get("cartesia_version") or connection.headers.get("cartesia-version", "")


def _request_id(request: Request) -> str:
    if not hasattr(request.state, "request_id"):
        request.state.request_id = str(uuid4())
    return str(request.state.request_id)


def _unauthorized(request_id: str) -> Failure:
    return Failure(
        None, 401, "Unauthorized", "the API key or access token is missing, wrong or expired", None, request_id
    )


def _error(failure: Failure, version: str) -> Response:
    body, media_type = error_body(failure, version)
    headers = {"x-request-id": failure.request_id} if failure.request_id else None
    return Response(body, failure.status_code, headers, media_type)


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    title = {404: "Not found", 405: "Method not allowed", 413: "Request too large"}.get(error.status_code, "Error")
    failure = Failure(None, error.status_code, title, error.detail, None, _request_id(request))
    return _error(failure, _version(request))


async def _rejected(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestRejected):
        raise error
    return _error(replace(error.failure, request_id=_request_id(request)), _version(request))
