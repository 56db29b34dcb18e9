"""Replay: give a fresh core what a recorded one was given, and find the first decision that differs.

The core decides; a trace holds all of its inputs with their exact times. So the same inputs must lead to the same
decisions, and a trace of a call that went wrong is a test of the core that mends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol

import msgspec

from agentvoice.commands import Command, HangUp, SendAudio
from agentvoice.conversation import Conversation
from agentvoice.errors import UsageError
from agentvoice.events import Event, HungUp
from agentvoice.manners import Manners
from agentvoice.markup import Markup
from agentvoice.voicing import Voicing

from .codec import Keep, Unknown, facts
from .log import Header, Step, Trace, read_trace


class Core(Protocol):
    """What can be replayed: `Conversation`, or anything of its shape."""

    def receive(self, event: Event, *, now: float) -> Sequence[Command]:
        """Take one event; return what to do about it."""

    def handle_timer(self, *, now: float) -> Sequence[Command]:
        """Return what the passing of time has decided."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first decision that differs."""

    line: int
    """The line of the trace at which it stands, or would stand."""
    t: float
    """Seconds since the call began."""
    event: Event | Unknown | None
    """The input it answers; `None` when the timer rang."""
    recorded: Command | Unknown | None
    """`None` where nothing more was decided then."""
    replayed: Command | None
    """`None` where nothing more is decided now."""

    def __str__(self) -> str:
        asked = type(self.event).__name__ if self.event is not None else "Timer"
        return (
            f"line {self.line}, at {self.t:.3f} s, on {asked}:\n"
            f"  recorded: {_told(self.recorded)}\n"
            f"  replayed: {_told(self.replayed)}"
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a replay."""

    steps: int
    """How many inputs were given, the last one included."""
    decisions: int
    """How many decisions were found to be the same."""
    difference: Difference | None
    """`None` when every decision was the same."""


def _told(command: Command | Unknown | None) -> str:
    """Return a command for people, with the size of its audio."""
    size = f", {len(command.audio)} bytes" if isinstance(command, SendAudio) else ""
    return "nothing more" if command is None else f"{command}{size}"


def conversation(header: Header) -> Core:
    """Return a fresh conversation like the one that a call's header describes.

    Raises:
        UsageError: the header's manners, or its markup, are not such as this version knows.
    """
    try:
        manners = msgspec.convert(header.settings.get("manners", {}), Manners, strict=False)  # "inf" is a number
        markup = msgspec.convert(header.settings.get("markup", {}), Markup)
        voicing = msgspec.convert(header.settings.get("voicing"), Voicing | None)
    except msgspec.ValidationError as error:
        raise UsageError(f"the trace's settings cannot be had with this version: {error}") from error
    return Conversation(
        header.call_id,
        header.audio,
        manners=manners,
        voicing=voicing,
        has_marks=header.has_marks,
        markup=markup,
        judged_pauses=header.settings.get("judged_pauses", False) is True,
    )


def replay(trace: Trace, core: Callable[[Header], Core] = conversation) -> Replay:
    """Give a fresh `core(header)` the trace's inputs, one by one, until a decision differs.

    Decisions are compared as the trace holds them: audio by its size, or all of it where it was kept; words as dots
    where they were not. An input of an unknown kind ends the replay with the difference that it cannot be given. Of a
    call that does not end in the trace, as after a crash, the last step's decisions may be missing.
    """
    fresh = core(trace.header)
    decisions = 0
    for number, step in enumerate(trace.steps, start=1):
        if isinstance(step.event, Unknown):
            return Replay(number, decisions, _difference(trace.header, step, 0, None, None))
        for index, (then, now) in enumerate(zip_longest(step.commands, _decide(fresh, step))):
            if then is None and number == len(trace.steps) and not _ends(step):
                break
            if then is None or now is None or not _same(then, now, trace.header.keep):
                return Replay(number, decisions, _difference(trace.header, step, index + 1, then, now))
            decisions += 1
    return Replay(len(trace.steps), decisions, None)


def retrace(lines: Sequence[str], core: Callable[[Header], Core] = conversation) -> Sequence[str]:
    """Return a trace's lines with the decisions that the core makes today; the inputs stay as they are.

    Raises:
        UsageError: it is no trace, or one of its inputs is of a kind that this version does not know.
    """
    trace = read_trace(lines)
    fresh, retraced = core(trace.header), [lines[0]]
    for step in trace.steps:
        if isinstance(step.event, Unknown):
            raise UsageError(f"line {step.line}: this version knows no {step.event.kind}; upgrade to replay it")
        retraced.append(lines[step.line - 1])
        for index, now in enumerate(_decide(fresh, step)):
            then = step.commands[index] if index < len(step.commands) else None
            known = then is not None and _same(then, now, trace.header.keep)
            retraced.append(lines[step.line + index] if known else _line(now, step.now, trace.header))
    return retraced


def _decide(core: Core, step: Step) -> Sequence[Command]:
    if step.event is None:
        return core.handle_timer(now=step.now)
    return core.receive(step.event, now=step.now)  # type: ignore[arg-type]  # known to be of a known kind


def _ends(step: Step) -> bool:
    """Whether the call is over with this step."""
    return isinstance(step.event, HungUp) or any(isinstance(command, HangUp) for command in step.commands)


def _line(command: Command, now: float, header: Header) -> str:
    head = {"t": round(now - header.started_at, 6), "out": type(command).__name__}
    return msgspec.json.encode({**head, **_comparable(command, header.keep)}).decode()


def _same(recorded: Command | Unknown, replayed: Command, keep: Keep) -> bool:
    if type(recorded) is not type(replayed):
        return False
    return _comparable(recorded, keep) == _comparable(replayed, keep)


def _comparable(command: Command | Unknown, keep: Keep) -> Mapping[str, Any]:
    plain = facts(command, keep)
    if isinstance(plain.get("audio"), dict):
        plain["audio"].pop("sha", None)  # the recorded audio was not kept
    return plain


def _difference(
    header: Header, step: Step, offset: int, recorded: Command | Unknown | None, replayed: Command | None
) -> Difference:
    t = round(step.now - header.started_at, 6)
    return Difference(step.line + offset, t, step.event, recorded, replayed)
