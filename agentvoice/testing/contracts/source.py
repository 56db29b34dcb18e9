"""What every `InterruptionSource` has to keep."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from anyio import ClosedResourceError, EndOfStream, WouldBlock, fail_after
from anyio.abc import ObjectReceiveStream
from anyio.lowlevel import checkpoint
from anyio.streams.memory import MemoryObjectReceiveStream

from agentvoice.call import Call
from agentvoice.events import BargeIn, Event, MarkReturned
from agentvoice.interruption import InterruptionSource
from agentvoice.testing.quiet import quiet_call

_PATIENCE_S: Final = 1.0
_STORM: Final = 200


async def check_source(
    source: InterruptionSource,
    signal: Callable[[Call], Awaitable[None] | None],
    *,
    ignored: Sequence[Event] = (MarkReturned("of nobody's"),),
) -> None:
    """Check a source: `signal(call)` makes happen what it has to signal; the events in `ignored` are not its business.

    A source is shared by all calls: it is tried on two at once.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    try:
        await _check(source, signal, ignored)
    except BaseExceptionGroup as group:  # from the task groups around it
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


async def _check(
    source: InterruptionSource, signal: Callable[[Call], Awaitable[None] | None], ignored: Sequence[Event]
) -> None:
    async with quiet_call("one") as first, quiet_call("other") as second:
        async with source.signals(first) as one, source.signals(second) as other:
            await _make(signal, first)
            found = await _next(one)
            assert isinstance(found, BargeIn), f"what comes on the stream is a BargeIn, and not {found!r}"
            assert found.source, "a signal names its source, for the log"
            _expect_none(one, other, "a signal comes once, and for the call that it is about")
            for event in ignored:
                first.deliver(event)
            await _settle()
            _expect_none(one, other, "what is none of its business makes no signal")
            for _ in range(_STORM):  # nobody reads: it must neither hold the call up nor keep everything
                await _make(signal, second)
            assert second.turn is None, "a source does not act on a call: it signals"
        await _expect_end(one)
        async with source.signals(first) as again:
            await _make(signal, first)
            assert isinstance(await _next(again), BargeIn), "a source may watch a call again"


async def _make(signal: Callable[[Call], Awaitable[None] | None], call: Call) -> None:
    made = signal(call)
    if made is not None:
        await made
    await _settle()


async def _next(stream: ObjectReceiveStream[BargeIn]) -> BargeIn:
    try:
        with fail_after(_PATIENCE_S):
            return await stream.receive()
    except TimeoutError:
        raise AssertionError(f"a signal comes within {_PATIENCE_S:g} s") from None


def _expect_none(*rest: object) -> None:
    *streams, promise = rest
    for stream in streams:
        assert isinstance(stream, MemoryObjectReceiveStream), "signals come on a memory stream of anyio's"
        try:
            found = stream.receive_nowait()
        except WouldBlock:
            continue
        raise AssertionError(f"{promise}; there was {found}")


async def _expect_end(stream: ObjectReceiveStream[BargeIn]) -> None:
    try:
        with fail_after(_PATIENCE_S):
            while True:
                await stream.receive()
    except (ClosedResourceError, EndOfStream):
        return
    except TimeoutError:
        raise AssertionError("when its context is left, a source signals no more, and its stream ends") from None


async def _settle() -> None:
    for _ in range(8):
        await checkpoint()
