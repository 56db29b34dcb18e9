"""A server that misbehaves on purpose does so as it was told, and the same way each time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, TypeVar

import anyio
import pytest
from anyio import current_time
from anyio.lowlevel import checkpoint

from agentvoice.errors import UsageError
from agentvoice.speech.decisions import CUT, Close, Send
from agentvoice.speech.exchange import Exchange
from agentvoice.speech.faults import Faults
from agentvoice.speech.service import SpeechService
from agentvoice.speech.tone import ToneEngine
from agentvoice.tts.wire import Chunk, Done, Failure, Generate, Reply, parse_output

pytestmark = pytest.mark.anyio
T = TypeVar("T")

RAW = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 8000}


async def in_a_while(function: Callable[[], T]) -> T:
    await anyio.sleep(0.1)
    return function()


@asynccontextmanager
async def misbehaving(*faults: str) -> AsyncIterator[Exchange]:
    service = SpeechService(ToneEngine(), faults=Faults.parse(faults), in_thread=in_a_while)
    exchange = service.exchange(version="2026-03-01", connection_id="socket")
    async with anyio.create_task_group() as group:
        group.start_soon(service.run)
        yield exchange
        exchange.close()
        group.cancel_scope.cancel()


def say(exchange: Exchange, context_id: str = "a", text: str = "one two three four five six seven eight.") -> None:
    request = {"context_id": context_id, "transcript": text, "model_id": "sonic", "voice": "tone", "output_format": RAW}
    exchange.receive(json.dumps(request))


def cancel(exchange: Exchange, context_id: str = "a") -> None:
    exchange.receive(json.dumps({"context_id": context_id, "cancel": True}))


async def hear(exchange: Exchange, seconds: float) -> list[tuple[float, Reply | Close]]:
    """Take what is sent within that time, with when it was."""
    heard: list[tuple[float, Reply | Close]] = []
    with anyio.move_on_after(seconds):
        while not heard or not isinstance(heard[-1][1], Close):
            due = await exchange.next()
            if isinstance(due, Send):
                exchange.sent(due)
            heard.append((current_time(), due.reply if isinstance(due, Send) else due))
            await checkpoint()
    return heard


def audio(heard: list[tuple[float, Any]]) -> int:
    return sum(len(reply.audio) for _, reply in heard if isinstance(reply, Chunk))


def last(heard: list[tuple[float, Any]]) -> Any:
    return heard[-1][1] if heard else None


async def test_a_socket_breaks_after_so_much_audio() -> None:
    async with misbehaving("drop:bytes=6000") as exchange:
        say(exchange)
        heard = await hear(exchange, 10)
    assert last(heard) == Close(CUT, "dropped on purpose")
    assert 6000 <= audio(heard) < 6000 + 3200 + 1


async def test_a_socket_stalls_and_goes_on() -> None:
    async with misbehaving("stall:bytes=6000,seconds=60") as exchange:
        say(exchange)
        heard = await hear(exchange, 100)
    times = [at for at, _ in heard]
    assert max(b - a for a, b in pairwise(times)) == pytest.approx(60, abs=0.2)
    assert last(heard) == Done("a")


async def test_a_cancel_is_ignored() -> None:
    async with misbehaving("ignore-cancel") as exchange:
        say(exchange)
        cancel(exchange)
        assert last(await hear(exchange, 3)) == Done("a")


async def test_a_context_talks_on_after_its_cancel_and_then_falls_silent() -> None:
    async with misbehaving("talk-after-cancel:seconds=0.45") as exchange:
        say(exchange)
        cancel(exchange)
        heard = await hear(exchange, 3)
    assert audio(heard) > 0
    assert heard[-1][0] < 0.5
    assert not any(isinstance(reply, Done) for _, reply in heard)


async def test_a_cancelled_context_says_done_late() -> None:
    async with misbehaving("late-done:seconds=0.7") as exchange:
        say(exchange)
        cancel(exchange)
        heard = await hear(exchange, 3)
    assert [reply for _, reply in heard] == [Done("a")]
    assert heard[0][0] == pytest.approx(0.7)


async def test_an_error_does_not_say_whom_it_is_about() -> None:
    async with misbehaving("nameless-error") as exchange:
        say(exchange)
        say(exchange)
        [(_, failure)] = await hear(exchange, 3)
    assert isinstance(failure, Failure)
    assert (failure.context_id, failure.status_code) == (None, 500)


async def test_a_context_is_refused() -> None:
    async with misbehaving("429") as exchange:
        say(exchange)
        [(_, failure)] = await hear(exchange, 3)
    assert isinstance(failure, Failure)
    assert (failure.context_id, failure.error_code) == ("a", "concurrency_limited")


async def test_done_never_comes_and_nothing_is_left_behind() -> None:
    async with misbehaving("never-done") as exchange:
        say(exchange)
        heard = await hear(exchange, 30)
        assert exchange._lanes == {}
    assert isinstance(last(heard), Chunk)


async def test_http_misbehaves_too() -> None:
    async with misbehaving("429") as exchange:
        output = parse_output(RAW, context_id="a")
        exchange.request(Generate(context_id="a", transcript="Hi", model_id="sonic", voice_id="any", output=output))
        assert isinstance(last(await hear(exchange, 1)), Failure)
    async with misbehaving("never-done") as exchange:
        exchange.request(Generate(context_id="a", transcript="Hi", model_id="sonic", voice_id="any", output=output))
        assert isinstance(last(await hear(exchange, 1)), Chunk)


async def test_without_luck_nothing_goes_wrong() -> None:
    faults = ["drop", "stall", "ignore-cancel", "talk-after-cancel", "late-done", "nameless-error", "429", "never-done"]
    async with misbehaving(*(f"{name}:p=0" for name in faults)) as exchange:
        exchange.receive("no json")
        say(exchange)
        say(exchange, "b")
        cancel(exchange, "b")
        heard = await hear(exchange, 5)
    assert last(heard) == Done("a")
    assert isinstance(heard[0][1], Failure)


async def test_a_context_that_was_spared_is_spared_to_its_end() -> None:
    async with misbehaving("429:p=0.5", "seed=2") as exchange:
        ids = [f"c{n}" for n in range(20)]
        for part in range(3):
            for context_id in ids:
                members = {"context_id": context_id, "transcript": "Hi. ", "continue": part < 2}
                exchange.receive(json.dumps(members | {"model_id": "sonic", "voice": "any", "output_format": RAW}))
        heard = [reply for _, reply in await hear(exchange, 30)]
    ends = [reply.context_id for reply in heard if isinstance(reply, Done | Failure)]
    assert sorted(ends) == sorted(ids)  # type: ignore[type-var]


async def test_an_engine_may_fail_of_its_own_accord() -> None:
    class Broken(ToneEngine):
        def sample_rate(self, voice: str, wanted: int) -> int:
            raise RuntimeError("out of breath")

    service = SpeechService(Broken(), faults=Faults.parse(["never-done"]), in_thread=in_a_while)
    exchange = service.exchange(version="2026-03-01", connection_id="socket")
    async with anyio.create_task_group() as group:
        group.start_soon(service.run)
        say(exchange)
        [(_, failure)] = await hear(exchange, 1)
        group.cancel_scope.cancel()
    assert isinstance(failure, Failure)
    assert failure.message == "out of breath"


async def refused(*faults: str) -> list[bool]:
    async with misbehaving(*faults) as exchange:
        for n in range(40):
            say(exchange, f"c{n}", "Hi.")
        heard = await hear(exchange, 10)
    gone = {reply.context_id for _, reply in heard if isinstance(reply, Failure)}
    return [f"c{n}" in gone for n in range(40)]


async def test_the_same_seed_has_the_same_luck() -> None:
    first = await refused("429:p=0.3", "seed=1")
    assert 2 < sum(first) < 25
    assert await refused("429:p=0.3", "seed=1") == first
    assert await refused("429:p=0.3", "seed=2") != first


@pytest.mark.parametrize(
    ("specification", "says"),
    [
        ("explode", "there is no fault 'explode'; there is drop, stall"),
        ("drop:seconds=3", "the fault 'drop' has no 'seconds'; it has p, bytes"),
        ("drop:bytes=many", "'many' in the fault 'drop:bytes=many' is no number"),
        ("seed=x", "is no number"),
        ("429:p=3", "p in the fault '429:p=3' is a share, from 0 to 1; try 429:p=0.3"),
        ("stall:seconds=-1", "'-1' in the fault 'stall:seconds=-1' makes no sense"),
        ("stall:seconds=nan", "makes no sense"),
    ],
)
async def test_a_fault_that_does_not_exist_is_one_line(specification: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Faults.parse([specification])


async def test_faults_are_read_as_they_stand_in_the_table() -> None:
    faults = Faults.parse(["drop:bytes=5, p=0.5", "never-done", "seed=7"])
    assert faults == Faults({"drop": {"p": 0.5, "bytes": 5.0}, "never-done": {"p": 1.0}}, seed=7)
