"""The conversation: who holds the floor, and what follows from everything that happens.

This is the whole of a call that decides anything. Events and `now` go in, commands come out, `deadline` says when to
wake it; it never waits, and touches no socket and no clock. `call.py` carries the commands out.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from . import interruption
from .audio import AudioFormat
from .commands import (
    BargeInDecided,
    CancelContext,
    ClearPlayout,
    Command,
    HangUp,
    SendAudio,
    StaleDropped,
    StartReply,
    StopReply,
    TurnChanged,
    TurnClosed,
    TurnOpened,
    TurnState,
    UtteranceEnded,
)
from .endpointing import Decision, Endpointer, Endpointing, UtteranceLikely, UtteranceResumed
from .events import (
    AudioReceived,
    BargeIn,
    ContextDone,
    ContextFailed,
    Event,
    HangUpRequested,
    HungUp,
    KeyPressed,
    MarkReturned,
    ReplyFailed,
    SayRequested,
    SpeechStarted,
    SpeechStopped,
    TextEnded,
    TextProduced,
    Transcript,
    WordsReceived,
)
from .history import History
from .interruption import InterruptionController, Policy, Ruling
from .playout import Playout
from .speaking import Speaking
from .turn import Step, Turn

RECOVER_S: Final = 1.5
"""How long after a cut to wait for words before the agent takes up what was cut."""


class Floor(StrEnum):
    """Who holds the floor."""

    OPEN = "open"
    """Nobody speaks."""
    CALLER = "caller"
    """The caller speaks, or has just fallen silent."""
    PENDING = "pending"
    """The caller has finished; the answer is not audible yet."""
    AGENT = "agent"
    """The agent is heard."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How the agent behaves in conversation: everything that may be tuned."""

    interruption: Policy = field(default_factory=Policy)
    endpointing: Endpointing = field(default_factory=Endpointing)
    speculate: bool = True
    """Begin to answer, unheard, as soon as the caller has probably finished."""
    lead_s: float = 0.2
    """How far ahead of its time audio is handed to the line."""


