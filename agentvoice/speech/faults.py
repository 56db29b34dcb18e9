"""A speech server that misbehaves on purpose, the same way each time, so that clients can be tested against it.

| fault                            | what happens                                                                  |
| -------------------------------- | ----------------------------------------------------------------------------- |
| `drop:bytes=20000`               | the socket breaks once that much audio has been sent on it                    |
| `stall:bytes=20000,seconds=30`   | nothing is sent for a while, once that much audio has been                    |
| `ignore-cancel`                  | a cancelled context is spoken to its end                                      |
| `talk-after-cancel:seconds=0.5`  | a cancelled context goes on for a while                                       |
| `late-done:seconds=0.5`          | a cancelled context says `done`, late                                         |
| `nameless-error`                 | a new context fails, in a message that does not say which                     |
| `429`                            | a new context is refused                                                      |
| `never-done`                     | a context that was spoken does not say `done`                                 |

Each takes `p=0.3`: how many of the sockets (`drop`, `stall`) or contexts it befalls, 1 when not said. `seed=7` chooses
which. No clock here: it stands in front of a `SpeechSession`, and decides as that does.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from agentvoice.errors import UsageError
from agentvoice.tts.wire import Cancel, Chunk, Done, Failure, Generate, RequestRejected, parse_request

from .contexts import Job
from .convert import Spoken
from .decisions import CUT, Close, Decision, Send, Stall
from .session import SpeechSession

_KNOWN: Final[Mapping[str, Mapping[str, float]]] = {
    "drop": {"bytes": 20_000},
    "stall": {"bytes": 20_000, "seconds": 30},
    "ignore-cancel": {},
    "talk-after-cancel": {"seconds": 0.5},
    "late-done": {"seconds": 0.5},
    "nameless-error": {},
    "429": {},
    "never-done": {},
}


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults, and whom they befall."""

    settings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The numbers of each fault, by its name."""
    seed: int = 0

    @classmethod
    def parse(cls, specifications: Iterable[str]) -> Faults:
        """Read faults as they stand in the table above.

        Raises:
            UsageError: there is no such fault, or it has no such number; the message says what there is.
        """
        settings: dict[str, dict[str, float]] = {}
        seed = 0
        for specification in specifications:
            name, _, numbers = specification.strip().partition(":")
            if name.startswith("seed="):
                seed = int(_number(specification, name.removeprefix("seed=")))
                continue
            if name not in _KNOWN:
                raise UsageError(f"there is no fault '{name}'; there is {', '.join(_KNOWN)}, and seed=NUMBER")
            settings[name] = {"p": 1.0} | dict(_KNOWN[name])
            for part in filter(None, numbers.split(",")):
                key, _, value = part.partition("=")
                if key.strip() not in settings[name]:
                    raise UsageError(f"the fault '{name}' has no '{key}'; it has {', '.join(settings[name])}")
                settings[name][key.strip()] = _number(specification, value)
            if not 0 <= settings[name]["p"] <= 1:
                raise UsageError(f"p in the fault '{specification}' is a share, from 0 to 1; try {name}:p=0.3")
        return cls(settings, seed)


def _number(specification: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError as error:
        raise UsageError(f"'{value}' in the fault '{specification}' is no number; try drop:bytes=20000") from error
    if not 0 <= number < math.inf:
        raise UsageError(f"'{value}' in the fault '{specification}' makes no sense; try drop:bytes=20000")
    return number


class FaultySession:
    """A session that does not do as it should. `name` tells sockets apart: each has its own luck."""

    def __init__(self, session: SpeechSession, faults: Faults, *, name: str) -> None:
        self._session = session
        self._faults = faults.settings
        self._luck = random.Random(f"{faults.seed}/{name}")
        self._drops_at = self._threshold("drop")
        self._stalls_at = self._threshold("stall")
        self._sent_bytes = 0
        self._now = 0.0
        self._seen: set[str] = set()
        self._refused: set[str] = set()
        self._later: list[tuple[float, int, str | bytes | Send]] = []
        """What happens at a time: a message that the session gets, or one that the client gets."""
        self._tickets = count()

    def _befalls(self, fault: str) -> bool:
        return fault in self._faults and self._luck.random() < self._faults[fault]["p"]

    def _threshold(self, fault: str) -> float:
        return self._faults[fault]["bytes"] if self._befalls(fault) else math.inf

    # -------------------------------------------------------------- what the client says

    def receive(self, message: str | bytes, *, now: float) -> list[Decision]:
        """As `SpeechSession.receive`."""
        self._now = now
        try:
            request = parse_request(message, default_id="")
        except RequestRejected:
            return self._session.receive(message, now=now)
        if isinstance(request, Cancel):
            return self._cancel(request, message, now)
        if (refusal := self._refuse(request)) is not None:
            return refusal
        return self._filtered(self._session.receive(message, now=now))

    def request(self, request: Generate, *, now: float) -> list[Decision]:
        """As `SpeechSession.request`."""
        self._now = now
        if (refusal := self._refuse(request)) is not None:
            return refusal
        return self._filtered(self._session.request(request, now=now))

    def _refuse(self, request: Generate) -> list[Decision] | None:
        context_id = request.context_id
        if context_id in self._refused:
            return []
        if context_id in self._seen:
            return None
        self._seen.add(context_id)
        failure = None
        if self._befalls("429"):
            failure = Failure(context_id, 429, "Too many contexts", "on purpose", "concurrency_limited")
        elif self._befalls("nameless-error"):
            failure = Failure(None, 500, "Something went wrong", "on purpose")
        if failure is None:
            return None
        self._refused.add(context_id)
        return [Send(0, failure)]

    def _cancel(self, request: Cancel, message: str | bytes, now: float) -> list[Decision]:
        if self._befalls("ignore-cancel"):
            return []
        if self._befalls("talk-after-cancel"):
            self._at(now + self._faults["talk-after-cancel"]["seconds"], message)
            return []
        if self._befalls("late-done"):
            self._at(now + self._faults["late-done"]["seconds"], Send(0, Done(request.context_id)))
        return self._session.receive(message, now=now)

    # -------------------------------------------------------------- what the server says

    def spoken(self, job: Job, spoken: Spoken, *, step_ms: float) -> list[Decision]:
        """As `SpeechSession.spoken`."""
        return self._filtered(self._session.spoken(job, spoken, step_ms=step_ms))

    def finished(self, job: Job) -> list[Decision]:
        """As `SpeechSession.finished`."""
        return self._filtered(self._session.finished(job))

    def failed(self, job: Job, reason: str) -> list[Decision]:
        """As `SpeechSession.failed`."""
        return self._session.failed(job, reason)

    def sent(self, send: Send, *, now: float) -> list[Decision]:
        """As `SpeechSession.sent`, and counts what breaks or stalls the socket."""
        self._now = now
        decisions = self._session.sent(send, now=now)
        if isinstance(send.reply, Chunk):
            self._sent_bytes += len(send.reply.audio)
        if self._sent_bytes >= self._drops_at:
            self._drops_at = math.inf
            decisions.append(Close(CUT, "dropped on purpose"))
        if self._sent_bytes >= self._stalls_at:
            self._stalls_at = math.inf
            decisions.append(Stall(self._faults["stall"]["seconds"]))
        return decisions

    def close(self) -> list[Decision]:
        """As `SpeechSession.close`."""
        return self._session.close()

    def _filtered(self, decisions: list[Decision]) -> list[Decision]:
        kept: list[Decision] = []
        for decision in decisions:
            if isinstance(decision, Send) and isinstance(decision.reply, Done) and self._befalls("never-done"):
                kept += self._session.sent(decision, now=self._now)  # or its slot would be taken for ever
            else:
                kept.append(decision)
        return kept

    # -------------------------------------------------------------- time

    @property
    def deadline(self) -> float:
        """As `SpeechSession.deadline`."""
        return min(self._session.deadline, self._later[0][0] if self._later else math.inf)

    def handle_timer(self, *, now: float) -> list[Decision]:
        """As `SpeechSession.handle_timer`."""
        self._now = now
        decisions: list[Decision] = []
        while self._later and self._later[0][0] <= now:
            *_, due = heapq.heappop(self._later)
            decisions += [due] if isinstance(due, Send) else self._session.receive(due, now=now)
        return decisions + self._filtered(self._session.handle_timer(now=now))

    def _at(self, when: float, what: str | bytes | Send) -> None:
        heapq.heappush(self._later, (when, next(self._tickets), what))
