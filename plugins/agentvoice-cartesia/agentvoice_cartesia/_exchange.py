"""Edge: one recognition socket. What a pure dialect wants sent is sent, and what comes back is handed to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

import anyio
from anyio import (
    BrokenResourceError,
    CancelScope,
    EndOfStream,
    create_task_group,
    current_time,
    move_on_after,
)
from websockets.exceptions import InvalidStatus, WebSocketException

from agentvoice.errors import ProviderError, ProviderUnavailable
from agentvoice.tts.failures import handshake_error

from ._account import PROVIDER
from ._outbox import Outbox

_FAREWELL_S: Final = 0.3
"""How long saying goodbye may take."""

EventT_co = TypeVar("EventT_co", covariant=True)


class Stream(Protocol):
    """A connection that carries text and audio; see `MessageStream`."""

    async def send(self, message: str | bytes) -> None: ...

    async def receive(self) -> str | bytes: ...


Connect: TypeAlias = Callable[..., AbstractAsyncContextManager[Stream]]
"""Opens a connection to a URL with `headers`, as `streams.connect_websocket` does."""


class Dialect(Protocol[EventT_co]):
    """What `Dictation` and `Turns` have in common."""

    outbox: Outbox

    @property
    def farewell(self) -> str: ...

    @property
    def idle_s(self) -> float: ...

    @property
    def deadline(self) -> float: ...

    def idle(self) -> None: ...

    def receive(self, message: str | bytes, *, now: float) -> Sequence[EventT_co]: ...

    def handle_timer(self, *, now: float) -> Sequence[EventT_co]: ...


class Exchange(Generic[EventT_co]):
    """Sends, receives, and keeps the time, until it is left."""

    def __init__(self, dialect: Dialect[EventT_co], deliver: Callable[[Sequence[EventT_co]], None]) -> None:
        """What is heard is handed to `deliver`, from the event loop."""
        self._dialect = dialect
        self._deliver = deliver
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
                    await stream.send(self._dialect.farewell)
        except* ProviderError as failed:
            raise _first(failed) from failed

    async def _send(self, stream: Stream) -> None:
        try:
            while True:
                while (message := self._dialect.outbox.take()) is not None:
                    await stream.send(message)
                self._more = anyio.Event()
                with move_on_after(self._dialect.idle_s) as patience:
                    await self._more.wait()
                if patience.cancelled_caught:
                    self._dialect.idle()
        except BrokenResourceError as error:
            raise ProviderUnavailable(PROVIDER, f"the connection is lost: {error}") from error

    async def _listen(self, stream: Stream) -> None:
        try:
            while True:
                message = await stream.receive()
                self._deliver(self._dialect.receive(message, now=current_time()))
                self.wake()
        except EndOfStream as error:
            raise ProviderUnavailable(PROVIDER, f"it has hung up: {error}") from error

    async def _watch_the_time(self) -> None:
        while True:
            self._changed = anyio.Event()
            with CancelScope(deadline=self._dialect.deadline):
                await self._changed.wait()
            self._deliver(self._dialect.handle_timer(now=current_time()))


@asynccontextmanager
async def _connecting(connect: AbstractAsyncContextManager[Stream]) -> AsyncIterator[Stream]:
    """Connect; what goes wrong with that becomes a `ProviderError`."""
    try:
        async with connect as stream:
            yield stream
    except InvalidStatus as error:
        body = bytes(error.response.body or b"").decode(errors="replace")
        raise handshake_error(PROVIDER, error.response.status_code, body) from error
    except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
        raise ProviderUnavailable(PROVIDER, f"cannot connect: {error}") from error


def _first(group: BaseExceptionGroup[ProviderError]) -> ProviderError:
    """Return one of the errors: the first has caused the others."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
