"""A session at work: engine, workers and a client, in virtual time on both backends."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
import pytest
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream, current_time
from anyio.lowlevel import checkpoint
from hypothesis import given, settings, strategies as st

from agentvoice.interfaces import SpokenPiece
from agentvoice.speech.decisions import Close
from agentvoice.speech.limits import Limits
from agentvoice.speech.service import SpeechService
from agentvoice.speech.sockets import serve_stream
from agentvoice.speech.tone import ToneEngine, seconds
from agentvoice.testing.clock import virtual
from agentvoice.tts.wire import Chunk, Done, Failure, FlushDone, Response, Timestamps, parse_response

pytestmark = pytest.mark.anyio
T = TypeVar("T")

PLAIN: dict[str, Any] = {
    "context_id": "a",
    "model_id": "sonic",
    "voice": "tone",
    "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000},
    "add_timestamps": True,
}


async def at_once(function: Callable[[], T]) -> T:
    await checkpoint()
    return function()


async def in_a_while(function: Callable[[], T]) -> T:
    """An engine that needs 100 ms for each piece."""
    await anyio.sleep(0.1)
    return function()


class Stream:
    """The server's end of a connection in memory; the client's end is `say` and `hear`."""

    def __init__(self, *, room: float = math.inf) -> None:
        self._to_server, self._from_client = anyio.create_memory_object_stream[str](math.inf)
        self._to_client, self._from_server = anyio.create_memory_object_stream[str](room)
        self.ended: Close | None = None

    async def send(self, message: str) -> None:
        try:
            await self._to_client.send(message)
        except ClosedResourceError as error:
            raise BrokenResourceError from error

    async def receive(self) -> str | bytes:
        try:
            return await self._from_client.receive()
        except ClosedResourceError as error:
            raise EndOfStream from error

    async def aclose(self) -> None:
        for end in (self._to_server, self._from_client, self._to_client, self._from_server):
            end.close()

    def say(self, transcript: str, context_id: str = "a", /, **members: Any) -> None:
        self._to_server.send_nowait(json.dumps(PLAIN | {"transcript": transcript, "context_id": context_id} | members))

    def cancel(self, context_id: str = "a") -> None:
        self._to_server.send_nowait(json.dumps({"context_id": context_id, "cancel": True}))

    def hang_up(self) -> None:
        self._to_server.close()

    async def hear(self) -> Response:
        return parse_response(await self._from_server.receive())

    async def hear_all(self, ends: int = 1) -> list[Response]:
        heard: list[Response] = []
        while sum(isinstance(response, Done | Failure) for response in heard) < ends:
            heard.append(await self.hear())
        return heard


@asynccontextmanager
async def connected(service: SpeechService, *, room: float = math.inf) -> AsyncIterator[Stream]:
    stream = Stream(room=room)

    async def serve() -> None:
        stream.ended = await serve_stream(stream, service.exchange(version="2026-03-01"), version="2026-03-01")

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(service.run)
            group.start_soon(serve)
            yield stream
            group.cancel_scope.cancel()
    finally:
        await stream.aclose()


def service(engine: Any = None, **options: Any) -> SpeechService:
    return SpeechService(engine or ToneEngine(), **{"in_thread": at_once} | options)


async def test_a_text_is_spoken_in_order() -> None:
    async with connected(service()) as client:
        client.say("Good morning.")
        heard = await client.hear_all()
    assert [word for r in heard if isinstance(r, Timestamps) for word, _, _ in r.words] == ["Good", "morning."]
    assert isinstance(heard[-1], Done)


async def test_the_first_sound_does_not_wait_for_the_last() -> None:
    async with connected(service(in_thread=in_a_while)) as client:
        client.say("one two three four five six seven eight nine ten.")
        await client.hear()
        assert current_time() == pytest.approx(0.1)
        await client.hear_all()
        assert current_time() == pytest.approx(1.1)


async def test_a_short_answer_is_not_behind_chapters() -> None:
    async with connected(service(in_thread=in_a_while, workers=1)) as client:
        for n in range(20):
            client.say("A chapter that goes on and on, and never comes to its end. " * 20, f"long {n}")
        await anyio.sleep(10.0)
        began = current_time()
        client.say("Yes.", "short")
        while True:
            heard = await client.hear()
            if heard.context_id == "short":
                break
    assert isinstance(heard, Chunk)
    assert current_time() - began < 0.35


async def test_a_short_answer_overtakes_chapters_that_have_not_begun() -> None:
    async with connected(service(in_thread=in_a_while, workers=1)) as client:
        for n in range(20):
            client.say("A chapter that goes on and on, and never comes to its end. " * 20, f"long {n}")
        client.say("Yes.", "short")
        while not (isinstance(heard := await client.hear(), Done) and heard.context_id == "short"):
            pass
    assert current_time() < 0.5


async def test_chapters_take_turns() -> None:
    async with connected(service(in_thread=in_a_while, workers=1)) as client:
        for n in range(4):
            client.say("one two three four five six seven eight nine ten.", f"{n}")
        spoken: dict[str, float] = {}
        for _ in range(40):
            if isinstance(heard := await client.hear(), Chunk):
                spoken[heard.context_id] = spoken.get(heard.context_id, 0) + len(heard.audio) / 16000
        assert max(spoken.values()) - min(spoken.values()) < 0.5


async def test_a_cancel_stops_the_engine() -> None:
    closed = []

    class Endless(ToneEngine):
        def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:
            try:
                while True:
                    yield SpokenPiece(bytes(1600))
            finally:
                closed.append(text)

    async with connected(service(Endless(), in_thread=in_a_while)) as client:
        client.say("For ever.")
        await client.hear()
        client.cancel()
        await anyio.sleep(0.3)
        assert closed == ["For ever."]
        while client._from_server.statistics().current_buffer_used:
            await client.hear()
        with anyio.move_on_after(10):
            raise AssertionError(await client.hear())


@pytest.mark.parametrize("at", [0.05, 0.1, 0.15, 0.2, 0.25])
async def test_a_cancel_may_come_at_any_step(at: float) -> None:
    async with connected(service(in_thread=in_a_while, workers=1)) as client:
        client.say("Yes.")
        await anyio.sleep(at)
        client.cancel()
        client.say("No.", "b")
        with anyio.fail_after(10):
            while await client.hear() != Done("b"):
                pass


async def test_a_cancel_reaches_what_waits_for_a_slow_client() -> None:
    async with connected(service(), room=0) as client:
        client.say("one two three four five.")
        await anyio.sleep(5)
        client.cancel()
        await anyio.sleep(1)
        await client.hear()  # it was being sent
        with anyio.move_on_after(10):
            raise AssertionError(await client.hear())


async def test_a_client_that_does_not_read_is_bounded_and_hurts_nobody() -> None:
    made = []

    class Counting(ToneEngine):
        def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:
            for _ in range(10_000):
                made.append(text)
                yield SpokenPiece(bytes(16000))

    shared = service(Counting())
    async with connected(shared, room=1) as deaf, connected(shared) as other:
        deaf.say("For ever.")
        await anyio.sleep(60)
        assert len(made) * 16000 < 1_000_000
        other.say("Quick.", duration=1.0)
        assert isinstance((await other.hear_all())[-1], Done)
        before = len(made)
        for _ in range(200):
            await deaf.hear()
        assert len(made) > before


async def test_a_socket_that_closes_stops_all_its_work() -> None:
    shared = service(in_thread=in_a_while)
    async with connected(shared) as client:
        for n in range(5):
            client.say("A chapter that goes on and on. " * 20, f"long {n}")
        await client.hear()
        assert shared.metrics.contexts == 5
        client.hang_up()
        await anyio.sleep(0.2)
        assert client.ended == Close(1000, "")
        assert shared.metrics.contexts == 0


async def test_a_client_that_is_gone_while_it_is_told_something_ends_the_service() -> None:
    async with connected(service(), room=0) as client:
        client.say("Hello.")
        await anyio.sleep(1)
        await client.aclose()
        await anyio.sleep(1)
        assert client.ended == Close(1000, "")


async def test_an_idle_socket_is_closed_by_the_server() -> None:
    async with connected(service(limits=Limits(idle_s=300))) as client:
        client.say("Hello.")
        await client.hear_all()
        await anyio.sleep(299)
        assert client.ended is None
        await anyio.sleep(2)
        assert client.ended == Close(1000, "connection idle timeout")


async def test_text_without_an_end_is_spoken_after_its_delay() -> None:
    async with connected(service()) as client:
        client.say("and then", **{"continue": True})
        await client.hear()
        assert current_time() == pytest.approx(3.0)


async def test_an_open_context_expires() -> None:
    async with connected(service(limits=Limits(expiry_s=1.0))) as client:
        client.say("Hello!", **{"continue": True})
        heard = await client.hear_all()
        assert isinstance(heard[-1], Done)
        assert current_time() == pytest.approx(1.0, abs=0.01)


async def test_time_passes_for_others_while_one_is_always_talking() -> None:
    async with connected(service(in_thread=in_a_while)) as client:
        client.say("word " * 400, "long")
        client.say("and then", "short", **{"continue": True})
        while (await client.hear()).context_id != "short":
            pass
        assert current_time() == pytest.approx(3.2, abs=0.2)


async def test_an_engine_that_breaks_ends_one_context() -> None:
    class Brittle(ToneEngine):
        def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:
            if "break" in text:
                raise RuntimeError("out of breath")
            return super().synthesize(text, voice=voice, speed=speed, sample_rate=sample_rate)

    async with connected(service(Brittle())) as client:
        client.say("Please break. And more.", "bad")
        client.say("Fine.", "good")
        heard = await client.hear_all(ends=2)
    [failed] = [response for response in heard if isinstance(response, Failure)]
    assert (failed.context_id, failed.status_code, failed.message) == ("bad", 500, "out of breath")
    assert isinstance(heard[-1], Done) or isinstance(heard[-2], Done)


async def test_many_contexts_each_get_their_own_words_once() -> None:
    texts = {f"c{n}": " ".join(f"{n}w{m}" for m in range(n % 7 + 1)) + "." for n in range(64)}
    shared = service(workers=3)
    async with connected(shared) as client:
        for context_id, text in texts.items():
            client.say(text, context_id)
        heard = await client.hear_all(ends=64)
    for context_id, text in texts.items():
        mine = [response for response in heard if response.context_id == context_id]
        assert [word for r in mine if isinstance(r, Timestamps) for word, _, _ in r.words] == text.split()
        size = sum(len(response.audio) for response in mine if isinstance(response, Chunk))
        assert size / 16000 == pytest.approx(sum(map(seconds, text.split())), abs=0.005)
        assert isinstance(mine[-1], Done)
    assert shared.metrics.ended == {"done": 64}


async def test_what_happened_is_counted() -> None:
    shared = service()
    async with connected(shared) as client:
        client.say("Hello.", flush=True)
        client.say("Hello.", "b", voice="nobody")
        heard = await client.hear_all(ends=2)
        await checkpoint()
    assert any(isinstance(response, FlushDone) for response in heard)
    metrics = shared.metrics
    assert metrics.refused == {404: 1}
    assert metrics.chunks == sum(isinstance(response, Chunk) for response in heard)
    assert metrics.contexts == 0
    assert sum(metrics.first_audio.values()) == 1


# ------------------------------------------------------------------ any order, through the real edge

ANYTHING = st.one_of(
    st.tuples(
        st.just("say"),
        st.integers(0, 35),
        st.sampled_from(["one ", "two. ", "three", "a b c d e f g h! "]),
        st.booleans(),
    ),
    st.tuples(st.just("flush"), st.integers(0, 35)),
    st.tuples(st.just("finish"), st.integers(0, 35)),
    st.tuples(st.just("cancel"), st.integers(0, 35)),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 0.3, 1.0, 4.0])),
)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(ANYTHING, min_size=60, max_size=160),
    backend=st.sampled_from(["asyncio", "trio"]),
    workers=st.integers(1, 3),
    pace_s=st.sampled_from([0.0, 0.05]),
)
def test_whatever_the_order_each_context_has_its_words_once_and_one_end(
    steps: list[tuple[Any, ...]], backend: str, workers: int, pace_s: float
) -> None:
    name, options = virtual(backend)
    anyio.run(follow, steps, workers, pace_s, backend=name, backend_options=options)


async def follow(steps: list[tuple[Any, ...]], workers: int, pace_s: float) -> None:
    """Do all of it on one socket, reading at that pace, and look at what came of each context."""
    said: dict[str, list[str]] = {}
    over: set[str] = set()
    cancelled_at: dict[str, float] = {}
    heard: dict[str, list[tuple[float, Response]]] = {}

    shared = service(in_thread=in_a_while, workers=workers, limits=Limits(expiry_s=30.0))
    async with connected(shared, room=0) as client:

        async def listen() -> None:
            while True:
                response = await client.hear()
                heard.setdefault(str(response.context_id), []).append((current_time(), response))
                await anyio.sleep(pace_s)

        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            for kind, *rest in steps:
                if kind == "wait":
                    await anyio.sleep(rest[0])
                    continue
                known = sorted(said.keys() - over)
                if kind != "say" and not known:
                    continue
                context_id = f"c{rest[0]}" if kind == "say" else known[rest[0] % len(known)]
                if context_id in over:
                    continue
                if kind == "say":
                    _, text, more = rest
                    said.setdefault(context_id, []).append(text)
                    client.say(text, context_id, **{"continue": more})
                    over |= set() if more else {context_id}
                elif kind == "flush":
                    client.say("", context_id, flush=True, **{"continue": True})
                    said[context_id].append(" ")  # what is spoken by itself is a word by itself
                elif kind == "finish":
                    client.say("", context_id)
                    over.add(context_id)
                else:
                    client.cancel(context_id)
                    cancelled_at[context_id] = current_time()
                    over.add(context_id)
                    await anyio.sleep(0.001)
            for context_id in said.keys() - over:
                client.say("", context_id)
            await anyio.sleep(300)
            group.cancel_scope.cancel()

    assert heard.keys() <= said.keys()
    for context_id, texts in said.items():
        mine = [response for _, response in heard.get(context_id, [])]
        told = [word for r in mine if isinstance(r, Timestamps) for word, _, _ in r.words]
        if context_id in cancelled_at:
            late = [response for at, response in heard.get(context_id, []) if at > cancelled_at[context_id]]
            assert len(late) <= 1  # it was being sent
            assert "".join(texts).split()[: max(0, len(told) - 1)] == told[:-1]
            assert Done(context_id) not in mine or late in ([], [Done(context_id)])
        else:
            assert "".join(told) == "".join("".join(texts).split())
            assert [r for r in mine if isinstance(r, Done | Failure)] == [mine[-1]] == [Done(context_id)]
            audio = sum(len(r.audio) for r in mine if isinstance(r, Chunk))
            assert audio / 16000 == pytest.approx(sum(map(seconds, told)), abs=0.02)
