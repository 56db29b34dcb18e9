"""Replies of every kind, opened, read and closed."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio import current_time, move_on_after, sleep, sleep_forever

from agentvoice.errors import ProviderUnavailable, UsageError
from agentvoice.token_streams import CLOSING_S, token_stream

pytestmark = pytest.mark.anyio


async def read(reply, heard: list[str] | None = None, **options) -> str:
    heard = [] if heard is None else heard
    async with token_stream(reply, **options) as tokens:
        async for token in tokens:
            heard.append(token)
    return "".join(heard)


async def words(*items: object, each_s: float = 0.0) -> AsyncIterator[object]:
    for item in items:
        await sleep(each_s)
        yield item


class Stream:
    """A stream that notes when it is closed, and may hang where it would end."""

    def __init__(self, *items: object, ends: bool = True) -> None:
        self.items = list(items)
        self.ends = ends
        self.closed = 0

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> object:
        if self.items:
            return self.items.pop(0)
        if self.ends:
            raise StopAsyncIteration
        return await sleep_forever()

    async def aclose(self) -> None:
        await sleep(0.1)  # as what talks to a peer has to
        self.closed += 1


class OldStream(Stream):
    aclose = None  # type: ignore[assignment]

    def close(self) -> None:
        self.closed += 1


# ------------------------------------------------------------------ what a reply may be


async def test_a_reply_may_be_a_generator_an_iterator_a_list_or_a_string() -> None:
    assert await read(words("Good ", "evening.")) == "Good evening."
    assert await read(Stream("Good ", "evening.")) == "Good evening."
    assert await read(["Good ", "evening."]) == "Good evening."
    assert await read("Good evening.") == "Good evening."


async def test_a_reply_may_have_to_be_awaited() -> None:
    async def ask() -> AsyncIterator[object]:
        return words("Good ", "evening.")

    async def ask_someone() -> object:
        return ask()

    assert await read(ask()) == "Good evening."
    assert await read(ask_someone()) == "Good evening."


async def test_a_reply_may_be_a_context_manager_which_is_left_however_the_reading_ends() -> None:
    left = []

    @asynccontextmanager
    async def answering() -> AsyncIterator[object]:
        try:
            yield words("Good ", "evening.")
        finally:
            left.append(current_time())

    assert await read(answering()) == "Good evening."
    with pytest.raises(ZeroDivisionError):
        async with token_stream(answering()):
            raise ZeroDivisionError
    assert len(left) == 2


@pytest.mark.real_time
async def test_an_iterator_that_blocks_is_read_in_a_thread() -> None:
    closed = []

    def blocking() -> Iterator[str]:
        try:
            yield "Good "
            anyio.from_thread.run_sync(current_time)  # fails in the event loop's own thread
            yield "evening."
        finally:
            closed.append(True)

    assert await read(blocking()) == "Good evening."
    assert closed == [True]


async def test_none_says_nothing_on_purpose() -> None:
    async def silent() -> None:
        pass

    for reply in (silent(), None):
        heard = list[str]()
        await read(reply, heard)
        assert heard == [""]


@pytest.mark.parametrize("reply", [7, {"choices": []}, b"data: {}", object()])
async def test_what_is_no_reply_is_told_with_what_would_be(reply: object) -> None:
    with pytest.raises(UsageError, match=rf"^`reply` returned a {type(reply).__name__}; return a stream of strings"):
        await read(reply)


async def test_bytes_are_those_of_server_sent_events() -> None:
    stream = b"".join(b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % word for word in (b"Good ", b"day."))

    assert await read(words(stream[:30], stream[30:], b"data: [DONE]\n\n")) == "Good day."
    with pytest.raises(ProviderUnavailable, match="makes no sense"):
        await read(words(b"data: {nonsense\n\n"))


# ------------------------------------------------------------------ what can go wrong


async def test_a_reply_may_come_to_nothing() -> None:
    nothing: object
    for nothing in (words(), words("", None), [], ""):
        heard = list[str]()
        await read(nothing, heard)
        assert heard == []


async def test_what_a_stream_raises_is_raised_and_the_stream_closed() -> None:
    class Breaking(Stream):
        async def __anext__(self) -> object:
            if not self.items:
                raise ConnectionResetError
            return self.items.pop(0)

    stream, heard = Breaking("Good "), list[str]()
    with pytest.raises(ConnectionResetError):
        await read(stream, heard)

    assert heard == ["Good "]
    assert stream.closed


async def test_a_stream_that_does_not_begin_is_given_up_in_time_and_so_is_one_that_stalls() -> None:
    async def never() -> None:
        await sleep_forever()

    for reply, after in ((never(), 3.0), (Stream(ends=False), 3.0), (words("Well", "...", each_s=2.9), None)):
        began = current_time()
        if after is None:
            assert await read(reply, patience_s=3.0) == "Well..."
            continue
        with pytest.raises(ProviderUnavailable, match="nothing more came for 3 s"):
            await read(reply, patience_s=3.0)
        assert current_time() - began == pytest.approx(after, abs=0.2)

    stalling, heard = Stream("Well", ends=False), list[str]()
    with pytest.raises(ProviderUnavailable, match="nothing more came for 3 s"):
        await read(stalling, heard, patience_s=3.0)
    assert heard == ["Well"]


async def test_an_item_without_text_is_a_sign_of_life() -> None:
    assert await read(words("", None, "", "Here.", each_s=2.0), patience_s=3.0) == "Here."


async def test_a_stream_may_hold_scopes_of_its_own_from_one_token_to_the_next() -> None:
    async def careless() -> AsyncIterator[str]:
        with move_on_after(10):
            yield "Good "
            await sleep(1)
            yield "evening."

    assert await read(careless(), patience_s=3.0) == "Good evening."


# ------------------------------------------------------------------ closing


@pytest.mark.parametrize("kind", [Stream, OldStream])
async def test_a_turn_that_is_cancelled_closes_its_stream(kind: type[Stream]) -> None:
    stream = kind("Good ", ends=False)

    with move_on_after(1) as scope:
        async with token_stream(stream) as tokens:
            async for _ in tokens:
                pass

    assert scope.cancelled_caught
    assert stream.closed == 1


async def test_a_stream_that_cannot_be_closed_is_left_after_a_second() -> None:
    class Clinging(Stream):
        async def aclose(self) -> None:
            await sleep_forever()

    assert await read(Clinging("Good evening.")) == "Good evening."
    began = current_time()
    with move_on_after(1) as scope:
        await read(Clinging(ends=False))
    assert scope.cancelled_caught
    assert current_time() - began == pytest.approx(1 + CLOSING_S)


async def test_reading_may_end_early() -> None:
    stream = Stream("Good ", "evening.")

    async with token_stream(stream) as tokens:
        async for token in tokens:
            assert token == "Good "
            break

    assert stream.closed == 1


@pytest.mark.real_time
async def test_a_thread_that_waits_for_a_token_holds_nobody_up() -> None:
    go_on, waiting = threading.Event(), anyio.Event()

    def blocking() -> Iterator[str]:
        yield "Good "
        anyio.from_thread.run_sync(waiting.set)
        go_on.wait()

    async with anyio.create_task_group() as group:
        group.start_soon(read, blocking())
        await waiting.wait()
        group.cancel_scope.cancel()
    assert not go_on.is_set()  # the thread waits still, and nobody for it
    go_on.set()
