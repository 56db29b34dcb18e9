"""Edge: a phone line over Twilio Media Streams, on any stream of messages.

One task writes (`run`), one reads (`receive`). Between them and the call stands the `Outbox`: nobody who has
something to send ever waits, and a `clear` overtakes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from anyio import (
    BrokenResourceError,
    CancelScope,
    ClosedResourceError,
    EndOfStream,
    create_task_group,
    move_on_after,
    sleep_until,
)

from agentvoice.audio import TELEPHONE
from agentvoice.bell import Bell
from agentvoice.clock import current_time
from agentvoice.errors import RemoteProtocolError
from agentvoice.events import CallerAudio, HungUp, KeyPressed, LineEvent, MarkReturned, Transfer
from agentvoice.interfaces import MessageStream

from . import twilio
from .outbox import Audio, Clear, Item, Mark, Outbox

log = structlog.get_logger(__name__)

LARGEST_MESSAGE: Final = 1 << 16
"""The most that one message may hold, in characters; a frame of 20 ms takes some 400."""
MOST_NONSENSE: Final = 100
"""So many senseless messages in a row end the call."""


def _nobody(transfer: Transfer) -> None:
    log.warning("transfer_lost", to=transfer.to, hint="the line was not answered by agentvoice's own server")


class TwilioTransport:
    """A `Transport` on a stream of Twilio's messages. Made by `answer`."""

    audio = TELEPHONE
    has_marks = True
    has_keys = True

    def __init__(self, stream: MessageStream, start: twilio.Start, *, stall_s: float, silence_s: float) -> None:
        """Take over `stream` after its start message; see `answer`."""
        expected = twilio.MediaFormat()
        if start.start.media_format != expected:
            raise RemoteProtocolError(f"the carrier's audio is {start.start.media_format}, and not {expected}")
        self.call_id = start.start.call_sid or start.stream_sid
        """The carrier's name for the call."""
        self.parameters: Mapping[str, str] = start.start.custom_parameters
        """What the TwiML gave the stream to carry."""
        self.on_transfer: Callable[[Transfer], None] = _nobody
        """Told to whom the caller is to be put through, when that is so."""
        self._stream = stream
        self._sid = start.stream_sid or start.start.stream_sid
        self._stall_s = stall_s
        self._silence_s = silence_s
        self._outbox = Outbox()
        self._wake = Bell()
        self._ended = ""  # why the line is over
        self._heard_at = current_time()
        self._sending_since = math.inf
        self._nonsense = 0
        self._expected = 0  # the sample at which the caller's next audio begins, if nothing is lost

    @classmethod
    async def answer(
        cls, stream: MessageStream, *, within_s: float = 10.0, stall_s: float = 5.0, silence_s: float = 10.0
    ) -> TwilioTransport:
        """Wait for the start message, and return the line that it opens.

        A carrier that does not take a message within `stall_s`, or sends nothing for `silence_s` (it sends audio
        all the time), is gone, whatever the socket says.

        Raises:
            RemoteProtocolError: it did not come, or asks for audio that this line does not carry.
        """
        nonsense = 0
        with move_on_after(within_s):
            while nonsense < MOST_NONSENSE:
                try:
                    message = twilio.parse_from_carrier(await stream.receive())
                except RemoteProtocolError as error:
                    nonsense += 1
                    log.warning("carrier_nonsense", reason=str(error), count=nonsense)
                except (EndOfStream, ClosedResourceError, BrokenResourceError) as error:
                    raise RemoteProtocolError("the carrier hung up before its start message") from error
                else:
                    match message:
                        case twilio.Start():
                            return cls(stream, message, stall_s=stall_s, silence_s=silence_s)
                        case twilio.Stop():
                            raise RemoteProtocolError("the call was over before its start message")
                        case _:
                            pass  # `connected` comes first, and audio of which nobody knows whose it is may
            raise RemoteProtocolError(f"{nonsense} senseless messages, and no start message among them")
        raise RemoteProtocolError(f"no start message within {within_s:g} s")

    # ------------------------------------------------------------------ towards the caller

    def send_audio(self, audio: bytes) -> None:
        """Queue audio; see `Transport.send_audio`."""
        self._put(Audio(audio))

    def send_mark(self, name: str) -> None:
        """Queue a mark; see `Transport.send_mark`."""
        self._put(Mark(name))

    def clear(self) -> None:
        """Drop what is queued, and have the carrier drop what it has not played."""
        self._put(Clear())

    def hang_up(self) -> None:
        """Close the line once what is queued has been sent. Twilio hangs up when its stream is closed."""
        self._outbox.close()
        self._wake.ring()

    def transfer(self, transfer: Transfer) -> None:
        """Close the line as `hang_up` does. Whoever watches `on_transfer` tells the carrier what comes next."""
        self.on_transfer(transfer)
        self.hang_up()

    async def run(self) -> None:
        """Send what is queued, until the line is over."""
        async with create_task_group() as group:
            group.start_soon(self._watch, group.cancel_scope)
            await self._write()
            group.cancel_scope.cancel()
        await self._stream.aclose()

    async def _write(self) -> None:
        while not self._ended:
            if (item := self._outbox.take()) is not None:
                await self._send(self._render(item))
            elif self._outbox.closed:
                self._end("agent")
            else:
                await self._wake.wait()

    async def _watch(self, writing: CancelScope) -> None:
        """End the line when the carrier is silent, or takes nothing, for too long.

        One task looks now and then, so that nothing need be set up around each message: there are fifty a second.
        """
        while not self._ended:
            now = current_time()
            silent_at, stalled_at = self._heard_at + self._silence_s, self._sending_since + self._stall_s
            if now >= stalled_at:
                log.warning("carrier_stalled", call_id=self.call_id, seconds=self._stall_s, queued=len(self._outbox))
                self._end("stalled")
            elif now >= silent_at:
                log.warning("carrier_silent", call_id=self.call_id, seconds=self._silence_s)
                self._end("silent")
            else:
                await sleep_until(min(silent_at, stalled_at, now + self._stall_s))
        writing.cancel()

    def _put(self, item: Item) -> None:
        self._outbox.put(item)
        self._wake.ring()

    async def _send(self, message: str) -> None:
        self._sending_since = current_time()
        try:
            await self._stream.send(message)
        except (BrokenResourceError, ClosedResourceError):
            self._end("disconnected")
        self._sending_since = math.inf

    def _render(self, item: Item) -> str:
        match item:
            case Audio(audio):
                return twilio.render_audio(self._sid, audio)
            case Mark(name):
                return twilio.render(twilio.Mark(twilio.MarkBody(name), stream_sid=self._sid))
            case Clear():
                return twilio.render(twilio.Clear(stream_sid=self._sid))

    # ------------------------------------------------------------------ from the caller

    async def receive(self) -> LineEvent:
        """Wait for what the carrier says next; see `Transport.receive`."""
        try:
            while not self._ended:  # fifty times a second: nothing is set up around each message
                message = await self._stream.receive()
                self._heard_at = current_time()
                if (event := self._understand(message)) is not None:
                    return event
        except (EndOfStream, ClosedResourceError, BrokenResourceError):
            self._end("disconnected")
        return HungUp(self._ended)

    def _understand(self, message: str | bytes) -> LineEvent | None:
        """Return what a message means for the call: nothing, if it makes no sense."""
        if len(message) > LARGEST_MESSAGE:
            log.warning("carrier_oversize", call_id=self.call_id, size=len(message), largest=LARGEST_MESSAGE)
            self._end("oversize")
            return None
        try:
            event = self._event(twilio.parse_from_carrier(message))
        except RemoteProtocolError as error:
            self._senseless(str(error))
            return None
        self._nonsense = 0
        return event

    def _event(self, message: twilio.FromCarrier) -> LineEvent | None:
        match message:
            case twilio.Connected() | twilio.Start():
                raise RemoteProtocolError(f"'{type(message).__name__.lower()}' in the middle of a call")
            case _ if message.stream_sid != self._sid:
                raise RemoteProtocolError(f"a message of the stream '{message.stream_sid}' on that of '{self._sid}'")
            case twilio.Media(media=media):
                return self._audio(media)
            case twilio.Mark(mark=mark):
                return MarkReturned(mark.name)
            case twilio.Dtmf(dtmf=dtmf):
                return KeyPressed(dtmf.digit)
            case twilio.Stop():
                self._end("caller")
                return None

    def _audio(self, media: twilio.MediaBody) -> CallerAudio | None:
        """Place the caller's audio by the carrier's clock; where it tells no time, after what came before."""
        if media.track == "outbound":
            return None  # our own voice, on a stream that was asked for both
        try:
            start = int(media.timestamp) * self.audio.sample_rate // 1000 if media.timestamp else self._expected
        except ValueError as error:
            raise RemoteProtocolError(f"a timestamp of '{media.timestamp}' milliseconds") from error
        self._expected = start + len(media.payload)
        return CallerAudio(media.payload, start)

    def _senseless(self, reason: str) -> None:
        self._nonsense += 1
        if self._nonsense & (self._nonsense - 1) == 0:  # the 1st, 2nd, 4th, 8th...: a flood shall not flood the log
            log.warning("carrier_nonsense", call_id=self.call_id, reason=reason, count=self._nonsense)
        if self._nonsense >= MOST_NONSENSE:
            log.warning("carrier_unintelligible", call_id=self.call_id, count=self._nonsense)
            self._end("nonsense")

    def _end(self, reason: str) -> None:
        """The line is over: have the writer close the stream, which wakes the reader."""
        self._ended = self._ended or reason
        self._wake.ring()
