"""One turn's way from text to speech: pieces of text onto its context, and a successor when the context is lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from .commands import Command, ContextSucceeded, FinishContext, OpenContext, SpeakText
from .events import ContextFailed
from .playout import Playout
from .text import Pieces
from .turn import Turn

PATIENCE_S: Final = 0.7
"""How long text that ends in mid-sentence waits for more of it before it is sent all the same."""

ATTEMPTS: Final = 3
"""How many contexts in a row may bring no sound before the turn is given up."""


class Speaking:
    """Send a turn's text on its context. Pure: call `handle_timer` at `deadline`."""

    def __init__(self, turn: Turn, playout: Playout, name_context: Callable[[], str]) -> None:
        self.turn = turn
        self._playout = playout
        self._name_context = name_context
        self._pieces = Pieces()
        self._alive = True  # the context takes text
        self._silent = 0  # contexts in a row that brought no sound
        self.complete = False
        """Whether all of the turn's text is known."""
        self.deadline = math.inf
        """When to call `handle_timer`, on the clock that `now` comes from."""

    def open(self) -> Sequence[Command]:
        """Begin the turn's first context."""
        return [OpenContext(self.turn.context_id, self.turn.id)]

    def add(self, text: str, *, now: float) -> Sequence[Command]:
        """Take text as the agent produces it; send what can be spoken."""
        self.turn.stamp("first_token", now)
        self.turn.generated += text
        self.deadline = now + PATIENCE_S
        return self._send(self._pieces.feed(text), now)

    def finish(self, *, now: float) -> Sequence[Command]:
        """Take the end of the text."""
        self.complete, self.deadline = True, math.inf
        commands = self._send(self._pieces.finish(), now)
        if self.turn.spoken and self._alive:
            return [*commands, FinishContext(self.turn.context_id)]
        self._playout.end()
        return commands

    def handle_timer(self, *, now: float) -> Sequence[Command]:
        """Send what waits for the rest of its sentence, when that does not come. Harmless when called early."""
        if now < self.deadline:
            return []
        self.deadline = math.inf
        return self._send(self._pieces.flush(), now)

    def audible(self) -> None:
        """The present context brings sound."""
        self._silent = 0

    def done(self) -> None:
        """The context has delivered all of its audio; early, when the provider did not wait for the rest."""
        self._alive = False
        if self.complete:
            self._playout.end()

    def failed(self, event: ContextFailed) -> Sequence[Command] | None:
        """Go on in a successor; `None` when that is of no use."""
        self._silent += 1
        if not event.retryable or self._silent >= ATTEMPTS:
            return None
        return self._succeed(delivered=False)

    def _send(self, pieces: Sequence[str], now: float) -> Sequence[Command]:
        commands: list[Command] = []
        for piece in pieces:
            if not self._alive:
                commands += self._succeed(delivered=True)
            self.turn.stamp("first_text_sent", now)
            self.turn.spoken += piece
            commands.append(SpeakText(self.turn.context_id, piece))
        return commands

    def _succeed(self, *, delivered: bool) -> Sequence[Command]:
        old, new = self.turn.context_id, self._name_context()
        offset = self._playout.succeed(new, self.turn.spoken, delivered=delivered)
        rest = self.turn.spoken[offset:].lstrip()
        self.turn.context_id, self._alive = new, True
        commands: list[Command] = [ContextSucceeded(self.turn.id, old, new, offset), OpenContext(new, self.turn.id)]
        if any(character.isalnum() for character in rest):
            commands.append(SpeakText(new, rest))
        elif self.complete:
            self._playout.end()
        if self.complete:
            commands.append(FinishContext(new))
        return commands
