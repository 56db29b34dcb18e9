"""A turn: one contribution of the agent, with what prompted it.

          open ──► thinking ──► speaking ──► completed
            │         │          ▲    │
            │         │          │    ▼
            │         │         held ─┤
            ▼         ▼               ▼
           withdrawn             interrupted          failed (from any live state)

*open*: the turn exists and has a context. *thinking*: the agent produces text. *speaking*: the first frame was
handed over. *held*: a tentative barge-in stopped playout, nothing is lost yet. *completed*: the last frame was
played, not merely sent. *interrupted*: cut after its first frame. *withdrawn*: never audible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from .commands import HeardText, TurnState
from .errors import LocalProtocolError
from .interfaces import Message
from .utterance import Utterance


class Step(StrEnum):
    """What can happen to a turn."""

    THINK = "think"
    SPEAK = "speak"
    HOLD = "hold"
    RESUME = "resume"
    COMPLETE = "complete"
    WITHDRAW = "withdraw"
    INTERRUPT = "interrupt"
    FAIL = "fail"


LIVE: Final = frozenset({TurnState.OPEN, TurnState.THINKING, TurnState.SPEAKING, TurnState.HELD})

TRANSITIONS: Final[Mapping[tuple[TurnState, Step], TurnState]] = {
    (TurnState.OPEN, Step.THINK): TurnState.THINKING,
    (TurnState.OPEN, Step.WITHDRAW): TurnState.WITHDRAWN,
    (TurnState.THINKING, Step.SPEAK): TurnState.SPEAKING,
    (TurnState.THINKING, Step.WITHDRAW): TurnState.WITHDRAWN,
    (TurnState.SPEAKING, Step.HOLD): TurnState.HELD,
    (TurnState.SPEAKING, Step.COMPLETE): TurnState.COMPLETED,
    (TurnState.SPEAKING, Step.INTERRUPT): TurnState.INTERRUPTED,
    (TurnState.HELD, Step.RESUME): TurnState.SPEAKING,
    (TurnState.HELD, Step.COMPLETE): TurnState.COMPLETED,  # the last frame was out already, and was played
    (TurnState.HELD, Step.INTERRUPT): TurnState.INTERRUPTED,
    **{(state, Step.FAIL): TurnState.FAILED for state in TurnState if state in LIVE},
}


class Turn:
    """One contribution of the agent. What an agent's `reply` is given."""

    def __init__(
        self, turn_id: str, context_id: str, *, prompt: str = "", interruptible: bool = True, confirmed: bool = True
    ) -> None:
        self.id = turn_id
        self.context_id = context_id
        """The context that speaks for it now. It may change; an old one never comes back."""
        self.prompt = prompt
        """The words that it answers; empty when the agent speaks of its own accord."""
        self.utterances: Sequence[Utterance] = ()
        """What it answers, with times and confidence. None while the turn is speculative: nobody knows yet."""
        self.interruptible = interruptible
        self.confirmed = confirmed
        """False while the turn is speculative: begun on a probable end of utterance, behind a closed gate."""
        self.state = TurnState.OPEN
        self.history: Sequence[Message] = ()
        """What the language model is shown, its `prompt` last."""
        self.generated = ""
        """The text produced so far."""
        self.spoken = ""
        """The text sent to be spoken so far: `generated`, cleaned, in whole pieces."""
        self.heard: HeardText | None = None
        """What was played of it, once the turn is over."""
        self.unheard = ""
        """The rest of its text, from the first word that was not played whole, once the turn is over."""
        self.timeline: dict[str, float] = {}
        """When each step happened first, in seconds on the call's clock; see `commands.TurnClosed`."""

    def __repr__(self) -> str:
        return f"<Turn {self.id} {self.state} context={self.context_id}>"

    @property
    def live(self) -> bool:
        """Whether anything can still happen to it."""
        return self.state in LIVE

    @property
    def audible(self) -> bool:
        """Whether a frame of it was handed over, and it is not over."""
        return self.state in {TurnState.SPEAKING, TurnState.HELD}

    def step(self, step: Step) -> TurnState:
        """Move along an arrow of the table, and return the new state.

        Raises:
            LocalProtocolError: there is no such arrow.
        """
        try:
            self.state = TRANSITIONS[self.state, step]
        except KeyError:
            raise LocalProtocolError(f"turn {self.id} cannot {step} while it is {self.state}") from None
        return self.state

    def stamp(self, name: str, at: float) -> None:
        """Record when a step of the timeline happened. Only the first time counts."""
        self.timeline.setdefault(name, at)
