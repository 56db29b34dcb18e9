"""Edge: whatever an agent's `reply` returns, opened, read as one async iterator of strings, and always closed."""

from __future__ import annotations

import json
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from contextvars import ContextVar
from inspect import isawaitable
from math import inf
from typing import Any, Final, Protocol, TypeAlias, TypeVar, runtime_checkable

from anyio import CancelScope, to_thread
from anyio.lowlevel import checkpoint_if_cancelled

from .clock import current_time
from .errors import ProviderUnavailable, UsageError
from .llm_failures import refusal
from .sse import read_events
from .token_shapes import PROVIDER, text_of

T = TypeVar("T")

CLOSING_S: Final = 1.0
"""How long closing a stream may take. Then it is left as it is: the caller waits."""


@runtime_checkable
class HttpResponse(Protocol):
    """A response of an HTTP client, its body not read yet. httpx has such."""

    @property
    def status_code(self) -> int:
        """Return the status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers, by names in lower case."""

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Read the body as it comes."""


@runtime_checkable
class Run(Protocol):
    """The run of an agent of Pydantic AI, whose model has begun to answer."""

    def stream_text(self, *, delta: bool, debounce_by: float | None) -> AsyncIterator[str]:
        """Stream the answer."""


Stream: TypeAlias = AsyncIterable[Any] | Iterable[Any] | HttpResponse | Run
Tokens: TypeAlias = Stream | AbstractAsyncContextManager[Stream] | Awaitable[Stream | None] | None
"""What `reply` may return: an async generator of strings is the plainest.

