"""Edge: a telephone. Rings an agent as a carrier does, plays a simulated caller to it, and records both sides.

The recording is what the caller's end heard: the agent's audio passes through a carrier's buffer first.

Over a real line a frame leaves every 20 ms. In a simulation (`packing`) nobody wakes for frames that decide nothing:
the far end sleeps until something has to happen, and makes up for the frames between at once.
"""

from __future__ import annotations

import json
import wave
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from anyio import BrokenResourceError, CancelScope, EndOfStream, Event, create_task_group, to_thread
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from agentvoice.audio import TELEPHONE, mulaw_to_linear
from agentvoice.bell import Bell
from agentvoice.clock import current_time
from agentvoice.errors import RemoteProtocolError, UsageError
from agentvoice.interfaces import MessageStream
from agentvoice.logger import Logger
from agentvoice.server import twilio
from agentvoice.streams import connect_websocket

from .caller import FRAME, Caller
from .carrier import FRAME_S, Carrier, Piece
from .packets import REAL, Packer, Packing
from .webhook import START_ONE, ask_webhook

log = Logger(__name__)

STREAM_SID = "MZ0001"
CALL_SID = "CA0001"
_UNSENT = 250
"""Messages that may wait for a slow agent: five seconds of audio. More are dropped, as a carrier does."""
_LAST_SECOND = 1.0
"""How long the last messages may take."""
_EXACT = 1e-6
"""By how much of a frame two sums of the same times may differ."""
_DEAD_S = 60.0
"""For how long the agent may leave a dead line open."""


