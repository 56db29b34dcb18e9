"""The web application: where a carrier asks what to do with a call, and then streams it.

| path                  | for                                                                |
| --------------------- | ------------------------------------------------------------------ |
| `POST /twilio/voice`  | Twilio's voice webhook (GET too): connect the call to the stream   |
| `WS /twilio/media`    | the stream of one call                                             |
| `POST /twilio/after`  | what comes after the stream: the hang-up, or a transfer            |
| `POST /twilio/whisper`| what the person is told to whom a caller is transferred            |
| `GET /health`         | a load balancer: 503 while the server drains                       |
| `GET /metrics`        | Prometheus                                                         |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Protocol
from urllib.parse import parse_qsl, quote

import structlog
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from agentvoice.errors import RemoteProtocolError
from agentvoice.interfaces import Transport

from . import twiml
from .signature import HEADER, is_signed
from .streams import SocketStream
from .switchboard import Switchboard
from .transfers import Transfers
from .transport import TwilioTransport
from .uploads import read_body

log = structlog.get_logger(__name__)

VOICE: Final = "/twilio/voice"
MEDIA: Final = "/twilio/media"
AFTER: Final = "/twilio/after"
WHISPER: Final = "/twilio/whisper"
_LARGEST_FORM: Final = 1 << 16
_ANY: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Host(Protocol):
    """Takes calls; `agentvoice.Host` does."""

    async def take(
        self, transport: Transport, *, call_id: str, caller: str, called: str, parameters: Mapping[str, str]
    ) -> None:
        """Carry one call to its end."""


def create_app(
    host: Host,
    *,
    public_url: str | None = None,
    twilio_auth_token: str | None = None,
    max_calls: int | None = None,
    supervision: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return an application that passes calls to `host`. Its `state.switchboard` counts them, and can be drained.

    `public_url` is where the carrier reaches it; without one, what each request says of itself. With a
    `twilio_auth_token` only what Twilio has signed is answered. `supervision` is what `server.supervision` returns.
    """
    reception = _Reception(host, Switchboard(max_calls=max_calls), public_url, twilio_auth_token)
    app = Starlette(
        routes=[
            Route(VOICE, reception.voice, methods=["GET", "POST"]),
            WebSocketRoute(MEDIA, reception.media),
            Route(AFTER, reception.after, methods=["POST"]),
            Route(WHISPER, reception.whisper, methods=["POST"]),
            Route(MEDIA, _needs_a_websocket, methods=_ANY),
            *supervision,
            Route("/health", reception.health),
            Route("/metrics", reception.metrics),
            Route("/", reception.home),
            Route("/{path:path}", _nothing_here, methods=_ANY),
            WebSocketRoute("/{path:path}", _no_stream_here),
        ]
    )
    app.state.switchboard = reception.switchboard
    return app


