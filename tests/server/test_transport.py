"""A line over Twilio's messages: what reaches the carrier, what reaches the call, and how it ends."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from agentvoice.errors import RemoteProtocolError
from agentvoice.events import CallerAudio, HungUp, KeyPressed, MarkReturned
from agentvoice.interfaces import MessageStream, Transport
from agentvoice.server.transport import LARGEST_MESSAGE, MOST_NONSENSE, TwilioTransport
from agentvoice.streams import memory_pair

pytestmark = pytest.mark.anyio

CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
START: dict[str, Any] = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": "MZ1",
    "start": {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"caller": "+4930123"},
    },
}
STOP = {
    "event": "stop",
    "sequenceNumber": "9",
    "streamSid": "MZ1",
    "stop": {"accountSid": "AC1", "callSid": "CA1"},
}


def media(audio: bytes, **facts: Any) -> dict[str, Any]:
    payload = base64.b64encode(audio).decode()
    return {
        "event": "media",
        "sequenceNumber": "2",
        "streamSid": "MZ1",
        "media": {"track": "inbound", "chunk": "1", "payload": payload, **facts},
    }


def mark(name: str) -> dict[str, Any]:
    return {"event": "mark", "sequenceNumber": "4", "streamSid": "MZ1", "mark": {"name": name}}


def dtmf(digit: str) -> dict[str, Any]:
    return {
        "event": "dtmf",
        "sequenceNumber": "5",
        "streamSid": "MZ1",
        "dtmf": {"track": "inbound_track", "digit": digit},
    }


class Carrier:
    """The far end of a line, by hand."""

    def __init__(self, stream: MessageStream) -> None:
        self.stream = stream

    async def send(self, *messages: dict[str, Any] | str) -> None:
        for message in messages:
            await self.stream.send(message if isinstance(message, str) else json.dumps(message))

    async def send_all(self, messages: Sequence[dict[str, Any] | str]) -> None:
        await self.send(*messages)

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.stream.receive())
        return message

    async def told(self) -> list[str]:
        """Everything until the line is closed, in short."""
        told: list[str] = []
        while True:
            try:
                message = await self.receive()
            except anyio.EndOfStream:
                return told
            assert message["streamSid"] == "MZ1"
            match message["event"]:
                case "media":
                    told.append(base64.b64decode(message["media"]["payload"]).decode())
                case "mark":
                    told.append(f"mark {message['mark']['name']}")
                case event:
                    told.append(event)


@asynccontextmanager
async def a_pair() -> AsyncIterator[tuple[MessageStream, Carrier]]:
    near, far = memory_pair()
    try:
        yield near, Carrier(far)
    finally:
        await near.aclose()
        await far.aclose()


@asynccontextmanager
async def a_line(**limits: float) -> AsyncIterator[tuple[TwilioTransport, Carrier]]:
    async with a_pair() as (near, carrier):
        await carrier.send(CONNECTED, START)
        yield await TwilioTransport.answer(near, **limits), carrier


# ---------------------------------------------------------------------- the beginning


async def test_a_line_knows_its_call_once_the_carrier_has_started() -> None:
    async with a_line() as (line, _):
        transport: Transport = line
        assert transport.audio.sample_rate == 8000
        assert (line.call_id, line.parameters) == ("CA1", {"caller": "+4930123"})


async def test_nonsense_before_the_start_does_not_prevent_the_call() -> None:
    async with a_pair() as (near, carrier):
        await carrier.send("hello?", media(b"early"), CONNECTED, START)
        with capture_logs() as logs:
            assert (await TwilioTransport.answer(near)).call_id == "CA1"
        assert [line["event"] for line in logs] == ["carrier_nonsense"]


async def test_a_carrier_that_does_not_start_is_not_waited_for_for_ever() -> None:
    async with a_pair() as (near, carrier):
        await carrier.send(CONNECTED)
        began = anyio.current_time()
        with pytest.raises(RemoteProtocolError, match="no start message within 10 s"):
            await TwilioTransport.answer(near)
        assert anyio.current_time() - began == pytest.approx(10)


async def test_a_carrier_that_talks_nonsense_instead_of_starting_is_left() -> None:
    async with a_pair() as (near, carrier), anyio.create_task_group() as group:
        group.start_soon(carrier.send_all, ["?"] * MOST_NONSENSE)
        with pytest.raises(RemoteProtocolError, match=f"{MOST_NONSENSE} senseless messages"):
            await TwilioTransport.answer(near)


async def test_a_carrier_that_leaves_before_the_start_is_told_of() -> None:
    async with a_pair() as (near, carrier):
        await carrier.stream.aclose()
        with pytest.raises(RemoteProtocolError, match="hung up before its start"):
            await TwilioTransport.answer(near)


async def test_a_call_that_is_over_before_it_starts_is_told_of() -> None:
    async with a_pair() as (near, carrier):
        await carrier.send(STOP)
        with pytest.raises(RemoteProtocolError, match="over before its start"):
            await TwilioTransport.answer(near)


async def test_audio_that_this_line_does_not_carry_is_refused() -> None:
    linear = {**START["start"], "mediaFormat": {"encoding": "audio/l16", "sampleRate": 16000, "channels": 1}}
    async with a_pair() as (near, carrier):
        await carrier.send({**START, "start": linear})
        with pytest.raises(RemoteProtocolError, match="audio/l16"):
            await TwilioTransport.answer(near)


# ---------------------------------------------------------------------- towards the caller


async def test_audio_and_marks_reach_the_carrier_in_order_and_the_hang_up_after_them() -> None:
    async with a_line() as (line, carrier), anyio.create_task_group() as group:
        group.start_soon(line.run)
        line.send_audio(b"Good")
        line.send_mark("1")
        await anyio.wait_all_tasks_blocked()
        line.send_audio(b"bye")
        line.send_mark("2")
        line.hang_up()
        line.send_audio(b"too late")

        assert await carrier.told() == ["Good", "mark 1", "bye", "mark 2"]


async def test_a_clear_overtakes_what_is_queued_and_its_marks_are_never_sent() -> None:
    async with a_line() as (line, carrier), anyio.create_task_group() as group:
        for n in range(100):
            line.send_audio(b"old")
            line.send_mark(f"old {n}")
        line.clear()
        line.send_audio(b"new")
        line.send_mark("new")
        line.hang_up()
        group.start_soon(line.run)

        assert await carrier.told() == ["clear", "new", "mark new"]


async def test_a_clear_waits_for_no_more_than_the_message_that_is_being_sent() -> None:
    async with a_line() as (line, carrier), anyio.create_task_group() as group:
        group.start_soon(line.run)
        for n in range(1000):  # more than the stream takes while nobody reads
            line.send_audio(b"old %d" % n)
        await anyio.wait_all_tasks_blocked()
        under_way = 1000 - len(line._outbox)
        line.clear()
        line.hang_up()

        told = await carrier.told()
        assert told == [f"old {n}" for n in range(under_way)] + ["clear"]
        assert under_way < 100


async def test_sending_never_waits() -> None:
    async with a_line() as (line, _):
        began = anyio.current_time()
        for _ in range(10_000):
            line.send_audio(bytes(160))
        assert anyio.current_time() == began


async def test_a_carrier_that_takes_nothing_is_given_up() -> None:
    async with a_line(stall_s=3, silence_s=60) as (line, _), anyio.create_task_group() as group:
        group.start_soon(line.run)
        for _ in range(1000):
            line.send_audio(bytes(160))
        began = anyio.current_time()
        with capture_logs() as logs:
            assert await line.receive() == HungUp("stalled")
        assert anyio.current_time() - began == pytest.approx(3)
        assert [log["event"] for log in logs] == ["carrier_stalled"]


async def test_a_line_with_nothing_to_send_is_not_taken_for_a_stalled_one() -> None:
    async with a_line(stall_s=3, silence_s=20) as (line, _), anyio.create_task_group() as group:
        group.start_soon(line.run)
        line.send_audio(bytes(160))
        began = anyio.current_time()
        assert await line.receive() == HungUp("silent")
        assert anyio.current_time() - began == pytest.approx(20)


async def test_a_writer_that_is_cancelled_just_ends() -> None:
    async with a_line() as (line, _), anyio.create_task_group() as group:
        group.start_soon(line.run)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()


# ---------------------------------------------------------------------- from the caller


async def test_what_the_carrier_says_becomes_events() -> None:
    async with a_line() as (line, carrier):
        await carrier.send(media(b"a" * 160, timestamp="40"), dtmf("#"), mark("7"), STOP)

        assert [await line.receive() for _ in range(4)] == [
            CallerAudio(b"a" * 160, start=320),
            KeyPressed("#"),
            MarkReturned("7"),
            HungUp("caller"),
        ]
        assert await line.receive() == HungUp("caller")


async def test_without_a_timestamp_audio_follows_upon_audio() -> None:
    async with a_line() as (line, carrier):
        await carrier.send(media(b"a" * 160, timestamp="100"), media(b"b" * 80), media(b"c" * 160))
        events = [await line.receive() for _ in range(3)]
        assert [event.start for event in events if isinstance(event, CallerAudio)] == [800, 960, 1040]


async def test_a_gap_in_the_carriers_clock_is_a_gap_in_the_callers_audio() -> None:
    async with a_line() as (line, carrier):
        await carrier.send(media(bytes(160), timestamp="0"), media(bytes(160), timestamp="100"))
        events = [await line.receive() for _ in range(2)]
        assert [event.start for event in events if isinstance(event, CallerAudio)] == [0, 800]


async def test_our_own_voice_on_a_stream_of_both_is_not_the_callers() -> None:
    async with a_line() as (line, carrier):
        await carrier.send(media(b"echo", track="outbound"), dtmf("1"))
        assert await line.receive() == KeyPressed("1")


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "hello?",
        "[]",
        "{}",
        '{"event": "media"}',
        '{"event": "media", "streamSid": "MZ1", "media": {"payload": "*"}}',
        '{"event": "unheard of", "streamSid": "MZ1"}',
        json.dumps(media(b"x", timestamp="soon")),
        json.dumps(START),
        json.dumps({**media(b"x"), "streamSid": "MZ2"}),
    ],
)
async def test_nonsense_is_logged_and_the_call_goes_on(nonsense: str) -> None:
    async with a_line() as (line, carrier):
        with capture_logs() as logs:
            await carrier.send(nonsense, dtmf("1"))
            assert await line.receive() == KeyPressed("1")
        assert [(log["event"], log["call_id"], log["count"]) for log in logs] == [("carrier_nonsense", "CA1", 1)]


async def test_too_much_nonsense_ends_the_call_with_few_log_lines() -> None:
    async with a_line() as (line, carrier), anyio.create_task_group() as group:
        group.start_soon(carrier.send_all, ["?"] * MOST_NONSENSE)
        with capture_logs() as logs:
            assert await line.receive() == HungUp("nonsense")
        assert [log["count"] for log in logs] == [1, 2, 4, 8, 16, 32, 64, MOST_NONSENSE]


async def test_nonsense_now_and_then_does_not_add_up() -> None:
    async with a_line() as (line, carrier), anyio.create_task_group() as group:
        almost: list[dict[str, Any] | str] = [*["?"] * (MOST_NONSENSE - 1), dtmf("1")]
        group.start_soon(carrier.send_all, [*almost * 3, STOP])
        assert [await line.receive() for _ in range(4)] == [KeyPressed("1")] * 3 + [HungUp("caller")]


async def test_a_message_that_is_too_large_ends_the_call() -> None:
    async with a_line() as (line, carrier):
        await carrier.send(media(bytes(LARGEST_MESSAGE)))
        assert await line.receive() == HungUp("oversize")


async def test_a_line_that_is_cut_is_a_hang_up() -> None:
    async with a_line() as (line, carrier), anyio.create_task_group() as group:
        group.start_soon(line.run)
        await carrier.stream.aclose()
        assert await line.receive() == HungUp("disconnected")


async def test_audio_for_a_line_that_is_cut_is_a_hang_up_too() -> None:
    async with a_line() as (line, carrier), anyio.create_task_group() as group:
        await carrier.stream.aclose()
        line.send_audio(b"anybody?")
        group.start_soon(line.run)
        assert await line.receive() == HungUp("disconnected")


async def test_a_carrier_that_falls_silent_is_gone() -> None:
    async with a_line(silence_s=4) as (line, carrier), anyio.create_task_group() as group:
        group.start_soon(line.run)
        await carrier.send(media(bytes(160)))
        await line.receive()
        began = anyio.current_time()
        with capture_logs() as logs:
            assert await line.receive() == HungUp("silent")
        assert anyio.current_time() - began == pytest.approx(4)
        assert [log["event"] for log in logs] == ["carrier_silent"]


async def test_when_the_agent_hangs_up_whoever_listens_is_told_as_soon_as_the_line_begins_to_close() -> None:
    async with a_line() as (line, _), anyio.create_task_group() as group:
        close = line._stream.aclose

        async def aclose() -> None:
            await close()
            await anyio.sleep(1)

        line._stream.aclose = aclose  # type: ignore[method-assign]
        group.start_soon(line.run)
        line.hang_up()
        began = anyio.current_time()
        assert await line.receive() == HungUp("agent")
        assert anyio.current_time() == began
