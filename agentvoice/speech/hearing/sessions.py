"""What a recognition socket says of what is heard, decided and not done. Times are seconds of the client's audio."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from agentvoice.commands import UtteranceEnded
from agentvoice.endpointing import Decision, Endpointer, UtteranceLikely, UtteranceResumed
from agentvoice.events import SpeechStarted, SpeechStopped, Transcript
from agentvoice.stt.messages import (
    Close,
    CommandRejected,
    Configure,
    Connected,
    Done,
    Finalize,
    FlushDone,
    Heard,
    TurnEagerEnd,
    TurnEnd,
    TurnResume,
    TurnStart,
    TurnUpdate,
    Words,
    parse_command,
    parse_turn_command,
)
from agentvoice.tts.messages import RequestRejected
from agentvoice.voice_gate import Sensitivity

from .parameters import Listen, Turns
from .stability import Stability

_AHEAD = 2
"""Segments that may wait to be understood before the client's audio has to."""


class Session(Protocol):
    """What the edge tells, and what is to be said because of it."""

    @property
    def sensitivity(self) -> Sensitivity:
        """What counts as speech. It changes between turns alone."""

    @property
    def owed(self) -> int:
        """Final transcripts that are waited for."""

    @property
    def behind(self) -> bool:
        """Whether more audio has to wait until one of them has come."""

    def begin(self) -> Sequence[Heard]:
        """The socket is open."""

    def read(self, message: str) -> Finalize | Close | Configure:
        """Read what the client says.

        Raises:
            CommandRejected: it makes no sense.
        """

    def obey(self, command: Finalize | Configure) -> Sequence[Heard]:
        """Do it. Whoever spoke has been taken to have finished before a `Finalize`."""

    def started(self, at: float) -> Sequence[Heard]:
        """Somebody began to speak."""

    def stopped(self, at: float, *, began_at: float) -> Sequence[Heard]:
        """Somebody fell silent. The segment's first sample was at `began_at`; its final transcript is owed now."""

    def understood(self, transcript: Transcript, *, now: float) -> Sequence[Heard]:
        """Take a transcript of the segment that is owed longest, or of the one that grows."""

    def passed(self, now: float) -> Sequence[Heard]:
        """There is so much audio by now."""

    def finish(self) -> Sequence[Heard]:
        """Everything was understood, and nothing more comes."""


class Dictation:
    """`/stt/websocket`: a transcript of whatever is said; the client says where an utterance ends."""

    def __init__(self, listen: Listen) -> None:
        self.sensitivity = listen.sensitivity
        self._waiting: deque[tuple[float, float] | Finalize] = deque()  # segments, and what was asked amid them
        self._gap = ""  # what keeps the next words from the last ones

    @property
    def owed(self) -> int:
        """As `Session.owed`."""
        return sum(isinstance(each, tuple) for each in self._waiting)

    @property
    def behind(self) -> bool:
        """As `Session.behind`."""
        return self.owed >= _AHEAD

    def begin(self) -> Sequence[Heard]:
        """As `Session.begin`."""
        return []

    def read(self, message: str) -> Finalize | Close | Configure:
        """As `Session.read`."""
        return parse_command(message)

    def obey(self, command: Finalize | Configure) -> Sequence[Heard]:
        """As `Session.obey`."""
        assert isinstance(command, Finalize)  # noqa: S101 - `read` knows no other
        if not self._waiting:  # final words are what clients wait for, be it none
            return [Words("", is_final=True), FlushDone()]
        self._waiting.append(command)
        return []

    def started(self, at: float) -> Sequence[Heard]:  # noqa: ARG002 - of interest where there are turns
        """As `Session.started`."""
        return []

    def stopped(self, at: float, *, began_at: float) -> Sequence[Heard]:
        """As `Session.stopped`."""
        self._waiting.append((began_at, at))
        return []

    def understood(self, transcript: Transcript, *, now: float) -> Sequence[Heard]:  # noqa: ARG002 - as above
        """As `Session.understood`."""
        text = transcript.text.strip()
        if not transcript.final:
            return [Words(self._gap + text, is_final=False, language=transcript.language)] if text else []
        segment = self._waiting.popleft()
        assert isinstance(segment, tuple)  # noqa: S101 - what waits behind it was asked for later
        began_at, ended_at = segment
        words = tuple(replace(each, start=began_at + each.start, end=began_at + each.end) for each in transcript.words)
        said = Words(self._gap + text if text else "", True, ended_at - began_at, transcript.language, words)
        self._gap = " " if text else self._gap
        return [said, *self._flush()]

    def _flush(self) -> Iterator[Heard]:
        """Answer what was asked for, as far as all before it is understood."""
        while self._waiting and isinstance(self._waiting[0], Finalize):
            self._waiting.popleft()
            yield FlushDone()

    def passed(self, now: float) -> Sequence[Heard]:  # noqa: ARG002 - as above
        """As `Session.passed`."""
        return []

    def finish(self) -> Sequence[Heard]:
        """As `Session.finish`."""
        return [Done()]