Or any iterator of strings, asynchronous or not; a stream of an SDK, whose items `token_shapes` knows; an HTTP response
with server-sent events, or its bytes; a context manager or an awaitable of one of these. `None` for silence.
"""


@asynccontextmanager
async def token_stream(reply: Tokens, *, patience_s: float = inf) -> AsyncIterator[AsyncIterator[str]]:
    """Open a reply for reading, and close it however the reading ends.

    No string is empty, but for `None`, which is read as one that is: a reply may also come to nothing by mistake.

    Raises:
        ProviderUnavailable: nothing came for `patience_s`, at the beginning or between two items.
        ProviderError: the response is an error, or the stream tells of one.
        UsageError: this is no reply; the message says what would be.
    """
    stalled = False
    # One scope around everything, with a deadline that moves. One for each item would be left before those scopes that
    # a stream holds open from one item to the next.
    with CancelScope() as scope:
        patience = _Patience(scope, patience_s)
        before = _patience.set(patience)
        try:
            async with AsyncExitStack() as stack:
                try:
                    texts = _texts(await _open(reply, stack), patience)
                    stack.push_async_callback(texts.aclose)
                    yield texts
                finally:
                    stalled = scope.cancel_called
                    # Its connection is to be closed, not left to the garbage collector, though the turn was cancelled.
                    scope.shield, scope.deadline = True, current_time() + CLOSING_S
        finally:
            _patience.reset(before)
    if scope.cancelled_caught:  # then whoever cancelled the turn was not heard
        await checkpoint_if_cancelled()
    if stalled:
        raise ProviderUnavailable(PROVIDER, f"nothing more came for {patience_s:g} s")


class _Patience:
    """How long a reply may still be silent."""

    def __init__(self, scope: CancelScope, seconds: float) -> None:
        self._scope = scope
        self._seconds = seconds
        self.busy = 0
        self.renew()

    def renew(self) -> None:
        """Begin again: there was a sign of life."""
        self._scope.deadline = inf if self.busy else current_time() + self._seconds


_patience: Final = ContextVar[_Patience | None]("patience", default=None)


@contextmanager
def unhurried() -> Iterator[None]:
    """Within a reply, let something take its time: a tool that is slow, a person who has to agree.

    A reply that is silent for longer than the agent's `patience_s` is given up otherwise.
    """
    if (patience := _patience.get()) is None:
        yield
        return
    patience.busy += 1
    patience.renew()
    try:
        yield
    finally:
        patience.busy -= 1
        patience.renew()


async def _texts(items: AsyncIterator[object] | None, patience: _Patience) -> AsyncGenerator[str]:
    """Yield what is to be spoken. Every item is a sign of life, one without text too."""
    if items is None:
        yield ""
        return
    async for item in items:
        patience.renew()
        if text := text_of(item):
            yield text


async def _open(reply: Any, stack: AsyncExitStack) -> AsyncIterator[object] | None:
    """Come from what `reply` returned to an iterator of items. `None` for a reply that says nothing on purpose."""
    while (opened := await _once(reply, stack)) is not reply:
        reply = opened
    stack.push_async_callback(_close, reply)
    items: AsyncIterator[object]
    match reply:
        case None:
            return None
        case str() | list() | tuple():
            items = _ready([reply] if isinstance(reply, str) else reply)
        case Run():
            items = reply.stream_text(delta=True, debounce_by=None)
        case HttpResponse():
            items = _body(reply)
        case AsyncIterable():
            if (iterator := aiter(reply)) is not reply:
                stack.push_async_callback(_close, iterator)
            items = _unpacked(iterator)
        case Iterable() if not isinstance(reply, Mapping | Sequence):
            items = _blocking(iter(reply))
        case _:
            raise UsageError(f"`reply` returned a {type(reply).__name__}; return a stream of strings, or yield them")
    stack.push_async_callback(_close, items)
    return items


async def _once(reply: Any, stack: AsyncExitStack) -> Any:
    """Enter a context manager, or await what is to be awaited."""
    if isinstance(reply, AbstractAsyncContextManager):
        return await stack.enter_async_context(reply)  # often the very same: a stream that closes itself
    return await reply if isawaitable(reply) else reply


async def _close(stream: object) -> None:
    """Close a stream, whatever it calls that. A second time does no harm."""
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    with suppress(ValueError):  # a generator that a thread is still waiting in
        if close is not None and isawaitable(closing := close()):
            await closing


async def _ready(items: Sequence[object]) -> AsyncGenerator[object]:
    for item in items:
        yield item


async def _blocking(items: Iterator[object]) -> AsyncGenerator[object]:
    """Read an iterator that may block, such as an SDK's synchronous stream, in a worker thread."""
    while (item := await to_thread.run_sync(next, items, _END, abandon_on_cancel=True)) is not _END:
        yield item


_END: Final = object()


async def _unpacked(items: AsyncIterator[object]) -> AsyncGenerator[object]:
    """Pass items on. Bytes are those of an HTTP response, read by whoever returned them."""
    async for item in items:
        if not isinstance(item, bytes):
            yield item
            continue
        async with aclosing(_again(item, items)) as chunks, aclosing(_parsed(chunks)) as events:
            async for event in events:
                yield event


async def _again(first: bytes, rest: AsyncIterator[Any]) -> AsyncGenerator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _body(response: HttpResponse) -> AsyncGenerator[object]:
    chunks = response.aiter_bytes()
    kind = response.headers.get("content-type", "").partition(";")[0]
    if response.status_code >= 400:
        body = b"".join([chunk async for chunk in chunks])
        raise refusal(PROVIDER, response.status_code, body, retry_after=response.headers.get("retry-after"))
    if kind not in {"text/event-stream", ""}:
        raise UsageError(f"the response is {kind}, not text/event-stream; ask for a stream, or yield its text")
    async with aclosing(_parsed(chunks)) as events:
        async for event in events:
            yield event


async def _parsed(chunks: AsyncIterator[bytes]) -> AsyncGenerator[object]:
    async with aclosing(read_events(chunks)) as events:
        try:
            async for data in events:
                yield json.loads(data)
        except ValueError as error:
            raise ProviderUnavailable(PROVIDER, f"its stream makes no sense: {error}") from error
