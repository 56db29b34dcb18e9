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

from agentvoice.commands import Command
from agentvoice.conversation import Conversation
from agentvoice.errors import UsageError
from agentvoice.events import Event
from agentvoice.manners import Manners
from agentvoice.markup import Markup
from agentvoice.voicing import Voicing

from .codec import Keep, Unknown, facts
from .log import Header, Step, Trace


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
            f"  recorded: {self.recorded or 'nothing more'}\n"
            f"  replayed: {self.replayed or 'nothing more'}"
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
        header.call_id, header.audio, manners=manners, voicing=voicing, has_marks=header.has_marks, markup=markup
    )


def replay(trace: Trace, core: Callable[[Header], Core] = conversation) -> Replay:
    """Give a fresh `core(header)` the trace's inputs, one by one, until a decision differs.

    Decisions are compared as the trace holds them: audio by its size, or all of it where it was kept; words as dots
    where they were not. An input of an unknown kind ends the replay with the difference that it cannot be given.
    """
    fresh = core(trace.header)
    decisions = 0
    for number, step in enumerate(trace.steps, start=1):
        if isinstance(step.event, Unknown):
            return Replay(number, decisions, _difference(trace.header, step, 0, None, None))
        replayed = fresh.handle_timer(now=step.now) if step.event is None else fresh.receive(step.event, now=step.now)
        for index, (then, now) in enumerate(zip_longest(step.commands, replayed)):
            if then is None or now is None or not _same(then, now, trace.header.keep):
                return Replay(number, decisions, _difference(trace.header, step, index + 1, then, now))
            decisions += 1
    return Replay(len(trace.steps), decisions, None)


def _same(recorded: Command | Unknown, replayed: Command, keep: Keep) -> bool:
    if type(recorded) is not type(replayed):
        return False
    return _comparable(recorded, keep) == _comparable(replayed, keep)


def _comparable(command: Command | Unknown, keep: Keep) -> Mapping[str, Any]:
    plain = facts(command, keep)  # type: ignore[arg-type]  # one of our own, as its twin is
    if isinstance(plain.get("audio"), dict):
        plain["audio"].pop("sha", None)  # the recorded audio was not kept
    return plain


def _difference(
    header: Header, step: Step, offset: int, recorded: Command | Unknown | None, replayed: Command | None
) -> Difference:
    t = round(step.now - header.started_at, 6)
    return Difference(step.line + offset, t, step.event, recorded, replayed)
