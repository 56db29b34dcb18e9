"""A whole call from its far end, in memory and virtual time; what is done over real sockets is in `test_ringing.py`."""

import json
import wave
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from anyio import BrokenResourceError, EndOfStream, create_task_group, current_time, fail_after, sleep, sleep_forever

from agentvoice.audio import TELEPHONE
from agentvoice.server import twilio
from agentvoice.streams import MemoryStream, memory_pair
from agentvoice.testing.caller import Caller
from agentvoice.testing.carrier import Carrier
from agentvoice.testing.packets import REAL, SIMULATED, Packing
from agentvoice.testing.phone import PhoneCall
from agentvoice.testing.script import HangsUp, Pauses, Presses, Says, Step, WaitsForAgent, WaitsForHangUp
from agentvoice.testing.weather import FAIR, Weather

pytestmark = pytest.mark.anyio

LOUD = b"\x20\xa0" * 80
SPEECH = bytes(range(160)) * 10


class Agent:
    """The other end of the stream: notes what it receives, and when."""

    def __init__(self, stream: MemoryStream) -> None:
        self.stream = stream
        self.received: list[tuple[float, twilio.FromCarrier]] = []

    async def listen(self) -> None:
        with suppress(EndOfStream):
            while True:
                message = twilio.parse_from_carrier(await self.stream.receive())
                self.received.append((current_time(), message))

    async def say(self, audio: bytes) -> None:
        await self.stream.send(twilio.render_audio("MZ0001", audio))

    async def mark(self, name: str) -> None:
        await self.stream.send(twilio.render(twilio.Mark(twilio.MarkBody(name))))

    async def clear(self) -> None:
        await self.stream.send(twilio.render(twilio.Clear()))

    @property
    def media(self) -> list[tuple[float, twilio.MediaBody]]:
        return [(at, message.media) for at, message in self.received if isinstance(message, twilio.Media)]


async def nothing(_: Agent) -> None:
    await sleep_forever()


async def have_call(
    steps: Sequence[Step],
    act: Callable[[Agent], Coroutine[Any, Any, None]] = nothing,
    weather: Weather = FAIR,
    packing: Packing = REAL,
) -> tuple[PhoneCall, Agent]:
    """Have a call with an agent that acts like this."""
    near, far = memory_pair()
    call, agent = PhoneCall(Caller(steps), Carrier(weather=weather), packing=packing), Agent(far)
    with fail_after(600):
        async with create_task_group() as group:
            group.start_soon(agent.listen)
            group.start_soon(act, agent)
            await call.hold(near, parameters={"table": "5"})
            group.cancel_scope.cancel()
    await near.aclose()
    await far.aclose()
    return call, agent


async def test_a_call_begins_and_ends_as_a_carrier_s_does() -> None:
    _, agent = await have_call([Says("Hello.", SPEECH), Presses("5#"), HangsUp()])

    kinds = [type(message) for _, message in agent.received]
    assert kinds[:3] == [twilio.Connected, twilio.Start, twilio.Media]
    assert kinds[-1] is twilio.Stop
    start = agent.received[1][1]
    assert isinstance(start, twilio.Start)
    assert start.start.custom_parameters == {"table": "5"}
    assert start.start.media_format == twilio.MediaFormat("audio/x-mulaw", 8000, 1)
    assert [m.dtmf.digit for _, m in agent.received if isinstance(m, twilio.Dtmf)] == ["5", "#"]


async def test_frames_leave_every_20_ms_with_their_number_and_time() -> None:
    call, agent = await have_call([Says("Hello.", SPEECH), Pauses(0.1), HangsUp()])

    media = agent.media
    assert [body.payload for _, body in media[:10]] == [SPEECH[:160]] * 10
    assert [at - call.started_at for at, _ in media] == pytest.approx([n * 0.02 for n in range(len(media))], abs=1e-6)
    assert [body.chunk for _, body in media[:3]] == ["1", "2", "3"]
    assert [body.timestamp for _, body in media[:3]] == ["0", "20", "40"]
    assert call.late_s == pytest.approx(0, abs=1e-6)


async def test_what_the_agent_says_is_played_and_recorded_in_its_time_and_marks_go_back_when_it_was() -> None:
    async def act(agent: Agent) -> None:
        await sleep(0.5)
        await agent.say(LOUD * 25)
        await agent.mark("end")

    call, agent = await have_call([WaitsForAgent(silence_s=0.5), HangsUp()], act)

    left, right = call.recording
    assert len(left) == len(right) == TELEPHONE.size(call.seconds)
    (played,) = call.carrier.played
    assert played.start / 8000 == pytest.approx(0.5, abs=0.021)
    assert right[played.start : played.start + played.size] == LOUD * 25
    assert right.count(0xFF) == len(right) - played.size
    ((name, returned),) = call.marks
    assert name == "end"
    assert returned == pytest.approx(1.0, abs=0.03)
    (at,) = [at for at, message in agent.received if isinstance(message, twilio.Mark)]
    assert at - call.started_at == pytest.approx(returned, abs=1e-6)


async def test_a_far_end_that_sleeps_is_woken_by_what_the_agent_sends() -> None:
    async def act(agent: Agent) -> None:
        await sleep(2.5)
        await agent.say(LOUD * 25)
        await agent.mark("end")
        await sleep(2)
        await agent.mark("at once")

    call, agent = await have_call([Pauses(10), HangsUp()], act, packing=SIMULATED)

    assert call.marks == [("end", pytest.approx(3.0, abs=0.021)), ("at once", pytest.approx(4.5, abs=0.021))]
    assert len(agent.media) < 50
    assert sum(len(body.payload) for _, body in agent.media) == pytest.approx(80_000, abs=8000)


