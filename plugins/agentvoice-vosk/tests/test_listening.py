from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from threading import Event

import pytest
from anyio import create_memory_object_stream, create_task_group, current_time, sleep, to_thread
from anyio.streams.memory import MemoryObjectReceiveStream
from structlog.testing import capture_logs

from agentvoice.events import Transcript
from agentvoice_vosk._decoder import Decoder
from agentvoice_vosk._desk import Desk
from agentvoice_vosk._listening import VoskListening
from agentvoice_vosk._segment import Segment
from agentvoice_vosk._shelf import Shelf

from .scripted import ScriptedKaldi

pytestmark = pytest.mark.anyio


class SlowDesk(Desk):
    """Has segments understood on the spot, and takes a while to do so, in virtual time."""

    def __init__(self, *, pace: float = 0.1) -> None:
        super().__init__(Shelf(lambda: Decoder(ScriptedKaldi()), spare=1), threads=1)
        self._pace = pace
        self.steps: list[tuple[float, bool]] = []

    async def understand(self, segment: Segment, pcm: bytes, *, last: bool) -> Transcript:
        seconds = len(pcm) / 16000
        self.steps.append((seconds, last))
        async with self._queue:
            await sleep(seconds * self._pace)
            return segment.understand(pcm, last=last)


@asynccontextmanager
async def listening(desk: Desk) -> AsyncIterator[tuple[VoskListening, MemoryObjectReceiveStream[Transcript]]]:
    send, receive = create_memory_object_stream[Transcript](64)
    with send, receive:
        one = VoskListening(desk, 8000, send, receive)
        async with create_task_group() as group:
            group.start_soon(one.run)
            yield one, receive
            group.cancel_scope.cancel()


async def speak(one: VoskListening, seconds: float, *, frame_s: float = 0.02) -> None:
    """Feed speech in real time."""
    for _ in range(round(seconds / frame_s)):
        await sleep(frame_s)
        await one.feed(bytes(2 * int(8000 * frame_s)))


async def everything(receive: MemoryObjectReceiveStream[Transcript], *, finals: int) -> Sequence[Transcript]:
    transcripts: list[Transcript] = []
    while sum(t.final for t in transcripts) < finals:
        transcripts.append(await receive.receive())
    return transcripts


async def test_partial_transcripts_come_as_words_are_spoken_and_the_final_one_at_the_end() -> None:
    async with listening(SlowDesk()) as (one, receive):
        await speak(one, 0.5)
        await one.finalize()
        transcripts = await everything(receive, finals=1)

    partials = [t.text for t in transcripts if not t.final]
    assert partials == ["0", "0 1", "0 1 2"]  # resampling holds 66 ms back until the end
    assert transcripts[-1].text == "0 1 2 3 4"
    assert [word.word for word in transcripts[-1].words] == ["0", "1", "2", "3", "4"]
    assert transcripts[-1].language == "en"


async def test_nothing_is_told_twice() -> None:
    async with listening(SlowDesk()) as (one, receive):
        await one.feed(bytes(1600))
        await speak(one, 0.04)
        await one.finalize()
        transcripts = await everything(receive, finals=1)

    assert [t.text for t in transcripts] == ["0"]


async def test_frames_are_gathered_into_steps() -> None:
    desk = SlowDesk()
    async with listening(desk) as (one, receive):
        await speak(one, 0.5)
        await one.finalize()
        await everything(receive, finals=1)

    assert [seconds for seconds, _ in desk.steps] == [0.1] * 5
    assert [last for _, last in desk.steps] == [False] * 4 + [True]


async def test_what_comes_all_at_once_is_taken_in_steps_that_leave_others_their_turn() -> None:
    desk = SlowDesk(pace=1.0)
    async with listening(desk) as (one, receive), listening(desk) as (other, answers):
        await one.feed(bytes(16000 * 10))
        await one.finalize()
        await sleep(0.1)
        asked_at = current_time()
        await other.feed(bytes(1600))
        await other.finalize()
        assert [t.final for t in await everything(answers, finals=1)] == [True]

        assert current_time() - asked_at <= 0.6 + 0.01
        assert max(seconds for seconds, _ in desk.steps) == 0.5
        assert len((await everything(receive, finals=1))[-1].words) == 100


async def test_every_segment_gets_its_final_transcript_in_order() -> None:
    async with listening(SlowDesk()) as (one, receive):
        for seconds in (0.2, 0.1):
            await speak(one, seconds)
            await one.finalize()
        await one.finalize()
        transcripts = await everything(receive, finals=3)

    finals = [t for t in transcripts if t.final]
    assert [len(t.words) for t in finals] == [2, 1, 0]
    assert [t.words[0].start for t in finals[:2]] == [0.0, 0.0]


async def test_samples_may_be_fed_by_halves_and_one_that_never_comes_is_left_out() -> None:
    async with listening(SlowDesk()) as (one, receive):
        for _ in range(641):
            await one.feed(bytes(5))
        await one.finalize()
        await one.feed(bytes(1))
        await one.finalize()
        first, second = (t for t in await everything(receive, finals=2) if t.final)

    assert (first.text, second.text) == ("0 1", "")


async def test_a_machine_that_cannot_keep_up_loses_what_comes_and_says_so() -> None:
    with capture_logs() as logs:
        async with listening(SlowDesk(pace=100.0)) as (one, _):
            for _ in range(130):
                await one.feed(bytes(16000))
    [line] = logs

    assert line["event"] == "vosk_overloaded"
    assert line["lost_s"] == 10.0


async def test_room_comes_back_as_audio_is_understood() -> None:
    with capture_logs() as logs:
        async with listening(SlowDesk()) as (one, _):
            await speak(one, 130.0, frame_s=0.5)

    assert logs == []


async def test_partial_transcripts_that_nobody_reads_hold_nothing_up() -> None:
    async with listening(SlowDesk()) as (one, receive):
        await speak(one, 10.0)

        assert receive.statistics().current_buffer_used == 64
        await one.finalize()
        assert (await everything(receive, finals=1))[-1].text.split()[-1] == "99"


async def test_leaving_gives_the_decoder_back_to_the_next_call() -> None:
    desk = SlowDesk()
    async with listening(desk) as (one, _):
        await speak(one, 0.3)
    async with listening(desk) as (other, receive):
        await speak(other, 0.2)
        await other.finalize()
        [*_, said] = await everything(receive, finals=1)

    assert said.words[0].word != "0"  # the same decoder has gone on counting
    assert said.words[0].start == 0.0


@pytest.mark.real_time
async def test_leaving_waits_for_no_thread() -> None:
    working, go_on = Event(), Event()

    def hindrance() -> None:
        working.set()
        go_on.wait(10)

    desk = Desk(Shelf(lambda: Decoder(ScriptedKaldi(hindrance=hindrance)), spare=1), threads=1)
    async with listening(desk) as (one, _):
        await one.feed(bytes(1600))
        assert await to_thread.run_sync(working.wait, 10)
        left_at = current_time()
    took = current_time() - left_at
    go_on.set()

    assert took < 1.0
