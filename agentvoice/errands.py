"""Errands: which of the tools that a model asks for are run, and when, and what the model is told of them. Pure.

An errand is one request of a model for a tool.

    waiting ──► running ──► ended
       │           ├──► detached ──► ended     its turn is over, and it goes on
       │           └──► stopping ──► ended     its turn is over, and it shall be too
       ├──► following ──► ended                another errand is doing the very same
       └──► dropped                            its turn was withdrawn: it never runs

None runs before its turn is confirmed, unless it is pure. None runs twice: what a turn that was cut off had done, or
is still doing, is not done again for a turn that asks for the very same; it is given that result. And each one that
the history knows has exactly one result there, from the moment that its turn is over.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .commands import AnswerTool, Command, StartTool, StopTool
from .errors import LocalProtocolError
from .events import OnInterrupt, ToolEnded, ToolOutcome, ToolRequested
from .history import History
from .interfaces import ToolCall

RECENT_S: Final = 30.0
"""How long after the cut, or after its end if that is later, an errand still answers for one that asks the same."""

LEFT: Final = {
    OnInterrupt.CANCEL: "cancelled: the caller interrupted",
    OnInterrupt.FINISH: "the caller interrupted; it is being finished, and nothing more will be told",
    OnInterrupt.FINISH_AND_TELL: "not finished yet: the caller interrupted, but it goes on",
}
"""What the model is told of an errand that still runs when its turn is over."""
ALREADY: Final = " (from when it was asked before the interruption; not done again)"


class State(StrEnum):
    """Where an errand is."""

    WAITING = "waiting"
    RUNNING = "running"
    DETACHED = "detached"
    STOPPING = "stopping"
    FOLLOWING = "following"
    ENDED = "ended"
    DROPPED = "dropped"


TRANSITIONS: Final = {
    State.WAITING: {State.RUNNING, State.FOLLOWING, State.ENDED, State.DROPPED},
    State.RUNNING: {State.ENDED, State.DETACHED, State.STOPPING},
    State.DETACHED: {State.ENDED},
    State.STOPPING: {State.ENDED},
    State.FOLLOWING: {State.RUNNING, State.ENDED},
    State.ENDED: set[State](),
    State.DROPPED: set[State](),
}


@dataclass(slots=True, eq=False)
class Errand:
    """One request for a tool, and what became of it."""

    request: ToolRequested
    state: State = State.WAITING
    recorded: bool = False
    """Whether the history knows of it."""
    outcome: ToolOutcome | None = None
    result: str = ""
    ended_at: float = math.inf
    cut_at: float = math.inf
    """When its turn was cut off, before the caller can have heard what came of it."""
    followers: list[Errand] = field(default_factory=list)

    @property
    def id(self) -> str:
        """What its answer is labelled with."""
        return self.request.tool_call_id

    def step(self, state: State) -> None:
        """Move along an arrow.

        Raises:
            LocalProtocolError: there is no such arrow.
        """
        if state not in TRANSITIONS[self.state]:
            raise LocalProtocolError(f"errand {self.id} cannot become {state} while it is {self.state}")
        self.state = state

    def answers_for(self, other: Errand, now: float) -> bool:
        """Whether `other` asks for what this one has just done, or is doing still, for a turn that is over."""
        if self.request.pure or not _same(self.request, other.request):
            return False
        if self.state in {State.DETACHED, State.STOPPING}:
            return True
        return self.outcome is ToolOutcome.DONE and self.recent(now)

    def recent(self, now: float) -> bool:
        """Whether its turn was cut off just now, or it has ended since."""
        return self.cut_at < math.inf and now - max(self.cut_at, self.ended_at) <= RECENT_S


class Errands:
    """One call's errands. They enter the history once their turn is confirmed."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._errands: dict[str, Errand] = {}

    def request(self, request: ToolRequested, *, confirmed: bool, now: float) -> Sequence[Command]:
        """A live turn asks for a tool. One that asked already is not asked again."""
        if request.tool_call_id in self._errands:
            return []
        errand = self._errands[request.tool_call_id] = Errand(request)
        if confirmed:
            self._record(errand)
        return self._begin([errand], now) if confirmed or request.pure else []

    def confirm(self, turn_id: str, *, now: float) -> Sequence[Command]:
        """A speculative turn was right: what waited may run."""
        commands: list[Command] = []
        for errand in self._of(turn_id):
            self._record(errand)
            if errand.state is State.WAITING:
                commands += self._begin([errand], now)
        return commands

    def ended(self, event: ToolEnded, *, now: float) -> Sequence[Command]:
        """A tool runs no more, in time or not."""
        errand = self._errands.get(event.tool_call_id)
        if errand is None or errand.state not in {State.RUNNING, State.DETACHED, State.STOPPING}:
            return []
        before = errand.state
        followers = [follower for follower in errand.followers if follower.state is State.FOLLOWING]
        self._end(errand, event.outcome, event.result, now)
        if followers and event.outcome is ToolOutcome.CANCELLED:
            return self._begin(followers, now)
        shared = self._share(followers, errand, now)
        if before is State.RUNNING:
            return [*self._answer(errand), *shared]
        if not followers:
            self._tell_late(errand, before)
        return shared

    def break_off(self, turn_id: str, *, now: float) -> None:
        """A turn will say something else than what its tools have brought: for them it is as if it was cut."""
        for errand in self._of(turn_id):
            errand.cut_at = now

    def end_turn(self, turn_id: str, *, completed: bool, now: float) -> Sequence[Command]:
        """A turn is over; `completed` when the caller has heard all of it. Do with its errands as was declared."""
        commands: list[Command] = []
        for errand in self._of(turn_id):
            if not completed:
                errand.cut_at = now
            commands += self._leave(errand, now)
        self._forget(now)
        return commands

    # ------------------------------------------------------------------ one errand

    def _begin(self, errands: Sequence[Errand], now: float) -> Sequence[Command]:
        """Run the first of those that ask for the same, or have them share what is done already."""
        first, *others = errands
        twins = [each for each in self._errands.values() if each is not first and each.answers_for(first, now)]
        if not twins:
            first.followers = others
            return self._start(first)
        twin = twins[-1]
        if twin.state is State.ENDED:
            return self._share(errands, twin, now)
        if first.state is State.WAITING:
            first.step(State.FOLLOWING)
        twin.followers += errands
        return []

    def _share(self, errands: Sequence[Errand], twin: Errand, now: float) -> Sequence[Command]:
        """Answer with what came of another errand."""
        commands: list[Command] = []
        for errand in errands:
            self._end(errand, twin.outcome, twin.result.removesuffix(ALREADY) + ALREADY, now)
            commands += self._answer(errand)
        return commands

    def _start(self, errand: Errand) -> Sequence[Command]:
        errand.step(State.RUNNING)
        return [StartTool(errand.id, errand.request.name)]

    def _end(self, errand: Errand, outcome: ToolOutcome | None, result: str, now: float) -> None:
        errand.step(State.ENDED)
        errand.outcome, errand.result, errand.ended_at = outcome, result, now

    def _answer(self, errand: Errand) -> Sequence[Command]:
        self._history.add_result(errand.id, errand.result)
        return [AnswerTool(errand.id, errand.result)]

    def _leave(self, errand: Errand, now: float) -> Sequence[Command]:
        """Its turn is over."""
        request = errand.request
        match errand.state:
            case State.WAITING:
                errand.step(State.DROPPED)
            case State.RUNNING if request.on_interrupt is OnInterrupt.CANCEL:
                errand.step(State.STOPPING)
                self._history.add_result(errand.id, LEFT[request.on_interrupt])
                return [StopTool(errand.id)]
            case State.RUNNING:
                errand.step(State.DETACHED)
                self._history.add_result(errand.id, LEFT[request.on_interrupt])
            case State.FOLLOWING:
                self._end(errand, ToolOutcome.CANCELLED, LEFT[request.on_interrupt], now)
                self._history.add_result(errand.id, errand.result)
            case _:
                pass
        return []

    def _tell_late(self, errand: Errand, before: State) -> None:
        """Nobody waits for the result any more: let the model know it all the same, where it has to."""
        request = errand.request
        if before is State.STOPPING:
            tells = errand.outcome is ToolOutcome.DONE and not request.pure  # it was done before it could be cancelled
        else:
            tells = request.on_interrupt is OnInterrupt.FINISH_AND_TELL
        if tells and errand.recorded:
            how = "was done" if errand.outcome is ToolOutcome.DONE else "came to nothing"
            self._history.add_fact(f"Meanwhile {request.name}({request.arguments}) {how}: {errand.result}")

    def _record(self, errand: Errand) -> None:
        if errand.recorded:
            return
        request = errand.request
        call = ToolCall(request.tool_call_id, request.name, request.arguments)
        result = errand.result if errand.state is State.ENDED else None
        self._history.add_tool_use(request.turn_id, call, round=request.round, result=result)
        errand.recorded = True

    # ------------------------------------------------------------------ all of them

    def _of(self, turn_id: str) -> list[Errand]:
        return [errand for errand in self._errands.values() if errand.request.turn_id == turn_id]

    def _forget(self, now: float) -> None:
        """Let go of what can answer for nothing any more."""
        self._errands = {
            errand.id: errand
            for errand in self._errands.values()
            if errand.state not in {State.ENDED, State.DROPPED} or errand.recent(now)
        }


def _same(one: ToolRequested, other: ToolRequested) -> bool:
    return one.name == other.name and _arguments(one) == _arguments(other)


def _arguments(request: ToolRequested) -> object:
    """Return the arguments without how they happen to be written."""
    try:
        return json.loads(request.arguments)
    except ValueError:
        return request.arguments
