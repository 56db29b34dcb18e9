"""How Flux words it, and what becomes of it: the messages of `/v2/listen`, and the caller's turns.

Flux is given everything, and says of it, about four times a second of audio, how the turn stands: `StartOfTurn`,
`Update`, `EagerEndOfTurn`, `TurnResumed`, `EndOfTurn`, each with all the words of the turn so far. Its timers run on
audio, not on a clock: a line that falls silent by sending nothing would leave a turn open for ever, and the stream
would be closed. So silence is put in for what does not come, and taken out of the times again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from agentvoice.errors import ProviderUnavailable
from agentvoice.events import (
    CallerTurnEnded,
    CallerTurnEvent,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    Transcript,
)
from agentvoice.logger import Logger
from agentvoice.utterance import HeardWord

from ._outbox import Outbox
from ._settings import PROVIDER

log = Logger(__name__)

CHUNK_S: Final = 0.08
"""What Flux is best fed with."""
IDLE_S: Final = 0.5
"""After how long without audio silence is put in, and how much."""


class _Word(msgspec.Struct):
    word: str = ""
    confidence: float | None = None
    start: float | None = None
    end: float | None = None


class _Message(msgspec.Struct):
    type: str = ""
    event: Any = None
    turn_index: int | None = None
    transcript: str | None = None
    words: list[_Word] | None = None
    audio_window_start: float | None = None
    languages: list[str] | None = None
    code: Any = None
    description: Any = None


_decoder: Final = msgspec.json.Decoder(_Message)


class Flux:
    """One stream to Flux. Pure: `feed` fills the `outbox`, `receive` takes what comes back."""

    def __init__(self, sample_rate: int, *, language: str) -> None:
        """`language` is what the model understands, where it understands only one."""
        self.outbox = Outbox(sample_rate, chunk_s=CHUNK_S)
        self.idle_s = IDLE_S
        """After how long without audio to call `idle`."""
        self._language = language
        self._filled: list[tuple[float, float]] = []  # where silence was put in, on the stream's clock
        self._open = self._likely = False
        self._said = ""
        self._ended: int | None = None  # the index of the turn that ended last

    # ------------------------------------------------------------------ what we say

    def feed(self, pcm: bytes) -> None:
        """Take audio."""
        self.outbox.add(pcm)

    def idle(self) -> None:
        """No audio has come for a while: what has to stand for it is silence."""
        start = self.outbox.added_s
        self.outbox.silence(IDLE_S)
        if self._filled and self._filled[-1][1] == start:
            start = self._filled.pop()[0]
        self._filled.append((start, self.outbox.added_s))

    # ------------------------------------------------------------------ what they say

    def receive(self, message: str | bytes) -> Sequence[CallerTurnEvent]:
        """Take a message; return what is known of the turn by it.

        Raises:
            ProviderUnavailable: it says that it cannot go on.
        """
        try:
            read = _decoder.decode(message)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            log.debug("deepgram_unreadable", size=len(message))
            return []
        if read.type == "Error":
            raise ProviderUnavailable(PROVIDER, f"{read.code}: {read.description}")
        if read.type != "TurnInfo" or (read.turn_index is not None and read.turn_index == self._ended):
            return []
        return self._turn(read)

    def _turn(self, read: _Message) -> Sequence[CallerTurnEvent]:
        text = (read.transcript or "").strip()
        started = self._start(read, text)
        if not self._open:
            return []
        match read.event:
            case "EagerEndOfTurn":
                return [*started, *self._become_likely(text)]
            case "TurnResumed":
                return [*started, *self._resume(), *self._update(text)]
            case "EndOfTurn":
                return [*started, self._end(read, text)]
            case _:
                return [*started, *self._update(text)]

    def _start(self, read: _Message, text: str) -> Sequence[CallerTurnEvent]:
        """Begin a turn, also one of whose beginning Flux has said nothing: there are words, so there is a turn."""
        if self._open or not (text or read.event == "StartOfTurn"):
            return []
        self._open, self._said = True, text
        starts = [word.start for word in read.words or () if word.start is not None]
        at = starts[0] if starts else read.audio_window_start
        return [CallerTurnStarted(text, None if at is None else self._fed(at))]

    def _update(self, text: str) -> Sequence[CallerTurnEvent]:
        if not text or text == self._said:
            return []
        self._said = text
        return [Transcript(text, final=False, language=self._language)]

    def _become_likely(self, text: str) -> Sequence[CallerTurnEvent]:
        if self._likely and text == self._said:
            return []
        resumed = self._resume()
        self._likely, self._said = True, text
        return [*resumed, CallerTurnLikely(text)]

    def _resume(self) -> Sequence[CallerTurnEvent]:
        was, self._likely = self._likely, False
        return [CallerTurnResumed()] if was else []

    def _end(self, read: _Message, text: str) -> CallerTurnEvent:
        self._open = self._likely = False
        self._ended, self._said = read.turn_index, ""
        words = read.words or []
        return CallerTurnEnded(
            text,
            min((word.confidence for word in words if word.confidence is not None), default=None),
            tuple(
                HeardWord(word.word, self._fed(word.start), self._fed(word.end), word.confidence)
                for word in words
                if word.start is not None and word.end is not None
            ),
            (read.languages or [self._language])[0] if text else "",
        )

    def _fed(self, at: float) -> float:
        """Return a time on the stream's clock without the silence that was put in before."""
        return at - sum(min(at, end) - start for start, end in self._filled if start < at)