class Conversation:
    """One call's turns. Give every event to `receive`, and call `handle_timer` at `deadline`."""

    def __init__(
        self,
        call_id: str,
        audio: AudioFormat,
        *,
        instructions: str = "",
        manners: Manners = Manners(),
        has_marks: bool = True,
    ) -> None:
        self._call_id = call_id
        self._manners = manners
        self._endpointer = Endpointer(manners.endpointing)
        self._controller = InterruptionController(manners.interruption)
        self._playout = Playout(audio, lead_s=manners.lead_s, has_marks=has_marks)
        self.history = History(instructions)
        self.turn: Turn | None = None
        """The live turn, if there is one."""
        self._speaking: Speaking | None = None
        self._turns = self._contexts = 0
        self._says: deque[SayRequested] = deque()
        self._unanswered: deque[UtteranceEnded] = deque()
        self._unsaid = ""  # what the last cut left unheard, when it may have been mere noise
        self._recover_at = math.inf
        self._hang_up = False
        self.closed = False
        """Whether the call is over."""

    @property
    def floor(self) -> Floor:
        """Who holds the floor now."""
        if self.turn is not None and self.turn.audible:
            return Floor.AGENT
        if not self._endpointer.idle:
            return Floor.CALLER
        return Floor.PENDING if self.turn is not None else Floor.OPEN

    @property
    def holes(self) -> int:
        """How often the far end ran dry in the middle of a turn."""
        return self._playout.holes

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`, on the clock that `now` comes from."""
        speaking = self._speaking.deadline if self._speaking else math.inf
        playout = self._playout.deadline if self._speaking else math.inf
        return min(self._endpointer.deadline, self._controller.deadline, self._recover_at, speaking, playout)

    # ------------------------------------------------------------------ what happens

    def receive(self, event: Event, *, now: float) -> Sequence[Command]:
        """Take one event; return what to do about it, in order."""
        if self.closed:
            return []
        commands: Sequence[Command] = []
        match event:
            case SpeechStarted() | SpeechStopped() | Transcript():
                commands = self._heard_caller(self._endpointer.receive(event), now)
            case BargeIn(words=words):
                # Words of an utterance that is over are what the turn answers; a recogniser may be late with them.
                if not (words and self._endpointer.idle):
                    commands = self._rule(self._controller.receive(event, now=now), now)
            case TextProduced(turn_id) | TextEnded(turn_id) | ReplyFailed(turn_id):
                if self.turn and self.turn.id == turn_id:
                    commands = self._written(event, now)
            case AudioReceived(context_id) | WordsReceived(context_id) | ContextDone(context_id):
                commands = self._synthesised(event, now) if self._current(context_id) else self._stale(event)
            case ContextFailed(context_id):
                if self._current(context_id):
                    commands = self._context_failed(event, now)
            case MarkReturned(name):
                self._playout.mark_returned(name, now=now)
            case SayRequested():
                self._says.append(event)
            case HangUpRequested():
                self._hang_up = True
            case KeyPressed():
                pass  # hooks and sources see it; nothing is decided here
            case HungUp():
                return self._close(now)
        return [*commands, *self._proceed(now)]

    def handle_timer(self, *, now: float) -> Sequence[Command]:
        """Return what the passing of time has decided. Harmless when called early."""
        if self.closed:
            return []
        commands = [
            *self._heard_caller(self._endpointer.handle_timer(now=now), now),
            *self._rule(self._controller.handle_timer(now=now), now),
        ]
        if self._speaking:
            commands += self._speaking.handle_timer(now=now)
        return [*commands, *self._recover(now), *self._proceed(now)]

    def _proceed(self, now: float) -> Sequence[Command]:
        """Hand over what is due, and go on to the next turn when one is over."""
        commands = self._play(now)
        if self.turn is None and (self._says or self._unanswered or self._hang_up):
            commands += self._next(now)
        return commands

    # ------------------------------------------------------------------ the caller

    def _heard_caller(self, decisions: Sequence[Decision], now: float) -> list[Command]:
        commands: list[Command] = []
        for decision in decisions:
            match decision:
                case UtteranceLikely(text):
                    commands += self._speculate(text, now)
                case UtteranceResumed():
                    commands += self._withdraw_speculation(now)
                case UtteranceEnded():
                    commands += [decision, *self._utterance(decision, now)]
        return commands

    def _speculate(self, text: str, now: float) -> list[Command]:
        """Begin to answer behind a closed gate: nothing of it is heard or recorded until it is confirmed."""
        if not self._manners.speculate or self._busy:
            return []
        commands = self._withdraw_speculation(now)
        return [*commands, *self._answer(text, now, confirmed=False)]

    def _withdraw_speculation(self, now: float) -> list[Command]:
        return [] if self.turn is None or self.turn.confirmed else self._withdraw(now)

    def _withdraw(self, now: float) -> list[Command]:
        """The caller goes on: whatever the answer would have led to is off."""
        self._hang_up = False
        return self._end(Step.WITHDRAW, now)

    @property
    def _busy(self) -> bool:
        """Whether a turn is under way that an utterance cannot simply take over."""
        return self.turn is not None and self.turn.confirmed and self.turn.state is not TurnState.OPEN

    def _utterance(self, utterance: UtteranceEnded, now: float) -> list[Command]:
        """One utterance gets one answer: now, or once the turn that it did not interrupt is over."""
        turn = self.turn
        if turn is not None and (turn.audible or (self._busy and not turn.interruptible)):
            if not self._manners.interruption.is_backchannel(utterance.text):
                self._unanswered.append(utterance)
            return []
        self.history.add_utterance(utterance.text)
        commands: list[Command] = []
        if turn is not None and not turn.confirmed and turn.prompt == utterance.text:
            turn.confirmed = True
            self._controller.watch(interruptible=turn.interruptible)
            self._playout.resume()
        else:
            if self._busy or (turn is not None and not turn.confirmed):
                commands += self._withdraw(now)
            commands += self._answer(utterance.text, now)
        assert self.turn is not None  # noqa: S101 - for the type checker
        self.turn.stamp("caller_stopped", utterance.ended_at)
        self.turn.stamp("utterance_final", now)
        return commands

    # ------------------------------------------------------------------ turns begin

    def _open(self, now: float, *, prompt: str = "", turn_id: str = "", interruptible: bool = True) -> list[Command]:
        """Open a turn with a context of its own."""
        if not turn_id:
            self._turns += 1
            turn_id = f"t{self._turns}"
        self.turn = Turn(turn_id, self._name_context(), prompt=prompt, interruptible=interruptible)
        self.turn.stamp("opened", now)
        self._speaking = Speaking(self.turn, self._playout, self._name_context)
        self._playout.begin(self.turn.context_id)
        return [TurnOpened(turn_id, self.turn.context_id, prompt), *self._speaking.open()]

    def _name_context(self) -> str:
        self._contexts += 1
        return f"{self._call_id}-{self._contexts}"

    def _think(self, turn: Turn) -> TurnChanged:
        if turn.confirmed:  # what takes back a guess is endpointing; the words that it answers are no barge-in
            self._controller.watch(interruptible=turn.interruptible)
        self._recover_at = math.inf
        return TurnChanged(turn.id, turn.step(Step.THINK))

    def _answer(self, prompt: str, now: float, *, confirmed: bool = True) -> list[Command]:
        """Answer an utterance, in the turn that waits for it where there is one."""
        commands = self._open(now, prompt=prompt) if self.turn is None else []
        turn = self.turn
        assert turn is not None  # noqa: S101 - for the type checker
        turn.prompt, turn.confirmed = prompt, confirmed
        turn.history = self.history.messages(prompt="" if confirmed else prompt)
        if not confirmed:
            self._playout.hold()
        return [*commands, self._think(turn), StartReply(turn.id)]

    def _say(self, text: str, now: float) -> list[Command]:
        """Speak given text in the open turn."""
        assert self.turn is not None and self._speaking is not None  # noqa: S101, PT018 - for the type checker
        return [self._think(self.turn), *self._speaking.add(text, now=now), *self._speaking.finish(now=now)]

    def _next(self, now: float) -> list[Command]:
        """Nobody has the floor: say what waits to be said, answer what was not answered, or hang up."""
        if self._unanswered:
            utterances, self._unanswered = list(self._unanswered), deque()
            for utterance in utterances:
                self.history.add_utterance(utterance.text)
            commands = self._answer(" ".join(utterance.text for utterance in utterances), now)
        elif self._says:
            say = self._says.popleft()
            commands = self._open(now, turn_id=say.turn_id, interruptible=say.interruptible)
            commands += self._say(say.text, now)
        else:
            return [HangUp(), *self._close(now)]
        return [*commands, *self._play(now)]

    def _recover(self, now: float) -> list[Command]:
        """The agent was cut, and no words followed: do not stay silent for ever.

        What mere noise cut is taken up again; where somebody meant it, the floor is free.
        """
        if now < self._recover_at:
            return []
        if not self._endpointer.idle:
            self._recover_at = now + RECOVER_S  # the caller is at it: words may come yet
            return []
        self._recover_at = math.inf
        if self.turn is None:
            return []
        return self._say(self._unsaid, now) if self._unsaid else self._end(Step.WITHDRAW, now)

    # ------------------------------------------------------------------ text and speech

    def _written(self, event: TextProduced | TextEnded | ReplyFailed, now: float) -> list[Command]:
        assert self._speaking is not None  # noqa: S101 - for the type checker
        match event:
            case TextProduced(_, text):
                return [*self._speaking.add(text, now=now)]
            case TextEnded():
                return [*self._speaking.finish(now=now)]
            case ReplyFailed(_, reason):
                return self._end(Step.FAIL, now, reason=reason)

    def _current(self, context_id: str) -> bool:
        """The gate: whether this is about the one context that may be heard."""
        return self.turn is not None and self.turn.context_id == context_id

    def _stale(self, event: AudioReceived | WordsReceived | ContextDone) -> list[Command]:
        size = len(event.audio) if isinstance(event, AudioReceived) else 0
        return [StaleDropped(event.context_id, size)]

    def _synthesised(self, event: AudioReceived | WordsReceived | ContextDone, now: float) -> list[Command]:
        assert self.turn is not None and self._speaking is not None  # noqa: S101, PT018 - for the type checker
        match event:
            case AudioReceived(_, audio):
                self.turn.stamp("first_audio_received", now)
                self._speaking.audible()
                self._playout.feed(audio)
            case WordsReceived(_, words):
                self._playout.place(words)
            case ContextDone():
                return [*self._speaking.done(event)]
        return []

    def _context_failed(self, event: ContextFailed, now: float) -> list[Command]:
        assert self._speaking is not None  # noqa: S101 - for the type checker
        commands = self._speaking.failed(event)
        return self._end(Step.FAIL, now, reason=event.reason) if commands is None else [*commands]

    def _play(self, now: float) -> list[Command]:
        """Hand over what is due; notice the first frame, and the last one played."""
        turn = self.turn
        if turn is None:
            return []
        commands: list[Command] = [*self._playout.poll(now=now)]
        if turn.state is TurnState.THINKING and any(isinstance(command, SendAudio) for command in commands):
            turn.stamp("first_frame_out", now)
            commands.append(TurnChanged(turn.id, turn.step(Step.SPEAK)))
        if self._playout.finished(now=now):
            nothing = not self._playout.started
            commands += self._end(Step.WITHDRAW if nothing else Step.COMPLETE, now)
        return commands

    # ------------------------------------------------------------------ interruption

    def _rule(self, rulings: Sequence[Ruling], now: float) -> list[Command]:
        commands: list[Command] = []
        for ruling in rulings:
            turn = self.turn
            assert turn is not None  # noqa: S101 - the controller watches live turns only
            turn.stamp("barge_in", now)
            decided = BargeInDecided(turn.id, ruling.decision, ruling.source)
            match ruling.decision:
                case interruption.Decision.HOLD:
                    self._playout.hold()
                    commands += [decided, *self._move(turn, TurnState.SPEAKING, Step.HOLD)]
                case interruption.Decision.RESUME:
                    self._playout.resume()
                    commands += [decided, *self._move(turn, TurnState.HELD, Step.RESUME)]
                case interruption.Decision.CUT:
                    commands += [*self._cut(turn, now, resume=ruling.source == interruption.DEADLINE), decided]
        return commands

    def _move(self, turn: Turn, state: TurnState, step: Step) -> list[Command]:
        return [TurnChanged(turn.id, turn.step(step))] if turn.state is state else []

    def _cut(self, turn: Turn, now: float, *, resume: bool) -> list[Command]:
        """Silence first, then everything else; a fresh turn waits for what the caller has to say."""
        audible = self._playout.started
        closed = self._end(Step.INTERRUPT if audible else Step.WITHDRAW, now)
        heard = len(turn.heard.text) if turn.heard else 0
        self._unsaid = turn.spoken[heard:].lstrip() if resume else ""
        self._recover_at = now + RECOVER_S
        self._hang_up = False
        clear: list[Command] = [ClearPlayout()] if audible else []
        fresh = self._open(now)
        if self._endpointer.likely:
            fresh += self._speculate(self._endpointer.likely, now)
        return [*clear, *fresh, *closed]

    # ------------------------------------------------------------------ turns end

    def _end(self, step: Step, now: float, *, reason: str = "") -> list[Command]:
        """Close the gate, freeze the ledger, and let go of everything that the turn started."""
        turn = self.turn
        assert turn is not None  # noqa: S101 - for the type checker
        turn.heard = self._playout.heard(turn.spoken, now=now)
        self.turn = self._speaking = None
        self._controller.unwatch()
        if turn.heard is not None:
            turn.stamp("heard_until", turn.timeline["first_frame_out"] + turn.heard.seconds)
        if step is Step.INTERRUPT:
            turn.stamp("silenced", now)
        clear: list[Command] = [ClearPlayout()] if step is Step.FAIL and turn.audible else []
        turn.step(step)
        self.history.add_turn(turn.id, turn.heard)
        commands = [*clear, TurnChanged(turn.id, turn.state), StopReply(turn.id)]
        if step is not Step.COMPLETE:
            commands.append(CancelContext(turn.context_id))
        closed = TurnClosed(
            turn.id, turn.context_id, turn.state, turn.generated, turn.heard, dict(turn.timeline), reason
        )
        return [*commands, closed]

    def _close(self, now: float) -> list[Command]:
        """The call is over, for whatever reason."""
        self.closed = True
        if self.turn is None:
            return []
        return self._end(Step.INTERRUPT if self.turn.audible else Step.WITHDRAW, now)
