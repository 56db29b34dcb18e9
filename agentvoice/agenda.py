"""The agenda: what waits until the agent may have the floor."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

from .commands import UtteranceEnded
from .events import HangUpRequested, PlayRequested, SayRequested

Wish: TypeAlias = SayRequested | PlayRequested | HangUpRequested
"""What the agent wants to do of its own accord."""


class Agenda:
    """What was said and not answered, what is to be said, and at last the hang-up: in this order."""

    def __init__(self) -> None:
        self._unanswered: list[UtteranceEnded] = []
        self._says: deque[SayRequested | PlayRequested] = deque()
        self._hang_up: HangUpRequested | None = None

    def __bool__(self) -> bool:
        return bool(self._unanswered or self._says or self._hang_up)

    @property
    def unanswered(self) -> bool:
        """Whether something was said that nobody has answered."""
        return bool(self._unanswered)

    def add(self, item: Wish | UtteranceEnded) -> None:
        """Put something on the agenda."""
        match item:
            case UtteranceEnded():
                self._unanswered.append(item)
            case HangUpRequested():
                self._hang_up = item
            case _:
                self._says.append(item)

    def strike(self, turn_id: str) -> None:
        """Whoever wanted this turn does not want it any more."""
        self._says = deque(say for say in self._says if say.turn_id != turn_id)

    def stay(self) -> None:
        """The call is to go on after all."""
        self._hang_up = None

    def prompt(self, *more: str) -> str:
        """Return what there is to answer, and `more`."""
        return " ".join([*(utterance.text for utterance in self._unanswered), *more])

    def take_unanswered(self) -> Sequence[UtteranceEnded]:
        """Return what was said and not answered. It is about to be."""
        unanswered, self._unanswered = self._unanswered, []
        return unanswered

    def take_wish(self) -> Wish:
        """Return what the agent wants to do next.

        Raises:
            LookupError: nothing.
        """
        if self._says:
            return self._says.popleft()
        if self._hang_up is None:
            raise LookupError("the agent wants nothing")
        return self._hang_up
