"""Edge: one client's conversation with the speech server, whatever carries it: a socket, or one HTTP request.

It carries out what its session decides, and hands out what is to be sent. Two tasks use it: one calls `receive`, the
other waits in `next`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Final, Protocol

from anyio import sleep
from anyio.lowlevel import checkpoint

from agentvoice.bell import Bell
from agentvoice.clock import current_time
from agentvoice.tts.wire import Chunk, Done, Failure, Generate

from .contexts import Job
from .convert import Spoken
from .decisions import Close, Decision, Overlook, Send, Stall, Stop, Synthesize
from .metrics import Metrics
from .outbox import Outbox
from .scheduler import Broke, Finished, Lane, Outcome, Scheduler, Stretch

_ROOM: Final = 1 << 19
"""Bytes of audio that a context may have waiting: some seconds of the finest format, a minute of a phone's."""
_IN_A_ROW: Final = 8
"""How many messages are handed out before everybody else has a turn: neither this nor a socket's send need wait."""
_LOOK_S: Final = 0.05
"""How often time is looked at while there is always something to send."""


class Session(Protocol):
    """What `SpeechSession` offers, and whatever stands in front of it (`faults.py`)."""

    @property
    def deadline(self) -> float: ...  # noqa: D102  # as in SpeechSession, like the rest

    def receive(self, message: str | bytes, *, now: float) -> list[Decision]: ...  # noqa: D102
    def request(self, request: Generate, *, now: float) -> list[Decision]: ...  # noqa: D102
    def spoken(self, job: Job, spoken: Spoken, *, step_ms: float) -> list[Decision]: ...  # noqa: D102
    def finished(self, job: Job) -> list[Decision]: ...  # noqa: D102
    def failed(self, job: Job, reason: str) -> list[Decision]: ...  # noqa: D102
    def sent(self, send: Send, *, now: float) -> list[Decision]: ...  # noqa: D102
    def handle_timer(self, *, now: float) -> list[Decision]: ...  # noqa: D102
    def close(self) -> list[Decision]: ...  # noqa: D102


class Exchange:
    """A session at work."""

    def __init__(self, session: Session, scheduler: Scheduler, metrics: Metrics) -> None:
        self._session = session
        self._scheduler = scheduler
        self._metrics = metrics
        self._outbox = Outbox(room=_ROOM)
        self._lanes: dict[int, Lane] = {}
        self._unheard: dict[int, float] = {}
        """When contexts that no audio was made for yet had their first text."""
        self._close: Close | None = None
        self._stall_s = 0.0
        self._in_a_row = 0
        self._changed = Bell()
        self._looked_at = -math.inf

    def receive(self, message: str | bytes) -> None:
        """Take a message from the client."""
        self._carry_out(self._session.receive(message, now=current_time()))

    def request(self, request: Generate) -> None:
        """Take a request that has been read already."""
        self._carry_out(self._session.request(request, now=current_time()))

    async def next(self) -> Send | Close:
        """Wait for what is to be sent next; call `sent` once it has been. After a `Close` comes nothing more."""
        while True:
            if self._stall_s:
                seconds, self._stall_s = self._stall_s, 0.0
                await sleep(seconds)
            self._in_a_row += 1
            if self._in_a_row % _IN_A_ROW == 0:
                await checkpoint()
            deadline = math.inf if self._outbox else self._look(current_time())
            if self._close is not None:
                return self._close
            if (send := self._outbox.take()) is not None:
                if send.key in self._lanes:
                    self._scheduler.resume(self._lanes[send.key])
                return send
            await self._changed.wait(until=deadline)

    def sent(self, send: Send) -> None:
        """Take note that a message has left for the client."""
        match send.reply:
            case Chunk(_, audio):
                self._metrics.chunks += 1
                self._metrics.audio_bytes += len(audio)
            case Done():
                self._metrics.ended["done"] += 1
            case Failure(_, status_code):
                self._metrics.refused[status_code] += 1
            case _:
                pass
        now = current_time()
        self._carry_out(self._session.sent(send, now=now))
        if now >= self._looked_at + _LOOK_S:
            self._look(now)

    def _look(self, now: float) -> float:
        """Let the session do what the passing of time has decided; return when it wants to be woken next."""
        self._looked_at = now
        if now >= self._session.deadline:
            self._carry_out(self._session.handle_timer(now=now))
        return self._session.deadline

    def close(self) -> None:
        """The client is gone: stop everything that was begun for it."""
        self._carry_out(self._session.close())

    def _deliver(self, outcome: Outcome) -> None:
        match outcome:
            case Stretch(job, spoken, step_ms):
                self._carry_out(self._session.spoken(job, spoken, step_ms=step_ms))
            case Finished(job):
                self._carry_out(self._session.finished(job))
            case Broke(job, reason):
                self._carry_out(self._session.failed(job, reason))

    def _carry_out(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            match decision:
                case Synthesize(job):
                    self._scheduler.submit(self._lane(job.key), job)
                case Send(key, reply):
                    self._outbox.put(decision)
                    if key in self._unheard and isinstance(reply, Chunk):
                        self._metrics.heard(current_time() - self._unheard.pop(key))
                case Stop(key, forget):
                    self._stop(key)
                    if forget:
                        self._outbox.drop(key)
                        self._metrics.ended["cut"] += 1
                case Close():
                    self._close = decision
                case Stall(seconds):
                    self._stall_s = seconds
                case Overlook(what):
                    self._metrics.overlooked[what] += 1
        self._changed.ring()  # even when nothing was decided: the deadline may have moved

    def _lane(self, key: int) -> Lane:
        if key not in self._lanes:
            self._metrics.contexts += 1
            self._unheard[key] = current_time()
            has_room = partial(self._outbox.has_room, key)
            self._lanes[key] = self._scheduler.lane(deliver=self._deliver, has_room=has_room)
        return self._lanes[key]

    def _stop(self, key: int) -> None:
        if key in self._lanes:
            self._metrics.contexts -= 1
            self._unheard.pop(key, None)
            self._scheduler.stop(self._lanes.pop(key))