@dataclass(slots=True)
class PhoneCall:
    """One call, as its far end knows it. Times are seconds of the recording, positions samples of it."""

    caller: Caller
    carrier: Carrier = field(default_factory=Carrier)
    words_heard: Callable[[], int | None] = lambda: None
    """How many of the agent's words the caller has heard, where somebody knows."""
    packing: Packing = REAL
    started_at: float = 0.0
    """The first sample's instant, on the clock of whoever rang (monotonic, so one for all processes of a machine)."""
    clears: list[float] = field(default_factory=list)
    """When the agent had the line cleared."""
    marks: list[tuple[str, float]] = field(default_factory=list)
    """Marks that went back, and when."""
    nonsense: int = 0
    """Messages of the agent that made no sense."""
    unsent: int = 0
    """Messages that were dropped because the agent did not take them."""
    late_s: float = 0.0
    """The most by which a frame of this end's was late: if it is much, judge this machine and not the agent."""
    hung_up_by: str = "agent"
    """Or `caller`, or `network` when the connection was lost."""
    _packer: Packer = field(init=False)
    _send_nowait: Callable[[str], bool] = lambda _: False
    _outgoing: deque[str] = field(default_factory=deque)
    _more: Bell = field(default_factory=Bell)
    _over: bool = False
    _settled_until: int = 0
    """The frame that may decide something; none before it does, as far as it lies with this end."""
    _caller_settled_until: int = 0
    """The frame in which the caller may do something; until then it need not hear the agent."""
    _unheard: list[bytes] = field(default_factory=list)
    _sleeping_until: float = 0.0
    _nap: Bell = field(default_factory=Bell)
    _sent: Event = field(default_factory=Event)
    _left: list[bytes] = field(default_factory=list)
    _right: list[bytes] = field(default_factory=list)

    async def hold(self, stream: MessageStream, *, parameters: Mapping[str, str] | None = None) -> None:
        """Have the call, from `connected` to its end, over an open media stream."""
        body = twilio.StartBody(
            stream_sid=STREAM_SID, call_sid=CALL_SID, account_sid="AC0", custom_parameters=dict(parameters or {})
        )
        # What is lost is lost by the frame.
        self._packer = Packer(
            replace(self.packing, frames=1, spoken_frames=1) if self.carrier.weather.loss else self.packing
        )
        self._send_nowait = getattr(stream, "send_nowait", self._send_nowait)
        self.started_at = current_time()
        self._put(twilio.Connected())
        self._put(twilio.Start(body, stream_sid=STREAM_SID))
        async with create_task_group() as group:
            group.start_soon(self._hear, stream, group.cancel_scope)
            sending = CancelScope()
            group.start_soon(self._send, stream, sending)
            await self._talk()
            self.hung_up_by = "caller"
            self._put(twilio.Stop(stream_sid=STREAM_SID))
            self._over = True
            sending.deadline = current_time() + _LAST_SECOND
            await self._sent.wait()
            group.cancel_scope.cancel()

    async def _send(self, stream: MessageStream, scope: CancelScope) -> None:
        """Send what is to be sent. That the agent is gone is for `_hear` to find."""
        with scope, suppress(BrokenResourceError):
            while self._outgoing or not self._over:
                if self._outgoing:
                    await stream.send(self._outgoing[0])
                    self._outgoing.popleft()
                else:
                    await self._more.wait()
        self._sent.set()

    async def _hear(self, stream: MessageStream, call: CancelScope) -> None:
        """Take what the agent sends, until it closes the stream."""
        while True:
            try:
                message = twilio.parse_to_carrier(await stream.receive())
            except EndOfStream as end:
                self._catch_up(current_time())
                self._ended(end.__cause__)
                return call.cancel()
            except RemoteProtocolError as error:
                self.nonsense += 1
                log.warning("agent_sent_nonsense", reason=str(error))
                continue
            self._receive(message, current_time())

    def _receive(self, message: twilio.ToCarrier, now: float) -> None:
        if isinstance(message, twilio.Clear) or not self.carrier.outlasts(self._begun(now)):
            self._catch_up(now)
        match message:
            case twilio.Media():
                self.carrier.receive_audio(message.media.payload, frame=self._begun(now))
            case twilio.Mark():
                self.carrier.receive_mark(message.mark.name)
            case twilio.Clear():  # pragma: no branch
                self.clears.append(now - self.started_at)
                self.carrier.receive_clear()
        self._settled_until = min(self._settled_until, self.carrier.frames + self.carrier.settled)
        if self._begins(self._settled_until) < self._sleeping_until:
            self._nap.ring()

    def _ended(self, closed: BaseException | None) -> None:
        """Tell an agent that hangs up, or whose server stops, from one that is gone: it leaves no closing frame."""
        if self._unheard:
            self._answer()
        if isinstance(closed, ConnectionClosed) and closed.rcvd is None and not self.caller.done:
            self.hung_up_by = "network"
            self.caller.complaints.append(f"the connection was lost at {self.seconds:.2f} s: {closed}")

    async def _talk(self) -> None:
        """Play, and say, on an absolute schedule, until the caller has hung up."""
        self._catch_up(current_time())
        while not (self.caller.done or self._abandoned):
            self._sleeping_until = self._begins(self._settled_until)
            await self._nap.wait(until=self._sleeping_until)
            now = current_time()
            self.late_s = max(self.late_s, now - self._sleeping_until)
            self._catch_up(now)

    @property
    def _abandoned(self) -> bool:
        if self.carrier.frames * FRAME_S < self.carrier.weather.dies_at_s + _DEAD_S:
            return False
        self.caller.complaints.append(f"the agent kept a dead line for {_DEAD_S:g} s")
        return True

    def _begins(self, frame: int) -> float:
        return self.started_at + frame * FRAME_S

    def _begun(self, now: float) -> int:
        """Return how many frames have begun by now."""
        return int((now - self.started_at) / FRAME_S + 1 + _EXACT)

    def _catch_up(self, now: float) -> None:
        """Go through the frames that have begun by now."""
        begun = self._begun(now)
        while self.carrier.frames < begun and not self.caller.done:
            self._tick(min(begun, self._settled_until + 1) - self.carrier.frames)
            if self.carrier.frames > self._settled_until:
                self._settled_until = min(self.carrier.frames + self.carrier.settled, self._caller_settled_until)

    def _tick(self, frames: int) -> None:
        agent, marks = self.carrier.tick(frames)
        self._right.append(agent)
        self._unheard.append(agent)
        said, keys = self._answer() if self.carrier.frames > self._caller_settled_until else ([], "")
        for number, audio in self.carrier.convey(said, tick=self.carrier.frames - 1):
            body = twilio.MediaBody(audio, "inbound", str(number + 1), str(round(number * FRAME_S * 1000)))
            self._put(twilio.Media(body, STREAM_SID, str(number + 2)))
        for name in marks:
            self.marks.append((name, current_time() - self.started_at))
            self._put(twilio.Mark(twilio.MarkBody(name), STREAM_SID))
        for key in keys:
            self._put(twilio.Dtmf(twilio.DtmfBody(key, "inbound_track"), STREAM_SID))

    def _answer(self) -> tuple[Sequence[tuple[int, bytes]], str]:
        """Let the caller hear what was played; return what is said in the same frames, as messages, and the keys."""
        caller = self.caller.tick(b"".join(self._unheard), words=self.words_heard())
        self._unheard.clear()
        self._left.append(caller.audio)
        settled, last = caller.audio[:-FRAME], caller.audio[-FRAME:]
        said = [*self._packer.say(settled), *self._packer.say(last)] if settled else self._packer.say(last)
        self._caller_settled_until = self.carrier.frames + min(self.caller.settled, self._packer.room)
        return said, caller.keys

    def _put(self, message: twilio.FromCarrier) -> None:
        if len(self._outgoing) >= _UNSENT:
            self.unsent += 1
        elif not self._sent_at_once(text := twilio.render(message)):
            self._outgoing.append(text)
            self._more.ring()

    def _sent_at_once(self, message: str) -> bool:
        with suppress(BrokenResourceError):
            return not self._outgoing and self._send_nowait(message)
        return False

    # ------------------------------------------------------------------ afterwards

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return TELEPHONE.seconds(self.carrier.frames * FRAME)

    @property
    def recording(self) -> tuple[bytes, bytes]:
        """The caller's side and the agent's, mu-law, of the same length."""
        return b"".join(self._left), b"".join(self._right)

    def save(self, folder: Path) -> None:
        """Write `call.wav` (caller left, agent right, 8 kHz, 16 bits) and `caller.json` into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        left, right = self.recording
        both = array("h", bytes(4 * len(left)))
        both[0::2], both[1::2] = (array("h", mulaw_to_linear(side)) for side in (left, right))
        with wave.open(str(folder / "call.wav"), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(TELEPHONE.sample_rate)
            file.writeframes(both.tobytes())
        (folder / "caller.json").write_text(json.dumps(self._truth(), indent=1) + "\n", encoding="utf-8")

    def _truth(self) -> Mapping[str, object]:
        rate = TELEPHONE.sample_rate
        return {
            "t0": self.started_at,
            "seconds": self.seconds,
            "hung_up_by": self.hung_up_by,
            "said": [asdict(line) for line in self.caller.lines],
            "complaints": self.caller.complaints,
            "played": [
                [stretch.start / rate, (stretch.start + stretch.size) / rate] for stretch in self.carrier.played
            ],
            "messages": [self._message(piece) for piece in self.carrier.pieces],
            "clears": self.clears,
            "marks": self.marks,
            "nonsense": self.nonsense,
            "unsent": self.unsent,
            "late_s": self.late_s,
        }

    def _message(self, piece: Piece) -> Mapping[str, object]:
        """Tell of one message of audio when it came, how long it is, and from when to when it was played, if at all."""
        rate, heard = TELEPHONE.sample_rate, self.carrier.heard(piece)
        played = [sample / rate for sample in heard] if heard else None
        return {"arrived_s": piece.arrived / rate, "seconds": piece.size / rate, "played": played}


async def ring(url: str, caller: Caller, *, number: str = "+15550100", carrier: Carrier | None = None) -> PhoneCall:
    """Ring an agent at `url`: its voice webhook (http, https), or its media stream itself (ws, wss).

    A connection that is lost during the call ends it, with a complaint of the caller's: what was recorded is of use.

    Raises:
        UsageError: nobody answers there, or not as a carrier expects.
    """
    parameters: dict[str, str] = {}
    if _scheme(url) in {"http", "https"}:
        form = {"CallSid": CALL_SID, "AccountSid": "AC0", "From": number, "To": "+15550199", "Direction": "inbound"}
        url, parameters = await to_thread.run_sync(partial(ask_webhook, url, form), abandon_on_cancel=True)
    call = PhoneCall(caller, carrier or Carrier())
    try:
        async with connect_websocket(url) as stream:
            await call.hold(stream, parameters=parameters)
    except InvalidStatus as error:
        raise UsageError(
            f"{url} answers {error.response.status_code}; an agent's media stream is /twilio/media"
        ) from error
    except (OSError, InvalidURI, InvalidHandshake) as error:
        raise UsageError(f"nobody answers at {url} ({error}); {START_ONE}") from error
    return call


def _scheme(url: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname and parts.port != 0:
            return parts.scheme
    raise UsageError(f"'{url}' cannot be rung; it has to be like http://HOST/twilio/voice, or ws://HOST/twilio/media")
