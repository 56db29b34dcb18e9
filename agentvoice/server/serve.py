"""Edge: an ASGI application on a socket, inside the task that asks for it.

uvicorn would like to own the process: its signals, its logs, its exit code. Here it is one task among others: it
listens before anybody is told so, stops when its caller is cancelled, and says what is wrong in an exception.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from anyio import CancelScope, Event, create_task_group, getaddrinfo, move_on_after, sleep
from starlette.types import ASGIApp

from agentvoice.errors import AgentVoiceError, UsageError

MAX_MESSAGE: Final = 1 << 20
"""The largest WebSocket message that is read, in bytes: a second of speech as base64 takes a tenth of it at most."""
_GRACE_S: Final = 0.6
"""How long connections may take to end by themselves once the server stops; it is gone within a second."""

_UNTRUE: Final = "ASGI callable returned without completing handshake."
"""What uvicorn logs, as an error, about a WebSocket that was refused with an answer."""

_ANOTHER: Final = "choose another with --port (0 takes any free one)"


@dataclass(frozen=True, slots=True)
class Tls:
    """Where a certificate and its key are, in PEM."""

    cert: Path
    key: Path


async def serve_app(
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    listener: socket.socket | None = None,
    on_ready: Callable[[int], None] | None = None,
    tls: Tls | None = None,
    max_message: int = MAX_MESSAGE,
) -> None:
    """Serve `app` until the caller is cancelled, then stop within a second. asyncio only, as uvicorn is.

    `on_ready` is called with the port once connections are accepted; port 0 takes any free one. Whoever has much to
    load first may `listen` before that, and pass the `listener`. Signals are the business of whoever runs the
    event loop.

    Raises:
        UsageError: the address cannot be had, or the certificate cannot be read; the message says what to do.
        AgentVoiceError: the application refused to start.
    """
    logging.getLogger("uvicorn.error").addFilter(_is_true)
    with listener or await listen(host, port) as bound:
        config = uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_max_size=max_message,
            ws_per_message_deflate=False,  # base64 of mu-law does not shrink, and each call would pay for the attempt
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=tls.cert if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        config.timeout_graceful_shutdown = _GRACE_S  # type: ignore[assignment]  # declared int, used as seconds
        with _readable_tls(tls):
            config.load()
        await _run(_Server(config, on_ready or (lambda _: None)), bound)


async def _run(server: _Server, listener: socket.socket) -> None:
    """Run uvicorn to its own orderly end, even when cancelled: it is told to stop instead."""
    ended = Event()

    async def serve() -> None:
        with CancelScope(shield=True):
            await server.run_on(listener)
        ended.set()

    async with create_task_group() as group:
        group.start_soon(serve)
        try:
            await ended.wait()
        finally:
            server.should_exit = True
    if server.refused:
        raise AgentVoiceError("the server did not start: its application failed; the log lines above say why")


class _Server(uvicorn.Server):
    """uvicorn, minus its claim on the process."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[int], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self.refused = False

    async def run_on(self, listener: socket.socket) -> None:
        try:
            await self.serve(sockets=[listener])
        except SystemExit:  # uvicorn's way to say that the application's lifespan failed
            self.refused = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and not self.should_exit:
            self._on_ready(sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn cancels what outlives its patience, and leaves: nobody would wait for the end of those tasks.
        await super().shutdown(sockets)
        with move_on_after(1):
            while self.server_state.tasks:  # noqa: ASYNC110  # uvicorn has no event for it
                await sleep(0.01)


async def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Whoever connects waits until it is served.

    Raises:
        UsageError: the address cannot be had; the message says what to do.
    """
    if not 0 <= port <= 65535:
        raise UsageError(f"{port} is not a port; {_ANOTHER}")
    try:
        found = await getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UsageError(f"there is no address '{host}' here; try --host 127.0.0.1, or 0.0.0.0 for all") from error
    family, _, _, _, address = found[0]
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise UsageError(_why_not(error, host, port)) from error
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is in use; stop what listens there, or {_ANOTHER}"
        case errno.EACCES | errno.EPERM:
            return f"port {port} is reserved for the administrator; {_ANOTHER}"
        case _:
            return f"cannot listen on {host}, port {port} ({error.strerror}); try --host 127.0.0.1"


def _is_true(record: logging.LogRecord) -> bool:
    return record.msg != _UNTRUE


@contextmanager
def _readable_tls(tls: Tls | None) -> Iterator[None]:
    try:
        yield
    except (OSError, ssl.SSLError) as error:
        files = f"{tls.cert} and {tls.key}" if tls else "none"
        raise UsageError(f"cannot use the certificate and key ({files}): {error}; both must be PEM files") from error
