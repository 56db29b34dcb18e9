"""Edge: a telephone. Rings an agent as a carrier does, plays a simulated caller to it, and records both sides.

The recording is what the caller's end heard: the agent's audio passes through a carrier's buffer first.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import wave
from array import array
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

from anyio import BrokenResourceError, EndOfStream, create_task_group, current_time, sleep_until, to_thread
from websockets.exceptions import InvalidMessage, InvalidStatus, InvalidURI

from agentvoice.audio import TELEPHONE, mulaw_to_linear
from agentvoice.errors import RemoteProtocolError, UsageError
from agentvoice.interfaces import MessageStream
from agentvoice.logger import Logger
from agentvoice.server import twilio
from agentvoice.streams import connect_websocket

from .caller import Caller
from .carrier import FRAME_S, Carrier

log = Logger(__name__)

_START_ONE = "start an agent with: agentvoice serve MODULE:AGENT"
STREAM_SID = "MZ0001"
CALL_SID = "CA0001"


@dataclass(slots=True)
class PhoneCall:
    """One call, as its far end knows it. Times are seconds of the recording, positions samples of it."""

    caller: Caller
    carrier: Carrier = field(default_factory=Carrier)
    started_at: float = 0.0
    """The first sample's instant, on the clock of whoever rang (monotonic, so one for all processes of a machine)."""
    clears: list[float] = field(default_factory=list)
    """When the agent had the line cleared."""
    marks: list[tuple[str, float]] = field(default_factory=list)
    """Marks that went back, and when."""
    nonsense: int = 0
    """Messages of the agent that made no sense."""
    hung_up_by: str = "agent"
    _left: bytearray = field(default_factory=bytearray)
    _right: bytearray = field(default_factory=bytearray)

    async def hold(self, stream: MessageStream, *, parameters: Mapping[str, str] | None = None) -> None:
        """Have the call, from `connected` to its end, over an open media stream."""
        body = twilio.StartBody(
            stream_sid=STREAM_SID, call_sid=CALL_SID, account_sid="AC0", custom_parameters=dict(parameters or {})
        )
        try:
            await stream.send(twilio.render(twilio.Connected()))
            await stream.send(twilio.render(twilio.Start(body, stream_sid=STREAM_SID)))
            async with create_task_group() as group:
                group.start_soon(self._hear, stream, group.cancel_scope.cancel)
                await self._talk(stream)
                self.hung_up_by = "caller"
                await stream.send(twilio.render(twilio.Stop(stream_sid=STREAM_SID)))
                group.cancel_scope.cancel()
        except* BrokenResourceError:
            log.info("line_closed")

    async def _hear(self, stream: MessageStream, hang_up: Callable[[], None]) -> None:
        """Take what the agent sends, until it closes the stream."""
        while True:
            try:
                message = twilio.parse_to_carrier(await stream.receive())
            except EndOfStream:
                return hang_up()
            except RemoteProtocolError as error:
                self.nonsense += 1
                log.warning("agent_sent_nonsense", reason=str(error))
                continue
            match message:
                case twilio.Media():
                    self.carrier.receive_audio(message.media.payload)
                case twilio.Mark():
                    self.carrier.receive_mark(message.mark.name)
                case twilio.Clear():
                    self.clears.append(current_time() - self.started_at)
                    self.carrier.receive_clear()

    async def _talk(self, stream: MessageStream) -> None:
        """Play 20 ms and say 20 ms, on an absolute schedule, until the caller has hung up."""
        self.started_at = current_time()
        number = 0
        while not self.caller.done:
            agent, marks = self.carrier.tick()
            heard = self.caller.tick(agent)
            self._left += heard.audio
            self._right += agent
            number += 1
            body = twilio.MediaBody(heard.audio, "inbound", str(number), str(round((number - 1) * FRAME_S * 1000)))
            await stream.send(twilio.render(twilio.Media(body, STREAM_SID, str(number + 1))))
            for name in marks:
                self.marks.append((name, current_time() - self.started_at))
                await stream.send(twilio.render(twilio.Mark(twilio.MarkBody(name), STREAM_SID)))
            for key in heard.keys:
                await stream.send(twilio.render(twilio.Dtmf(twilio.DtmfBody(key, "inbound_track"), STREAM_SID)))
            await sleep_until(self.started_at + number * FRAME_S)

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return TELEPHONE.seconds(len(self._left))

    def save(self, folder: Path) -> None:
        """Write `call.wav` (caller left, agent right, 8 kHz, 16 bits) and `caller.json` into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        rate = TELEPHONE.sample_rate
        both = array("h", bytes(4 * len(self._left)))
        both[0::2] = array("h", mulaw_to_linear(bytes(self._left)))
        both[1::2] = array("h", mulaw_to_linear(bytes(self._right)))
        with wave.open(str(folder / "call.wav"), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(both.tobytes())
        truth = {
            "t0": self.started_at,
            "seconds": self.seconds,
            "hung_up_by": self.hung_up_by,
            "said": [asdict(line) for line in self.caller.lines],
            "complaints": self.caller.complaints,
            "played": [
                [stretch.start / rate, (stretch.start + stretch.size) / rate] for stretch in self.carrier.played
            ],
            "clears": self.clears,
            "marks": self.marks,
            "nonsense": self.nonsense,
        }
        (folder / "caller.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


async def ring(url: str, caller: Caller, *, number: str = "+15550100") -> PhoneCall:
    """Ring an agent at `url`: its voice webhook (http, https), or its media stream itself (ws, wss).

    Raises:
        UsageError: nobody answers there, or not as a carrier expects.
    """
    parameters: dict[str, str] = {}
    if urlsplit(url).scheme in {"http", "https"}:
        url, parameters = await to_thread.run_sync(_webhook, url, number)
    call = PhoneCall(caller)
    try:
        async with connect_websocket(url) as stream:
            await call.hold(stream, parameters=parameters)
    except InvalidStatus as error:
        raise UsageError(
            f"{url} answers {error.response.status_code}; an agent's media stream is /twilio/media"
        ) from error
    except (OSError, InvalidURI, InvalidMessage) as error:
        raise UsageError(f"nobody answers at {url} ({error}); {_START_ONE}") from error
    return call


def _webhook(url: str, number: str) -> tuple[str, dict[str, str]]:
    """Ask the webhook what to do with a call, as Twilio does; return the stream's URL and its parameters."""
    form = urlencode(
        {"CallSid": CALL_SID, "AccountSid": "AC0", "From": number, "To": "+15550199", "Direction": "inbound"}
    )
    try:
        with urllib.request.urlopen(url, form.encode(), timeout=10) as answer:  # noqa: S310 - http(s), as checked
            twiml = answer.read(65536)
    except urllib.error.HTTPError as error:
        raise UsageError(f"{url} answers {error.code} {error.reason}; an agent's webhook is /twilio/voice") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise UsageError(
            f"nobody answers at {url} ({reason}); start one with: agentvoice serve MODULE:AGENT"
        ) from error
    try:
        stream = ET.fromstring(twiml).find("Connect/Stream")  # noqa: S314 - expat of today is safe
    except ET.ParseError:
        stream = None
    if stream is None or not stream.get("url"):
        raise UsageError(f"{url} does not connect the call to a media stream; an agent's webhook is /twilio/voice")
    named = {item.get("name", ""): item.get("value", "") for item in stream.findall("Parameter")}
    return stream.get("url", ""), named
