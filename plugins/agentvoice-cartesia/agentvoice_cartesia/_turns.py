"""Turns over `/stt/turns/websocket`: all audio goes out, and what comes back says how the turn stands.

The service counts time by the audio that it gets: a line that stops sending in the middle of a turn would leave it open
for ever. So silence is put in for what does not come.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from agentvoice.events import (
    CallerTurnEnded,
    CallerTurnEvent,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    Transcript,
)
from agentvoice.stt.messages import (
    Close,
    Heard,
    Strange,
    TurnEagerEnd,
    TurnEnd,
    TurnResume,
    TurnStart,
    TurnUpdate,
    parse_heard,
    render_turn_command,
)
from agentvoice.tts.failures import as_error
from agentvoice.tts.wire import Failure

from ._account import PROVIDER
from ._dictation import KEEP_ALIVE_S
from ._outbox import Outbox

STARVED_S: Final = 0.5
"""After how long without audio silence is put in for it, within a turn, and how much."""


class Turns:
    """One stream of turns. Pure: `feed` fills the `outbox`, `receive` takes what comes back."""

    farewell: Final = render_turn_command(Close())
    deadline: Final = math.inf
    """Nothing is decided by time."""

    def __init__(self, sample_rate: int, *, language: str) -> None:
        """`language` is what the model understands."""
        self.outbox = Outbox(sample_rate)
        self._language = language
        self._open = self._likely = False
        self._said = ""

    # ------------------------------------------------------------------ what we say

    def feed(self, pcm: bytes) -> None:
        """Take audio."""
        self.outbox.add(pcm)

    @property
    def idle_s(self) -> float:
        """After how long without anything sent to call `idle`."""
        return STARVED_S if self._open else KEEP_ALIVE_S

    def idle(self) -> None:
        """No audio has come for a while: what has to stand for it is silence."""
        self.outbox.silence(STARVED_S)

    def handle_timer(self, *, now: float) -> Sequence[CallerTurnEvent]:  # noqa: ARG002 - nothing is decided by time
        """Return nothing."""
        return []

    # ------------------------------------------------------------------ what they say

    def receive(self, message: str | bytes, *, now: float) -> Sequence[CallerTurnEvent]:  # noqa: ARG002 - as above
        """Take a message; return what is known of the turn by it.

        Raises:
            ProviderError: it says that it cannot go on.
        """
        reply = parse_heard(message)
        if isinstance(reply, Failure):
            raise as_error(PROVIDER, reply)
        return list(self._follow(reply))

    def _follow(self, reply: Heard | Strange) -> Iterator[CallerTurnEvent]:
        match reply:
            case TurnStart():
                yield from self._start("")
            case TurnUpdate(transcript):
                yield from self._update(transcript.strip())
            case TurnEagerEnd(transcript):
                yield from self._become_likely(transcript.strip())
            case TurnResume():
                yield from self._resume()
            case TurnEnd(transcript):
                yield from self._end(transcript.strip())
            case _:
                pass

    def _start(self, text: str) -> Iterator[CallerTurnEvent]:
        """Begin a turn, also one of whose beginning nothing was said."""
        if not self._open:
            self._open, self._likely, self._said = True, False, text
            yield CallerTurnStarted(text)

    def _update(self, text: str) -> Iterator[CallerTurnEvent]:
        if not text:
            return
        yield from self._start(text)
        if text != self._said:
            self._said = text
            yield Transcript(text, final=False, language=self._language)

    def _become_likely(self, text: str) -> Iterator[CallerTurnEvent]:
        yield from self._start(text)
        if self._likely and text == self._said:
            return
        yield from self._resume()
        self._likely, self._said = True, text
        yield CallerTurnLikely(text)

    def _resume(self) -> Iterator[CallerTurnEvent]:
        if self._likely:
            self._likely = False
            yield CallerTurnResumed()

    def _end(self, text: str) -> Iterator[CallerTurnEvent]:
        if text:
            yield from self._start(text)
        if self._open:
            self._open = self._likely = False
            yield CallerTurnEnded(text, language=self._language if text else "")