async def test_a_clear_silences_the_line_at_once() -> None:
    async def act(agent: Agent) -> None:
        await agent.say(LOUD * 100)
        await agent.mark("end")
        await sleep(0.5)
        await agent.clear()

    call, _ = await have_call([Pauses(2), HangsUp()], act)

    assert sum(stretch.size for stretch in call.carrier.played) / 8000 == pytest.approx(0.5, abs=0.021)
    assert call.clears == [pytest.approx(0.5, abs=0.001)]
    assert call.marks[0][1] == pytest.approx(0.5, abs=0.021)


async def test_the_agent_may_hang_up() -> None:
    async def act(agent: Agent) -> None:
        await sleep(3)
        await agent.stream.aclose()

    call, _ = await have_call([WaitsForHangUp()], act)

    assert call.hung_up_by == "agent"
    assert call.seconds == pytest.approx(3, abs=0.03)
    assert call.caller.complaints == []


async def test_an_agent_that_does_not_read_disturbs_nobody_s_pace() -> None:
    near, far = memory_pair(1)
    call = PhoneCall(Caller([Pauses(10), HangsUp()]))
    began = current_time()
    await call.hold(near)
    for stream in (near, far):
        await stream.aclose()

    assert call.seconds == pytest.approx(10, abs=0.05)
    assert call.unsent > 200
    assert current_time() - began == pytest.approx(11, abs=0.05)  # the last second is for the agent to take the rest


@pytest.mark.parametrize("late_s", [0, 0.02, 1])
async def test_an_agent_that_reads_late_reads_everything_in_order(late_s: float) -> None:
    near, far = memory_pair(1)
    call, agent = PhoneCall(Caller([Pauses(2), HangsUp()])), Agent(far)

    async def act() -> None:
        await sleep(late_s)
        for _ in range(20):
            agent.received.append((current_time(), twilio.parse_from_carrier(await far.receive())))
            await sleep(0.02)
        await agent.listen()

    async with create_task_group() as group:
        group.start_soon(act)
        await call.hold(near)
        await near.aclose()

    assert [media.chunk for _, media in agent.media] == [str(n + 1) for n in range(len(agent.media))]
    assert len(agent.media) >= 100
    assert call.unsent == 0


async def test_nonsense_is_counted_and_the_call_goes_on() -> None:
    async def act(agent: Agent) -> None:
        await agent.stream.send("{")
        await agent.say(LOUD)

    call, _ = await have_call([Pauses(1), HangsUp()], act)

    assert call.nonsense == 1
    assert call.carrier.played[0].size == 160


async def test_a_line_that_dies_goes_silent_both_ways_and_is_left_in_the_end() -> None:
    call, agent = await have_call([Pauses(500), HangsUp()], weather=Weather(dies_at_s=1.0))

    assert len(agent.media) == 50
    assert call.seconds == pytest.approx(61, abs=0.03)
    assert call.caller.complaints == ["the agent kept a dead line for 60 s"]


async def test_an_agent_that_is_gone_ends_the_call() -> None:
    async def act(agent: Agent) -> None:
        await sleep(1)
        await agent.stream.aclose()
        with pytest.raises(BrokenResourceError):
            await agent.say(LOUD)

    call, _ = await have_call([Says("Hello.", SPEECH * 50), HangsUp()], act)

    assert call.seconds == pytest.approx(1, abs=0.03)


async def test_the_account_tells_of_every_message_when_it_was_played(tmp_path: Path) -> None:
    async def act(agent: Agent) -> None:
        for _ in range(3):
            await agent.say(LOUD * 20)
        await sleep(0.7)
        await agent.clear()

    call, _ = await have_call([Says("Hello.", SPEECH), Pauses(2), HangsUp()], act)
    call.save(tmp_path)

    account = json.loads((tmp_path / "caller.json").read_text())
    played = [message["played"] for message in account["messages"]]
    assert played == [
        pytest.approx([0.02, 0.42], abs=0.021),
        pytest.approx([0.42, 0.72], abs=0.021),
        None,
    ]
    assert account["t0"] == call.started_at
    assert account["said"] == [{"text": "Hello.", "start_s": 0.0, "end_s": 0.2, "barged_in": False}]
    assert account["hung_up_by"] == "caller"
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert file.getparams()[:4] == (2, 2, 8000, TELEPHONE.size(call.seconds))
        both = file.readframes(file.getnframes())
    start = round(played[0][0] * 8000)
    assert both[4 * start + 2 : 4 * start + 4] != b"\0\0"  # the agent, right
    assert both[4 * 1599 : 4 * 1599 + 2] != both[4 * 1601 : 4 * 1601 + 2]  # the caller, left: until 0.2 s


async def test_on_a_line_that_loses_frames_every_frame_of_speech_goes_by_itself() -> None:
    spoken = SPEECH * 20
    _, agent = await have_call([Says("Hello.", spoken), HangsUp()], weather=Weather(loss=0.2), packing=SIMULATED)

    heard = [body.payload for _, body in agent.media if body.payload.strip(b"\xff")]
    assert {len(payload) for payload in heard} == {160}
    assert len(spoken) * 0.7 < sum(map(len, heard)) < len(spoken) * 0.9
