"""Edge: the doors of the speech server, as an ASGI application.

| door                              | what it gives                                        |
| --------------------------------- | ---------------------------------------------------- |
| `/tts/websocket`                  | the context protocol                                 |
| `POST /tts/bytes`                 | one text as a stream of audio: raw, WAV, MP3         |
| `POST /tts/sse`                   | the same as server-sent events                       |
| `/stt/websocket`                  | speech in, words out; the client says what is final  |
| `/stt/turns/websocket`            | the same in turns, whose ends the server finds       |
| `POST /stt`                       | what a recording says                                |
| `GET /voices`, `/voices/{id}`     | who can speak; `/voices/{id}/preview` lets you hear  |
| `POST /access-token`              | a token for browsers, which expires                  |
| `GET /`, `/health`, `/metrics`    | for machines that watch                              |
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib.metadata import version as installed_version
from typing import Any, TypeAlias
from uuid import uuid4

import msgspec
import structlog
from anyio import create_task_group, move_on_after
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from agentvoice.clock import current_time
from agentvoice.errors import UsageError
from agentvoice.server.streams import SocketStream
from agentvoice.server.uploads import read_body
from agentvoice.tts.wire import Failure, RequestRejected, rejected

from .answers import audio_answer, error_answer, event_answer, request_id_of, version_of
from .auth import LONGEST_TOKEN_S
from .bodies import read_order
from .containers import Wav
from .decisions import CUT, Close
from .hearing.ears import Ears
from .hearing.parameters import read_listen, read_turns
from .hearing.sessions import Dictation, Session, TurnTaking
from .hearing.sockets import serve_hearing
from .hearing.transcription import transcribe
from .previews import Previews
from .service import SpeechService
from .sockets import serve_stream
from .voices import describe

log = structlog.get_logger()

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
            WebSocketRoute("/stt/websocket", doors.listen),
            WebSocketRoute("/stt/turns/websocket", doors.listen_for_turns),
            WebSocketRoute("/{path:path}", doors.no_such_socket),
            Route("/", doors.root),
            Route("/health", doors.health),
            Route("/metrics", doors.metrics),
            Route("/tts/bytes", doors.guarded(doors.speak_bytes), methods=["POST"]),
            Route("/tts/sse", doors.guarded(doors.speak_events), methods=["POST"]),
            Route("/stt", doors.guarded(doors.transcribe), methods=["POST"]),
            Route("/voices", doors.guarded(doors.voices)),
            Route("/voices/{voice_id}", doors.guarded(doors.voice)),
            Route("/voices/{voice_id}/preview", doors.preview),
            Route("/access-token", doors.guarded(doors.access_token), methods=["POST"]),
        ],
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origin_regex=service.origins.pattern,
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
                expose_headers=["x-request-id"],
                allow_private_network=True,
            )
        ],
        exception_handlers={HTTPException: _http_error, RequestRejected: _rejected},
    )


class _Doors:
    def __init__(self, service: SpeechService) -> None:
        self._service = service
        self._previews = Previews(service)

    # -------------------------------------------------------------- the socket

    async def socket(self, socket: WebSocket) -> None:
        request_id = str(uuid4())
        if (refusal := self._refusal(socket, request_id)) is not None:
            log.info("socket_refused", request_id=request_id, status=refusal.status_code)
            await socket.send_denial_response(refusal)
            return
        version = version_of(socket)
        exchange = self._service.exchange(version=version, connection_id=request_id)
        await self._serve(socket, partial(serve_stream, exchange=exchange, version=version), request_id)

    async def listen(self, socket: WebSocket) -> None:
        await self._listen(socket, with_turns=False)

    async def listen_for_turns(self, socket: WebSocket) -> None:
        await self._listen(socket, with_turns=True)

    async def _listen(self, socket: WebSocket, *, with_turns: bool) -> None:
        request_id, version = str(uuid4()), version_of(socket)
        try:
            if (failure := self._failure(socket, request_id)) is not None:
                raise RequestRejected(failure)
            ears = await self._ears()
            query, keyterms = socket.query_params, socket.query_params.getlist("keyterm")
            session: Session
            if with_turns:
                listen, turns = read_turns(query, keyterms, models=(ears.name,))
                session = TurnTaking(turns)
            else:
                listen = read_listen(query, keyterms, models=(ears.name,))
                session = Dictation(listen)
        except RequestRejected as refused:
            failure = replace(refused.failure, request_id=request_id)
            log.info("socket_refused", request_id=request_id, status=failure.status_code)
            await socket.send_denial_response(error_answer(failure, version))
            return
        self._service.metrics.overlooked.update(listen.overlooked)
        serve = partial(
            serve_hearing, ears=ears, listen=listen, session=session, request_id=request_id, version=version
        )
        await self._serve(socket, serve, request_id)

    async def _ears(self) -> Ears:
        """Return who recognises, ready to do so.

        Raises:
            RequestRejected: nobody does.
        """
        ears = self._service.ears
        if ears is None:
            message = "this server only speaks; start it with --recognizer moonshine, or another that is installed"
            raise rejected(None, "Not found", message, status_code=404)
        try:
            await ears.prepare()
        except UsageError as error:
            raise rejected(None, "Recognition is not available", str(error), status_code=503) from error
        return ears

    async def _serve(
        self, socket: WebSocket, serve: Callable[[SocketStream], Awaitable[Close]], request_id: str
    ) -> None:
        self._service.metrics.sockets += 1
        try:
            await socket.accept(headers=[(b"x-request-id", request_id.encode())])
            log.debug("socket_opened", request_id=request_id, version=version_of(socket))
            ended = await serve(SocketStream(socket))
            if ended.code == CUT:
                return  # uvicorn cuts the connection of an application that leaves without a closing frame
            with move_on_after(1, shield=True), suppress(RuntimeError, WebSocketDisconnect):  # it may be closed already
                await socket.close(ended.code, ended.reason)
        finally:
            self._service.metrics.sockets -= 1
            log.debug("socket_closed", request_id=request_id)

    def _refusal(self, socket: WebSocket, request_id: str) -> Response | None:
        failure = self._failure(socket, request_id)
        return None if failure is None else error_answer(failure, version_of(socket))

    def _failure(self, socket: WebSocket, request_id: str) -> Failure | None:
        """Return why a socket may not be opened; `None` when it may."""
        if (stranger := self._stranger(socket, request_id)) is not None:
            return stranger
        if self._service.metrics.sockets >= self._service.max_sockets:
            message = f"this server has {self._service.max_sockets} sockets at most"
            return Failure(None, 429, "Too many sockets", message, "concurrency_limited", request_id)
        return None

    async def no_such_socket(self, socket: WebSocket) -> None:
        message = f"there is no socket at {socket.url.path}; try /tts/websocket, /stt/websocket or /stt/turns/websocket"
        refusal = error_answer(Failure(None, 404, "Not found", message, None, str(uuid4())), version_of(socket))
        await socket.send_denial_response(refusal)

    # -------------------------------------------------------------- speech over HTTP

    async def speak_bytes(self, request: Request) -> Response:
        version, request_id = version_of(request), request_id_of(request)
        body = await read_body(request)
        order = read_order(body, version, request_id=request_id, containers=("raw", "wav", "mp3"))
        return await audio_answer(self._service, order, version)

    async def speak_events(self, request: Request) -> Response:
        version, request_id = version_of(request), request_id_of(request)
        order = read_order(await read_body(request), version, request_id=request_id, containers=("raw",))
        return await event_answer(self._service, order, version)

    async def transcribe(self, request: Request) -> Response:
        answer = await transcribe(await self._ears(), request)
        return JSONResponse(answer | {"request_id": request_id_of(request)})

    # -------------------------------------------------------------- voices and tokens

    async def voices(self, request: Request) -> Response:
        page = self._service.voices.page(request.query_params, version=version_of(request), url=str(request.base_url))
        return JSONResponse(page)

    async def voice(self, request: Request) -> Response:
        voice = self._service.voices.get(request.path_params["voice_id"])
        if voice is None:
            raise HTTPException(404, f"there is no voice '{request.path_params['voice_id']}'")
        return JSONResponse(describe(voice, version=version_of(request), url=str(request.base_url)))

    async def preview(self, request: Request) -> Response:
        voice = self._service.voices.get(request.path_params["voice_id"])
        if voice is None:
            raise HTTPException(404, f"there is no voice '{request.path_params['voice_id']}'")
        return Response(await self._previews.of(voice), media_type=Wav.media_type)

    async def access_token(self, request: Request) -> Response:
        try:
            wanted: Any = msgspec.json.decode(await read_body(request) or b"{}")
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
            if (stranger := self._stranger(request, request_id_of(request))) is not None:
                return error_answer(stranger, version_of(request))
            response = await handler(request)
            response.headers["x-request-id"] = request_id_of(request)
            return response

        return guard

    def _stranger(self, connection: HTTPConnection, request_id: str) -> Failure | None:
        """Return why a connection may not come in; `None` when it may."""
        origin = connection.headers.get("origin")
        if not self._service.origins.admits(origin):
            message = f"pages of {origin} may not use this server; start it with --allow-origin {origin}"
            return Failure(None, 403, "Forbidden", message, None, request_id)
        if not self._service.gate.admits(connection.headers, connection.query_params, now=current_time()):
            message = "the API key or access token is missing, wrong or expired"
            return Failure(None, 401, "Unauthorized", message, None, request_id)
        return None


async def _http_error(request: Request, error: Any) -> Response:
    title = {404: "Not found", 405: "Method not allowed", 413: "Request too large"}.get(error.status_code, "Error")
    failure = Failure(None, error.status_code, title, error.detail, None, request_id_of(request))
    return error_answer(failure, version_of(request))


async def _rejected(request: Request, error: Any) -> Response:
    return error_answer(replace(error.failure, request_id=request_id_of(request)), version_of(request))
