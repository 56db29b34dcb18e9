"""The life of one context, seen from the client.

open ──finish──► finished          open: takes text      finished: owes us audio, then `done`
  │                 │              lingering: cancelled, but it may go on talking, and counts
  └──cancel─────────┴──► lingering ──► dead
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from agentvoice.markup import WordTimes

from .messages import Generate


class State(StrEnum):
    """Where a context is in its life."""

    OPEN = "open"
    FINISHED = "finished"
    LINGERING = "lingering"
    DEAD = "dead"


class Step(StrEnum):
    """What moves a context along."""

    FINISH = "finish"
    """No more text comes."""
    CANCEL = "cancel"
    """Nothing of it is wanted any more."""
    END = "end"
    """The provider says that it is over, its socket is gone, or it lingered long enough."""


TRANSITIONS: Final = {
    (State.OPEN, Step.FINISH): State.FINISHED,
    (State.OPEN, Step.CANCEL): State.LINGERING,
    (State.OPEN, Step.END): State.DEAD,
    (State.FINISHED, Step.CANCEL): State.LINGERING,
    (State.FINISHED, Step.END): State.DEAD,
    (State.LINGERING, Step.END): State.DEAD,
}
"""All arrows there are."""


@dataclass(slots=True)
class Context:
    """What is known about one context."""

    id: str
    template: Generate
    """What its requests have in common."""
    words: WordTimes
    state: State = State.OPEN
    socket: int | None = None
    """Where it has a place."""
    texts: deque[str] = field(default_factory=deque)
    """What waits to be sent."""
    unspoken: str = ""
    """Text without any sound so far; providers refuse it, so it goes with the next."""
    begun: bool = False
    """A request of it is on its way to the provider."""
    closed: bool = False
    """The provider knows that no more text comes."""
    owing: bool = False
    """Text went out, and nothing was said about the context since."""
    deadline: float = math.inf
    """For a place, for the next message, or for the end of lingering: whichever it waits for."""
    linger_most: float = math.inf
    """When it stops to count, however much it talks."""

    @property
    def live(self) -> bool:
        """Whether anybody wants to hear of it."""
        return self.state in {State.OPEN, State.FINISHED}

    @property
    def has_requests(self) -> bool:
        """Whether there is something to send."""
        return self.live and (bool(self.texts) or (self.state is State.FINISHED and self.begun and not self.closed))

    def move(self, step: Step) -> None:
        """Go along an arrow; `KeyError` when there is none."""
        self.state = TRANSITIONS[self.state, step]