class _Reception:
    """What the routes share."""

    def __init__(self, host: Host, switchboard: Switchboard, public_url: str | None, token: str | None) -> None:
        self._host = host
        self.switchboard = switchboard
        self._public_url = public_url.rstrip("/") if public_url else None
        self._token = token
        self._transfers = Transfers()

    # ------------------------------------------------------------------ calls

    async def voice(self, request: Request) -> Response:
        """Say what to do with a call: connect it, or turn it away."""
        form = await self._asked(request)
        if isinstance(form, Response):
            return form
        if not self.switchboard.accepting:
            self.switchboard.refused += 1
            log.warning("call_refused", draining=self.switchboard.draining, live=self.switchboard.live)
            return Response(twiml.BUSY, media_type=twiml.MEDIA_TYPE)
        said = {**request.query_params, **form}
        parameters = {"caller": said.get("From", ""), "called": said.get("To", "")}
        answer = twiml.connect(self._stream_url(request), parameters, afterwards=self._base(request) + AFTER)
        return Response(answer, media_type=twiml.MEDIA_TYPE)

    async def after(self, request: Request) -> Response:
        """Say what comes after the stream: somebody to whom the caller is put through, or nothing."""
        form = await self._asked(request)
        if isinstance(form, Response):
            return form
        transfer = self._transfers.of(form.get("CallSid", ""))
        if transfer is None:
            return Response(twiml.HANG_UP, media_type=twiml.MEDIA_TYPE)
        whisper = f"{self._base(request)}{WHISPER}?call={quote(form['CallSid'])}" if transfer.summary else ""
        return Response(twiml.dial(transfer.to, whisper=whisper), media_type=twiml.MEDIA_TYPE)

    async def whisper(self, request: Request) -> Response:
        """Tell the person to whom a caller is put through what it is about."""
        form = await self._asked(request)
        if isinstance(form, Response):
            return form
        transfer = self._transfers.of(request.query_params.get("call", ""))
        return Response(twiml.say(transfer.summary if transfer else ""), media_type=twiml.MEDIA_TYPE)

    async def _asked(self, request: Request) -> dict[str, str] | Response:
        """Return what a webhook's form says, or why it is not answered."""
        body = await read_body(request, most=_LARGEST_FORM, why="a webhook is a small form")
        form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        url = self._base(request) + request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if not self._is_genuine(request, url, form):
            return PlainTextResponse("this request is not signed by Twilio\n", 403)
        return dict(form)

    async def media(self, socket: WebSocket) -> None:
        """Carry one call, from the handshake to the hang-up. Whatever happens to it, the server goes on."""
        if not self._is_genuine(socket, self._stream_url(socket)):
            return await _deny(socket, 403, "this request is not signed by Twilio")
        if not self.switchboard.accepting:
            self.switchboard.refused += 1
            return await _deny(socket, 503, "no more calls are taken")
        await socket.accept()
        stream = SocketStream(socket)
        try:
            with self.switchboard.call():
                await self._take(stream)
        except RemoteProtocolError as error:
            log.warning("call_not_started", reason=str(error))
        except Exception:
            self.switchboard.failed += 1
            log.exception("call_failed")
        finally:
            await stream.aclose()

    async def _take(self, stream: SocketStream) -> None:
        transport = await TwilioTransport.answer(stream)
        transport.on_transfer = partial(self._transfers.put, transport.call_id)
        with structlog.contextvars.bound_contextvars(call_id=transport.call_id):
            await self._host.take(
                transport,
                call_id=transport.call_id,
                caller=transport.parameters.get("caller", ""),
                called=transport.parameters.get("called", ""),
                parameters=transport.parameters,
            )

    # ------------------------------------------------------------------ for people and machines

    async def home(self, request: Request) -> Response:
        """Tell whoever looks what this is."""
        return PlainTextResponse(
            "agentvoice answers the phone here.\n\n"
            f"Twilio's voice webhook:  {self._base(request)}{VOICE}\n"
            f"A simulated call:        agentvoice call {self._stream_url(request)} --script FILE\n"
            f"Calls now:               {self.switchboard.live}\n"
        )

    async def health(self, _: Request) -> Response:
        """Say whether calls are taken."""
        if self.switchboard.draining:
            return JSONResponse({"status": "draining", "calls": self.switchboard.live}, 503)
        return JSONResponse({"status": "ok", "calls": self.switchboard.live})

    async def metrics(self, _: Request) -> Response:
        """Say how many, in Prometheus' text format."""
        board = self.switchboard
        lines = [
            ("calls_live", "gauge", "Calls under way.", board.live),
            ("calls_total", "counter", "Calls taken.", board.total),
            ("calls_refused_total", "counter", "Calls turned away: full, or draining.", board.refused),
            ("calls_failed_total", "counter", "Calls that ended in an error.", board.failed),
        ]
        text = "".join(
            f"# HELP agentvoice_{name} {told}\n# TYPE agentvoice_{name} {kind}\nagentvoice_{name} {value}\n"
            for name, kind, told, value in lines
        )
        return Response(text, media_type="text/plain; version=0.0.4")

    # ------------------------------------------------------------------ who asks, and how we are called

    def _is_genuine(self, asked: HTTPConnection, url: str, form: list[tuple[str, str]] | None = None) -> bool:
        if self._token is None or is_signed(asked.headers.get(HEADER, ""), self._token, url, form or ()):
            return True
        log.warning("signature_wrong", url=url, hint="is the auth token right, and the public URL?")
        return False

    def _base(self, asked: HTTPConnection) -> str:
        """How whoever asks calls us: a proxy in between says so in its headers."""
        if self._public_url is not None:
            return "http" + self._public_url.removeprefix("ws") if self._public_url[:2] == "ws" else self._public_url
        scheme = _first(asked.headers.get("x-forwarded-proto")) or asked.url.scheme.replace("ws", "http")
        host = _first(asked.headers.get("x-forwarded-host")) or asked.headers.get("host") or asked.url.netloc
        return f"{scheme}://{host}"

    def _stream_url(self, asked: HTTPConnection) -> str:
        return "ws" + self._base(asked).removeprefix("http") + MEDIA


def _first(header: str | None) -> str:
    """Each proxy on the way adds its own; the first is what the outermost was asked."""
    return (header or "").partition(",")[0].strip()


async def _deny(socket: WebSocket, status: int, why: str) -> None:
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(PlainTextResponse(f"{why}\n", status))
    else:
        await socket.close(1013 if status == 503 else 1008, why)


_MAP: Final = f"there is: POST {VOICE} (Twilio's voice webhook), WebSocket {MEDIA}, GET /health, GET /metrics, GET /"


async def _nothing_here(request: Request) -> Response:
    return PlainTextResponse(f"there is no {request.url.path} here; {_MAP}\n", 404)


async def _no_stream_here(socket: WebSocket) -> None:
    await _deny(socket, 404, f"there is no {socket.url.path} here; {_MAP}")


async def _needs_a_websocket(_: Request) -> Response:
    return PlainTextResponse(
        f"{MEDIA} is a WebSocket: connect with ws:// or wss://\n",
        426,
        {"upgrade": "websocket", "connection": "upgrade"},
    )
