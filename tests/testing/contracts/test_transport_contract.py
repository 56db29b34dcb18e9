"""The contract of transports: Twilio's line keeps it, and each way of breaking it is noticed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from anyio import EndOfStream, sleep

from agentvoice.events import LineEvent, MarkReturned
from agentvoice.interfaces import MessageStream
from agentvoice.server import twilio
from agentvoice.server.outbox import Audio, Clear, Item, Mark
from agentvoice.server.transport import TwilioTransport
from agentvoice.streams import memory_pair
from agentvoice.testing.contracts.transport import check_transport

pytestmark = pytest.mark.anyio

SID = "MZ1"


class FarTwilio:
    """Twilio's end of a stream."""

    def __init__(self, stream: MessageStream) -> None:
        self._stream = stream
        self._said = 0

    async def receive(self) -> Item | None:
        try:
            message = twilio.parse_to_carrier(await self._stream.receive())
        except EndOfStream:
            return None
        match message:
            case twilio.Media(media=media):
                return Audio(media.payload)
            case twilio.Mark(mark=mark):
                return Mark(mark.name)
            case twilio.Clear():
                return Clear()

    async def send(self, message: twilio.FromCarrier) -> None:
        await self._stream.send(twilio.render(message))

    async def say(self, audio: bytes) -> None:
        body = twilio.MediaBody(audio, "inbound", timestamp=str(self._said * 20))
        self._said += 1
        await self.send(twilio.Media(body, SID))

    async def give_back(self, mark: str) -> None:
        await self.send(twilio.Mark(twilio.MarkBody(mark), SID))

    async def press(self, key: str) -> None:
        await self.send(twilio.Dtmf(twilio.DtmfBody(key), SID))

    async def talk_nonsense(self) -> None:
        await self._stream.send('{"event": "dance"}')

    async def hang_up(self) -> None:
        await self.send(twilio.Stop(stream_sid=SID))


@asynccontextmanager
async def line(kind: type[TwilioTransport] = TwilioTransport) -> AsyncIterator[tuple[TwilioTransport, FarTwilio]]:
    near, stream = memory_pair()
    far = FarTwilio(stream)
    await far.send(twilio.Start(twilio.StartBody(stream_sid=SID), SID))
    yield await kind.answer(near), far
    await near.aclose()
    await stream.aclose()


class Shuffles(TwilioTransport):
    """a clear overtakes what is queued"""

    def clear(self) -> None:
        pass


class Hoards(TwilioTransport):
    """what was queued is sent before the line is closed"""

    def hang_up(self) -> None:
        super().clear()
        super().hang_up()


class Lingers(TwilioTransport):
    """a line that is hung up is over within a second"""

    async def run(self) -> None:
        await super().run()
        await sleep(3)


class Mislabels(TwilioTransport):
    """a mark comes back under its name"""

    async def receive(self) -> LineEvent:
        event = await super().receive()
        return MarkReturned("?") if isinstance(event, MarkReturned) else event


class Swallows(TwilioTransport):
    """audio arrives whole and in order"""

    def send_audio(self, audio: bytes) -> None:
        super().send_audio(audio[1:])


async def test_twilio_s_line_keeps_the_contract() -> None:
    await check_transport(line)


@pytest.mark.parametrize("kind", [Shuffles, Hoards, Lingers, Mislabels, Swallows])
async def test_whoever_breaks_a_rule_is_told_which(kind: type[TwilioTransport]) -> None:
    assert kind.__doc__
    with pytest.RaisesGroup(
        pytest.RaisesExc(AssertionError, match=kind.__doc__), allow_unwrapped=True, flatten_subgroups=True
    ):
        await check_transport(lambda: line(kind))
