from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from anyio import create_memory_object_stream, create_task_group, current_time, sleep
from anyio.streams.memory import MemoryObjectReceiveStream

from agentvoice.events import Transcript
from agentvoice_moonshine._desk import Desk
from agentvoice_moonshine._listening import MoonshineListening
from agentvoice_moonshine._model import Cancelled, Understood

pytestmark = pytest.mark.anyio


class SlowDesk(Desk):
    """Understands a segment by telling how long it is, and takes a while to do so, in virtual time."""

    def __init__(self, *, takes_s: float = 0.1, confidence: float = 0.9) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._takes_s = takes_s
        self._confidence = confidence
        self.asked: list[float] = []

    async def _understand(self, samples: Any, cancelled: Callable[[], bool]) -> Understood:
        async with self._queue:
            self.asked.append(len(samples) / 16000)
            for _ in range(10):
                await sleep(self._takes_s / 10)
                if cancelled():
                    raise Cancelled
            return Understood(f"{len(samples) / 16000:.1f} seconds", self._confidence)


@asynccontextmanager
async def listening(
    desk: Desk, *, partial_every_s: float = 0.3
) -> AsyncIterator[tuple[MoonshineListening, MemoryObjectReceiveStream[Transcript]]]:
    send, receive = create_memory_object_stream[Transcript](64)
    with send, receive:
        one = MoonshineListening(desk, 8000, send, receive, partial_every_s)
        async with create_task_group() as group:
            group.start_soon(one.run)
            yield one, receive
            group.cancel_scope.cancel()


async def speak(one: MoonshineListening, seconds: float) -> None:
    """Feed speech in real time."""
    for _ in range(round(seconds / 0.02)):
        await sleep(0.02)
        await one.feed(b"\x00\x10" * 160)


async def everything(receive: MemoryObjectReceiveStream[Transcript], *, finals: int) -> Sequence[Transcript]:
    transcripts: list[Transcript] = []
    while sum(t.final for t in transcripts) < finals:
        transcripts.append(await receive.receive())
    return transcripts


async def test_partial_transcripts_come_as_the_segment_grows_and_the_final_one_at_its_end() -> None:
    async with listening(SlowDesk()) as (one, receive):
        await speak(one, 1.2)
        await one.finalize()
        transcripts = await everything(receive, finals=1)

    assert [(t.text, t.final) for t in transcripts] == [
        ("0.7 seconds", False),
        ("1.0 seconds", False),
        ("1.2 seconds", True),
    ]
    assert transcripts[-1].confidence == 0.9


async def test_a_partial_transcript_under_way_gives_way_to_the_final_one() -> None:
    desk = SlowDesk(takes_s=1.0)
    async with listening(desk) as (one, receive):
        await speak(one, 0.9)
        finalized_at = current_time()
        await one.finalize()
        transcripts = await everything(receive, finals=1)

        assert current_time() - finalized_at == pytest.approx(1.0, abs=0.11)
    assert desk.asked == pytest.approx([0.7, 0.9], abs=0.021)
    assert [t.text for t in transcripts] == ["0.9 seconds"]


async def test_the_partial_transcript_of_one_call_gives_way_to_the_final_one_of_another() -> None:
    desk = SlowDesk(takes_s=1.0)
    async with listening(desk) as (one, receive), listening(desk, partial_every_s=99) as (other, answers):
        await speak(one, 0.8)
        await other.feed(b"\x00\x10" * 8000)
        asked_at = current_time()
        await other.finalize()

        assert (await answers.receive()).text == "1.0 seconds"
        assert current_time() - asked_at == pytest.approx(1.0, abs=0.11)
        assert receive.statistics().current_buffer_used == 0


async def test_partial_transcripts_are_left_out_while_the_desk_is_busy_with_another_call() -> None:
    desk = SlowDesk(takes_s=1.0)
    async with listening(desk, partial_every_s=99) as (one, receive), listening(desk) as (other, _):
        await one.feed(b"\x00\x10" * 8000)
        await one.finalize()
        await speak(other, 0.9)

        assert desk.asked == [1.0]
        assert (await receive.receive()).text == "1.0 seconds"


async def test_every_segment_gets_its_final_transcript_in_order() -> None:
    async with listening(SlowDesk()) as (one, receive):
        for seconds in (0.2, 0.1):
            await speak(one, seconds)
            await one.finalize()
        await one.finalize()
        transcripts = await everything(receive, finals=3)

    assert [t.text for t in transcripts] == ["0.2 seconds", "0.1 seconds", ""]


async def test_a_long_segment_is_understood_in_parts_and_its_transcripts_are_of_the_whole() -> None:
    desk = SlowDesk()
    async with listening(desk, partial_every_s=5.0) as (one, receive):
        await speak(one, 13.0)
        await one.finalize()
        transcripts = await everything(receive, finals=1)

    assert all(asked <= 12.1 for asked in desk.asked)
    assert transcripts[-1].text.count("seconds") == 2


async def test_a_long_segment_that_comes_all_at_once_is_cut_too() -> None:
    desk = SlowDesk()
    async with listening(desk) as (one, receive):
        await one.feed(b"\x00\x10" * 8000 * 30)
        await one.finalize()
        [final] = await everything(receive, finals=1)

    assert final.text.count("seconds") >= 3


async def test_what_the_model_made_up_is_not_passed_on() -> None:
    async with listening(SlowDesk(confidence=0.2)) as (one, receive):
        await speak(one, 0.7)
        await one.finalize()
        transcripts = await everything(receive, finals=1)

    assert transcripts == [Transcript("", final=True)]


async def test_partial_transcripts_that_nobody_reads_hold_nothing_up() -> None:
    desk = SlowDesk(takes_s=0.01)
    async with listening(desk, partial_every_s=0.02) as (one, receive):
        await speak(one, 4.0)

        assert receive.statistics().current_buffer_used == 64
        assert len(desk.asked) > 100
