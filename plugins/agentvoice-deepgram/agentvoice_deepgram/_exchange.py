"""Edge: one stream to Deepgram. What a pure dialect wants sent is sent, and what comes back is handed to it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final, Protocol, TypeAlias, TypeVar

import anyio
from anyio import BrokenResourceError, CancelScope, EndOfStream, create_task_group, move_on_after
from websockets.exceptions import InvalidStatus, WebSocketException

from agentvoice.errors import ProviderError, ProviderRejected, ProviderUnavailable
from agentvoice.tts.failures import status_may_pass

from ._outbox import Outbox
from ._settings import PROVIDER

_FAREWELL_S: Final = 0.3
"""How long saying goodbye may take."""
_HINTS: Final = {
    400: "check the AGENTVOICE_DEEPGRAM_... settings, the model's name first",
    401: "check AGENTVOICE_DEEPGRAM_API_KEY",
    402: "the account has no credit left",
    403: "what AGENTVOICE_DEEPGRAM_API_KEY is may not use this model",
    404: "check AGENTVOICE_DEEPGRAM_URL",
    429: "too many streams at once",
}

T = TypeVar("T")


class Stream(Protocol):
    """A connection that carries text and audio; see `MessageStream`."""

    async def send(self, message: str | bytes) -> None: ...

    async def receive(self) -> str | bytes: ...


Connect: TypeAlias = Callable[..., AbstractAsyncContextManager[Stream]]
"""Opens a connection to a URL with `headers`, as `streams.connect_websocket` does."""


class Exchange:
    """Sends, receives, and keeps the time, until it is left."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        receive: Callable[[str | bytes], None],
        idle: Callable[[], None],
        idle_s: float,
        handle_timer: Callable[[], float] = lambda: math.inf,
    ) -> None:
        """`idle` is called when nothing was given to send for `idle_s`. `handle_timer` does what is due, and returns
        when it is to be called again."""
        self._outbox = outbox
        self._receive = receive
        self._idle, self._idle_s = idle, idle_s
        self._handle_timer = handle_timer
        self._more = anyio.Event()
        self._changed = anyio.Event()

    def wake(self) -> None:
        """There is more to send, or to wait for."""
        self._more.set()
        self._changed.set()

    @asynccontextmanager
    async def run(self, connect: AbstractAsyncContextManager[Stream]) -> AsyncIterator[None]:
        """Exchange messages over a connection as long as the block lasts.

        Raises:
            ProviderRejected: the service will not have us.
            ProviderUnavailable: it cannot be reached, or has hung up.
        """
        try:
            async with _connecting(connect) as stream:
                async with create_task_group() as group:
                    group.start_soon(self._send, stream)
                    group.start_soon(self._listen, stream)
                    group.start_soon(self._watch_the_time)
                    yield
                    group.cancel_scope.cancel()
                with move_on_after(_FAREWELL_S, shield=True), suppress(BrokenResourceError):
                    await stream.send('{"type":"CloseStream"}')
        except* ProviderError as failed:
            raise _first(failed) from failed

    async def _send(self, stream: Stream) -> None:
        try:
            while True:
                while (message := self._outbox.take()) is not None:
                    await stream.send(message)
                self._more = anyio.Event()
                with move_on_after(self._idle_s) as patience:
                    await self._more.wait()
                if patience.cancelled_caught:
                    self._idle()
        except BrokenResourceError as error:
            raise ProviderUnavailable(PROVIDER, f"the connection is lost: {error}") from error

    async def _listen(self, stream: Stream) -> None:
        try:
            while True:
                self._receive(await stream.receive())
                self._changed.set()
        except EndOfStream as error:
            raise ProviderUnavailable(PROVIDER, f"it has hung up: {error}") from error

    async def _watch_the_time(self) -> None:
        while True:
            self._changed = anyio.Event()
            with CancelScope(deadline=self._handle_timer()):
                await self._changed.wait()


@asynccontextmanager
async def _connecting(connect: AbstractAsyncContextManager[Stream]) -> AsyncIterator[Stream]:
    """Connect; what goes wrong with that becomes a `ProviderError`."""
    try:
        async with connect as stream:
            yield stream
    except InvalidStatus as error:
        raise _refusal(error) from error
    except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
        raise ProviderUnavailable(PROVIDER, f"cannot connect: {error}") from error


def _refusal(refused: InvalidStatus) -> ProviderError:
    """Return what a handshake was answered with; the service says why in a header, and in the body."""
    response = refused.response
    status = response.status_code
    said = response.headers.get("dg-error") or bytes(response.body or b"").decode(errors="replace")
    words = [f"the connection was refused with status {status}", _HINTS.get(status), " ".join(said.split())[:200]]
    kind = ProviderUnavailable if status_may_pass(status) else ProviderRejected
    return kind(PROVIDER, ": ".join(filter(None, words)))


def _first(group: BaseExceptionGroup[ProviderError]) -> ProviderError:
    """Return one of the errors: the first has caused the others."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