class TurnTaking:
    """`/stt/turns/websocket`: turns, their words as they become certain, and their ends."""

    def __init__(self, turns: Turns) -> None:
        self._wanted = turns
        self._use(turns)
        self._open = self._eager_told = False
        self._eager_text = ""
        self._eager_at = math.inf
        self._stopped_at = 0.0
        self.owed = 0
        """As `Session.owed`."""
        self._now = 0.0

    def _use(self, turns: Turns) -> None:
        self._turns = turns
        self.sensitivity = turns.sensitivity
        self._endpointer = Endpointer(turns.endpointing)
        self._stable = Stability()

    @property
    def behind(self) -> bool:
        """As `Session.behind`: nothing is decided by a silence before it is known what was said."""
        patience_s = min(self._turns.eager_s, self._turns.endpointing.silence_s)
        return self.owed > 0 and self._now >= self._stopped_at + patience_s

    def begin(self) -> Sequence[Heard]:
        """As `Session.begin`."""
        return [Connected()]

    def read(self, message: str) -> Finalize | Close | Configure:
        """As `Session.read`."""
        command = parse_turn_command(message)
        if isinstance(command, Configure):
            try:
                self._wanted.changed(command)
            except RequestRejected as refused:
                raise CommandRejected(refused.failure.message) from refused
        return command

    def obey(self, command: Finalize | Configure) -> Sequence[Heard]:
        """As `Session.obey`: from the next turn on."""
        assert isinstance(command, Configure)  # noqa: S101 - `read` knows no other
        self._wanted = self._wanted.changed(command)
        self._settle()
        return []

    def _settle(self) -> None:
        if not self._open and not self.owed and self._wanted is not self._turns:
            self._use(self._wanted)

    def started(self, at: float) -> Sequence[Heard]:
        """As `Session.started`."""
        opened: list[Heard] = [] if self._open else [TurnStart()]
        self._open = True
        return [*opened, *self._decided(self._endpointer.receive(SpeechStarted(at), now=self._now))]

    def stopped(self, at: float, *, began_at: float) -> Sequence[Heard]:  # noqa: ARG002 - words have no times here
        """As `Session.stopped`."""
        self.owed += 1
        self._stopped_at = at
        return list(self._decided(self._endpointer.receive(SpeechStopped(at), now=self._now)))

    def understood(self, transcript: Transcript, *, now: float) -> Sequence[Heard]:
        """As `Session.understood`."""
        self._now = now
        self.owed -= transcript.final
        if not self._open:
            return []
        said = self._stable.receive(transcript)
        updates: list[Heard] = [TurnUpdate(said)] if said else []
        return [*updates, *self._decided(self._endpointer.receive(transcript, now=now)), *self.passed(now)]

    def passed(self, now: float) -> Sequence[Heard]:
        """As `Session.passed`."""
        self._now = now
        heard: list[Heard] = []
        ended = list(self._decided(self._endpointer.handle_timer(now=now)))
        if self._open and not ended and now >= self._eager_at:
            self._eager_at, self._eager_told = math.inf, True
            heard.append(TurnEagerEnd(self._eager_text))
        if self._open and self._endpointer.idle and not self.owed:
            ended = self._end("")  # it was no speech, after all
        self._settle()
        return [*heard, *ended]

    def _decided(self, decisions: Sequence[Decision]) -> Iterator[Heard]:
        for decision in decisions:
            match decision:
                case UtteranceLikely(text):
                    if self._eager_told:  # the words have changed
                        yield TurnResume()
                    self._eager_told = False
                    self._eager_text, self._eager_at = text, self._stopped_at + self._turns.eager_s
                case UtteranceResumed():
                    if self._eager_told:
                        yield TurnResume()
                    self._eager_told, self._eager_at = False, math.inf
                case UtteranceEnded(text):
                    yield from self._end(text)
                case _:  # pragma: no cover - asked of a model of turns, which there is none of
                    pass

    def _end(self, text: str) -> list[Heard]:
        self._open = self._eager_told = False
        self._eager_at = math.inf
        self._stable = Stability()
        return [TurnEnd(text)]

    def finish(self) -> Sequence[Heard]:
        """As `Session.finish`."""
        return self._end(self._endpointer.words) if self._open else []
