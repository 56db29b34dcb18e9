"""One turn's way from text to speech: pieces of text onto its context, and a successor when the context is lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from .commands import CancelContext, Command, ContextSucceeded, FinishContext, OpenContext, ProtectedHeard, SpeakText
from .events import BargeIn, ContextFailed
from .markup import NO_MARKUP, Markup, Piece, resume
from .playout import Playout
from .protection import Protection
from .text import Pieces
from .turn import Turn
from .voicing import Voicing

PATIENCE_S: Final = 0.7
"""How long text that ends in mid-sentence waits for more of it before it is sent all the same."""

ATTEMPTS: Final = 3
"""How many contexts in a row may bring no sound before the turn is given up."""


class Speaking:
    """Send a turn's text on its context. Pure: call `handle_timer` at `deadline`."""

    def __init__(
        self,
        turn: Turn,
        playout: Playout,
        name_context: Callable[[], str],
        voicing: Voicing | None = None,
        markup: Markup = NO_MARKUP,
    ) -> None:
        self.turn = turn
        self._playout = playout
        self._name_context = name_context
        self._voicing = voicing
        self._pieces = Pieces(markup)
        self._sent: list[Piece] = []  # joined, they are what was spoken
        self._protection = Protection()
        self._protected = False
        self._alive = True  # the context takes text
        self._succeeded = False  # it follows another, and has had no text yet
        self._silent = 0  # contexts in a row that brought no sound
        self.complete = False
        """Whether all of the turn's text is known."""
        self._filler = ""
        self._filler_at = self._flush_at = math.inf

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`, on the clock that `now` comes from."""
        return min(self._flush_at, self._filler_at)

    def open(self) -> Sequence[Command]:
        """Begin the turn's first context."""
        return [self._open(self.turn.context_id)]

    def revoice(self, voicing: Voicing | None) -> Sequence[Command]:
        """Speak otherwise from here on. Only before there is any text."""
        self._voicing = voicing
        return [CancelContext(self.turn.context_id), *self._succeed(delivered=False)]

    def play(self, audio: bytes, text: str) -> None:
        """Play a sound instead of speaking. No context takes part in it."""
        self.turn.generated = self.turn.spoken = text
        self._sent.append(Piece(text))
        self.complete, self._alive = True, False
        self._playout.feed(audio)
        self._playout.end()

    def add(self, text: str, *, now: float, protected: bool = False) -> Sequence[Command]:
        """Take text as the agent produces it; send what can be spoken."""
        self.turn.stamp("first_token", now)
        self.turn.generated += text
        self._flush_at, self._filler_at = now + PATIENCE_S, math.inf
        self._protect(self._pieces.length, protected=protected)
        return self._send(self._pieces.feed(text), now)

    def excuse(self, filler: str, at: float) -> None:
        """Say `filler` at that time, unless there is text by then."""
        if filler and not self.turn.generated:
            self._filler, self._filler_at = filler, at

    def pause(self, *, now: float) -> Sequence[Command]:
        """Send what waits for the rest of its sentence: that will be some time in coming."""
        self._flush_at = math.inf
        return self._send(self._pieces.flush(), now)

    def finish(self, *, now: float) -> Sequence[Command]:
        """Take the end of the text."""
        self.complete, self._flush_at, self._filler_at = True, math.inf, math.inf
        commands = self._send(self._pieces.finish(), now)
        self._protect(len(self.turn.spoken), protected=False)
        if self.turn.spoken and self._alive:
            return [*commands, FinishContext(self.turn.context_id)]
        self._playout.end()
        return commands

    def handle_timer(self, *, now: float) -> Sequence[Command]:
        """Send what waits for the rest of its sentence, when that does not come. Harmless when called early."""
        if now >= self._filler_at:
            self._filler_at = math.inf
            self.turn.generated += self._filler
            return [*self._send(self._pieces.feed(self._filler), now), *self.pause(now=now)]
        return self.pause(now=now) if now >= self._flush_at else []

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

    def leftover(self) -> str:
        """Return the text that was never sent. Add no more."""
        return "".join(self._pieces.finish())

    # ------------------------------------------------------------------ what may not be interrupted

    def keeps(self, signal: BargeIn, *, now: float) -> bool:
        """Keep a signal that comes while a protected stretch is heard; return whether that was so."""
        if not self._protection.covers(self._playout.reached(self.turn.spoken, now=now)):
            return False
        self._protection.keep(signal)
        return True

    def release(self, *, now: float) -> tuple[Sequence[Command], Sequence[BargeIn]]:
        """Return which protected stretches have now been heard, and the signals that waited for it."""
        if not self._protection.pending:
            return [], []
        reached = self._playout.reached(self.turn.spoken, now=now)
        return self.protected_heard(reached), self._protection.release(reached)

    def protected_heard(self, reached: int) -> Sequence[Command]:
        """Return which protected stretches end within the first `reached` characters, each once."""
        turn, evidence = self.turn, self._playout.evidence
        stretches = self._protection.heard(reached)
        return [ProtectedHeard(turn.id, turn.spoken[start:end].strip(), evidence) for start, end in stretches]

    def _protect(self, at: int, *, protected: bool) -> None:
        """Begin or end a protected stretch at a character, unless that is so already."""
        if protected is not self._protected:
            self._protected = protected
            (self._protection.begin if protected else self._protection.end)(at)

    # ------------------------------------------------------------------ pieces and contexts

    def _open(self, context_id: str) -> OpenContext:
        return OpenContext(context_id, self.turn.id, self._voicing)

    def _send(self, pieces: Sequence[Piece], now: float) -> Sequence[Command]:
        commands: list[Command] = []
        for piece in pieces:
            if not self._alive:
                commands += self._succeed(delivered=True)
            self.turn.stamp("first_text_sent", now)
            begins = len(self.turn.spoken)
            self.turn.spoken += piece
            self._sent.append(piece)
            text = resume(self._sent, begins) if self._succeeded else piece.wire()
            self._succeeded = False
            commands.append(SpeakText(self.turn.context_id, text))
        return commands

    def _succeed(self, *, delivered: bool) -> Sequence[Command]:
        old, new = self.turn.context_id, self._name_context()
        offset = self._playout.succeed(new, self.turn.spoken, delivered=delivered)
        rest = self.turn.spoken[offset:].lstrip()
        self.turn.context_id, self._alive, self._succeeded = new, True, True
        commands: list[Command] = [ContextSucceeded(self.turn.id, old, new, offset), self._open(new)]
        if any(character.isalnum() for character in rest):
            commands.append(SpeakText(new, resume(self._sent, len(self.turn.spoken) - len(rest))))
            self._succeeded = False
        elif self.complete:
            self._playout.end()
        if self.complete:
            commands.append(FinishContext(new))
        return commands
