"""The conversation: who holds the floor, and what follows from everything that happens.

This is the whole of a call that decides anything. Events and `now` go in, commands come out, `deadline` says when to
wake it; it never waits, and touches no socket and no clock. `call.py` carries the commands out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

from . import interruption
from .agenda import Agenda
from .audio import AudioFormat
from .commands import (
    BargeInDecided,
    CancelContext,
    ClearPlayout,
    Command,
    HangUp,
    JudgePause,
    LimitNear,
    SendAudio,
    SilenceFell,
    Spent,
    StaleDropped,
    StartReply,
    StopReply,
    TurnChanged,
    TurnClosed,
    TurnConfirmed,
    TurnOpened,
    TurnState,
    UtteranceEnded,
)
from .echo import is_echo
from .endpointing import Decision, Endpointer, UtteranceLikely, UtteranceResumed
from .errands import Errands
from .events import (
    AgentEvent,
    AudioReceived,
    BargeIn,
    CallerTurnEnded,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    CallStarted,
    ClientMessage,
    ContextDone,
    ContextFailed,
    EndOfTurnJudged,
    Event,
    HandedOff,
    HangUpRequested,
    HungUp,
    KeyPressed,
    MarkReturned,
    PhonemesReceived,
    PlayRequested,
    ReplyFailed,
    ReplyMended,
    SayRequested,
    SpeechStarted,
    SpeechStopped,
    StopRequested,
    SupervisorCutIn,
    TextEnded,
    TextPaused,
    TextProduced,
    TokensUsed,
    ToolEnded,
    ToolRequested,
    Transcript,
    WordsReceived,
)
from .history import History
from .interruption import InterruptionController, Ruling
from .limit import CallLimit, Spending
from .manners import GOOD_MANNERS, Floor, Manners
from .markup import NO_MARKUP, Markup
from .playout import Playout
from .silence import Silence
from .speaking import Speaking
from .turn import Step, Turn
from .utterance import Utterance
from .voicing import Voicing

_Synthesised: TypeAlias = AudioReceived | WordsReceived | PhonemesReceived | ContextDone

ECHO_S: Final = 6.0
"""How long what the agent says takes to come back as an echo, and to be written down by a recogniser."""
ECHO_LATE_S: Final = 0.5
"""How long after the agent has fallen silent its echo may begin. Who says the same later is the caller."""
RECOVER_S: Final = 1.5
"""How long after a cut to wait for words before the agent takes up what was cut."""


class Conversation:
    """One call's turns. Give every event to `receive`, and call `handle_timer` at `deadline`."""

    def __init__(
        self,
        call_id: str,
        audio: AudioFormat,
        *,
        instructions: str = "",
        manners: Manners = GOOD_MANNERS,
        voicing: Voicing | None = None,
        has_marks: bool = True,
        markup: Markup = NO_MARKUP,
        judged_pauses: bool = False,
    ) -> None:
        """`judged_pauses`: there is a model of turns that can be asked about the caller's pauses."""
        self._call_id = call_id
        self._markup = markup
        self._manners = manners
        self._endpointer = Endpointer(manners.endpointing, judged=judged_pauses)
        self._controller = InterruptionController(manners.interruption)
        self._playout = Playout(audio, lead_s=manners.lead_s, has_marks=has_marks)
        self._silence = Silence(manners.silence_s)
        self._limit = CallLimit(manners.call_s, manners.warn_s)
        self._spending = Spending(manners.most_tokens, manners.most_characters)
        self.history = History(instructions)
        self._errands = Errands(self.history)
        self._voicing = voicing
        self._live: Speaking | None = None
        self._turns = self._contexts = 0
        self._agenda = Agenda()
        self._unsaid = ""  # what the last cut left unheard, when it may have been mere noise
        self._last_said = ("", -math.inf)  # the last words of the turn before, and when it ended
        self._recover_at = math.inf
        self.closed = False
        """Whether the call is over."""

    @property
    def turn(self) -> Turn | None:
        """The live turn, if there is one."""
        return self._live.turn if self._live else None

    @property
    def floor(self) -> Floor:
        """Who holds the floor now."""
        if self._live and self._live.turn.audible:
            return Floor.AGENT
        if not self._endpointer.idle:
            return Floor.CALLER
        return Floor.PENDING if self._live else Floor.OPEN

    @property
    def holes(self) -> int:
        """How often the far end ran dry in the middle of a turn."""
        return self._playout.holes

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`, on the clock that `now` comes from."""
        if self.closed:
            return math.inf
        caller = min(self._endpointer.deadline, self._silence.deadline, self._recover_at, self._limit.deadline)
        if self._live is None:
            return caller
        return min(caller, self._controller.deadline, self._live.deadline, self._playout.deadline)

    # ------------------------------------------------------------------ what happens

    def receive(self, event: Event, *, now: float) -> Sequence[Command]:
        """Take one event; return what to do about it, in order."""
        if self.closed:
            return []
        live, commands = self._live, list[Command]()
        match event:
            case (
                SpeechStarted()
                | SpeechStopped()
                | Transcript()
                | EndOfTurnJudged()
                | CallerTurnStarted()
                | CallerTurnLikely()
                | CallerTurnResumed()
                | CallerTurnEnded()
            ):
                commands = self._heard_caller(self._endpointer.receive(event, now=now), now)
            case BargeIn():
                commands = self._signalled(event, now)
            case TextProduced(turn_id) | TextPaused(turn_id) | TextEnded(turn_id) | ReplyFailed(turn_id):
                if live and live.turn.id == turn_id and not (live.complete and isinstance(event, TextProduced)):
                    commands = self._written(live, event, now)
            case (
                AudioReceived(context_id)
                | WordsReceived(context_id)
                | PhonemesReceived(context_id)
                | ContextDone(context_id)
            ):
                # The gate: nothing of any other context is heard, nor what nobody asked this one to say.
                current = live and live.turn.context_id == context_id and live.turn.spoken
                commands = self._synthesised(live, event, now) if live and current else self._stale(event)
            case ContextFailed(context_id):
                if live and live.turn.context_id == context_id:
                    commands = self._context_failed(live, event, now)
            case ToolRequested() | ToolEnded() | ReplyMended() | TokensUsed():
                commands = self._thought(event, now)
            case MarkReturned(name):
                self._playout.mark_returned(name, now=now)
            case SayRequested() | PlayRequested() | StopRequested() | HandedOff() | HangUpRequested():
                commands = self._asked(event, now)
            case CallStarted():
                self._limit.start(now)
            case KeyPressed() | ClientMessage() | SupervisorCutIn():
                pass  # hooks and sources see it; nothing is decided here
            case HungUp():  # pragma: no branch - the last there is
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
        if self._live:
            commands += self._live.handle_timer(now=now)
        commands += [*self._recover(now), *self._proceed(now)]
        if times := self._silence.handle_timer(now=now):
            commands.append(SilenceFell(times))
        match self._limit.handle_timer(now=now):
            case None:
                return commands
            case 0.0:
                return [*commands, *self._close(now), HangUp()]
            case left:
                return [*commands, LimitNear(left)]

    def _proceed(self, now: float) -> Sequence[Command]:
        """Hand over what is due, and go on to the next turn when one is over."""
        commands = self._play(now)
        waiting = self._live if self._live and self._live.turn.state is TurnState.OPEN else None
        if waiting and self._agenda and self._endpointer.idle:  # for a caller who says nothing, while the agent would
            commands += self._end(waiting, Step.WITHDRAW, now)
        if self._live is None and self._agenda:
            commands += self._next(now)
        quiet = self._live is None and self._endpointer.idle and not self.closed  # the floor is open
        self._silence.observe(quiet=quiet, now=now)
        return commands

    # ------------------------------------------------------------------ the agent

    def _asked(self, wish: AgentEvent, now: float) -> list[Command]:
        match wish:
            case SayRequested() | PlayRequested() | HangUpRequested():
                self._agenda.add(wish)
            case StopRequested(turn_id):
                return self._stop(turn_id, now)
            case HandedOff():  # pragma: no branch - the last there is
                return self._hand_off(wish, now)
        return []

    def _thought(self, event: ToolRequested | ToolEnded | ReplyMended | TokensUsed, now: float) -> list[Command]:
        """Take what a model asks for, and costs. What a turn asks for that is over is not run."""
        if isinstance(event, TokensUsed):
            return self._spend("tokens", event.read + event.written)
        if isinstance(event, ReplyMended):
            self._errands.break_off(event.turn_id, now=now)
            return []
        if isinstance(event, ToolEnded):
            return [*self._errands.ended(event, now=now)]
        turn = self.turn
        if turn is None or turn.id != event.turn_id:
            return []
        return [*self._errands.request(event, confirmed=turn.confirmed, now=now)]

    def _stop(self, turn_id: str, now: float) -> list[Command]:
        """Whoever asked for a turn has enough of it, whether it has begun or not."""
        live = self._live
        self._agenda.strike(turn_id)
        if live is None or live.turn.id != turn_id:
            return []
        clear: list[Command] = [ClearPlayout()] if live.turn.audible else []
        step = Step.INTERRUPT if live.turn.audible else Step.WITHDRAW
        return [*clear, *self._end(live, step, now, reason="stopped")]

    def _hand_off(self, to: HandedOff, now: float) -> list[Command]:
        """Another agent takes over, with its own voice. What was said stays; a mere guess at an answer does not."""
        self.history.instructions, self._voicing = to.instructions, to.voicing
        commands = self._withdraw_speculation(now)
        if self._live and self._live.turn.state is TurnState.OPEN:
            commands += self._live.revoice(to.voicing)
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
                case JudgePause():
                    commands.append(decision)
                case UtteranceEnded():  # pragma: no branch - the last there is
                    commands += [decision, *self._utterance(decision, now)]
        return commands

    def _speculate(self, text: str, now: float) -> list[Command]:
        """Begin to answer behind a closed gate: nothing of it is heard or recorded until it is confirmed."""
        if not self._manners.speculate or self._busy:
            return []
        commands = self._withdraw_speculation(now)
        return [*commands, *self._answer(self._agenda.prompt(text), now, confirmed=False)[1]]

    def _withdraw_speculation(self, now: float) -> list[Command]:
        return [] if self._live is None or self._live.turn.confirmed else self._withdraw(self._live, now)

    def _withdraw(self, live: Speaking, now: float) -> list[Command]:
        """The caller goes on: whatever the answer would have led to is off."""
        self._agenda.stay()
        return self._end(live, Step.WITHDRAW, now)

    @property
    def _busy(self) -> bool:
        """Whether a turn is under way that an utterance cannot simply take over."""
        turn = self.turn
        return turn is not None and turn.confirmed and turn.state is not TurnState.OPEN

    def _utterance(self, utterance: UtteranceEnded, now: float) -> list[Command]:
        """One utterance gets one answer: now, or once the turn that it did not interrupt is over."""
        live, commands = self._live, list[Command]()
        if self._is_echo(utterance.text, now, began=utterance.started_at):
            return []
        self._silence.answered()
        if live and (live.turn.audible or (self._busy and not live.turn.interruptible)):
            if not self._manners.interruption.is_backchannel(utterance.text):
                self._agenda.add(utterance)
            return []
        self._agenda.add(utterance)
        prompt, answers = self._agenda.prompt(), self._take_unanswered()
        if live and not live.turn.confirmed and live.turn.prompt == prompt:
            turn = live.turn
            turn.confirmed, turn.utterances = True, answers
            self._watch(live, now)
            self._playout.resume()
            commands += [TurnConfirmed(turn.id), *self._errands.confirm(turn.id, now=now)]
        else:
            if live and (self._busy or not live.turn.confirmed):
                commands += self._withdraw(live, now)
            turn, answer = self._answer(prompt, now, answers=answers)
            commands += answer
        turn.stamp("caller_stopped", utterance.ended_at)
        turn.stamp("utterance_final", now)
        return commands

    def _is_echo(self, words: str, now: float, *, began: float = math.inf) -> bool:
        """Whether the line sends back what the agent was heard to say while these words, which `began` then, were."""
        if self._manners.interruption.hears_echo:
            return False
        said, ended_at = self._last_said
        lately = [said] if began < ended_at + ECHO_LATE_S else []
        if self._live:
            lately.append(self._playout.lately(self._live.turn.spoken, now=now, seconds=ECHO_S))
        return is_echo(words, " ".join(lately))

    def _take_unanswered(self) -> Sequence[Utterance]:
        """Return what there is to answer, and put it into the history."""
        unanswered = self._agenda.take_unanswered()
        for utterance in unanswered:
            self.history.add_utterance(utterance.text)
        return unanswered

    # ------------------------------------------------------------------ turns begin

    def _open(
        self, now: float, *, prompt: str = "", turn_id: str = "", interruptible: bool = True
    ) -> tuple[Speaking, list[Command]]:
        """Open a turn. Its context is opened by whoever has text for it."""
        if not turn_id:
            self._turns += 1
            turn_id = f"t{self._turns}"
        turn = Turn(turn_id, self._name_context(), prompt=prompt, interruptible=interruptible)
        turn.stamp("opened", now)
        self._live = Speaking(turn, self._playout, self._name_context, self._voicing, self._markup)
        self._playout.begin(turn.context_id)
        return self._live, [TurnOpened(turn_id, turn.context_id, prompt)]

    def _name_context(self) -> str:
        self._contexts += 1
        return f"{self._call_id}-{self._contexts}"

    def _think(self, live: Speaking, now: float) -> TurnChanged:
        if live.turn.confirmed:  # what takes back a guess is endpointing; the words that it answers are no barge-in
            self._watch(live, now)
        self._recover_at = math.inf
        return TurnChanged(live.turn.id, live.turn.step(Step.THINK))

    def _watch(self, live: Speaking, now: float) -> None:
        """From now on the caller waits for the turn, and may cut it off."""
        self._controller.watch(interruptible=live.turn.interruptible)
        live.excuse(self._manners.filler, now + self._manners.filler_s)

    def _answer(
        self, prompt: str, now: float, *, answers: Sequence[Utterance] = (), confirmed: bool = True
    ) -> tuple[Turn, list[Command]]:
        """Answer utterances, or what may become one, in the turn that waits for it where there is one."""
        live, commands = self._live, list[Command]()
        if live is None:
            live, commands = self._open(now, prompt=prompt)
            commands += live.open()
        turn = live.turn
        turn.prompt, turn.utterances, turn.confirmed = prompt, answers, confirmed
        turn.history = self.history.messages(prompt="" if confirmed else prompt)
        if not confirmed:
            self._playout.hold()
        return turn, [*commands, self._think(live, now), StartReply(turn.id)]

    def _answer_all(self, now: float) -> list[Command]:
        """Answer whatever was said and not answered."""
        prompt, answers = self._agenda.prompt(), self._take_unanswered()
        return self._answer(prompt, now, answers=answers)[1]

    def _say(self, live: Speaking, text: str, now: float) -> list[Command]:
        """Speak given text in the open turn."""
        protected = not live.turn.interruptible
        return [self._think(live, now), *live.add(text, now=now, protected=protected), *live.finish(now=now)]

    def _next(self, now: float) -> list[Command]:
        """Nobody has the floor: say what waits to be said, answer what was not answered, or hang up."""
        if self._agenda.unanswered:
            return [*self._answer_all(now), *self._play(now)]
        wish = self._agenda.take_wish()
        if isinstance(wish, HangUpRequested):
            return [HangUp(wish.transfer), *self._close(now)]
        live, commands = self._open(now, turn_id=wish.turn_id, interruptible=wish.interruptible)
        if isinstance(wish, PlayRequested):
            commands.append(self._think(live, now))
            live.play(wish.audio, wish.text)
        else:
            commands += [*live.open(), *self._say(live, wish.text, now)]
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
        if self._live is None:
            return []
        return self._say(self._live, self._unsaid, now) if self._unsaid else self._end(self._live, Step.WITHDRAW, now)

    # ------------------------------------------------------------------ text and speech

    def _written(
        self, live: Speaking, event: TextProduced | TextPaused | TextEnded | ReplyFailed, now: float
    ) -> list[Command]:
        match event:
            case TextProduced(_, text, protected):
                return [*live.add(text, now=now, protected=protected)]
            case TextPaused():
                return [*live.pause(now=now)]
            case TextEnded():
                return [*live.finish(now=now)]
            case ReplyFailed(_, reason):  # pragma: no branch - the last there is
                return self._end(live, Step.FAIL, now, reason=reason)

    def _stale(self, event: _Synthesised) -> list[Command]:
        size = len(event.audio) if isinstance(event, AudioReceived) else 0
        return [StaleDropped(event.context_id, size)]

    def _synthesised(self, live: Speaking, event: _Synthesised, now: float) -> list[Command]:
        match event:
            case AudioReceived(_, audio):
                live.turn.stamp("first_audio_received", now)
                live.audible()
                self._playout.feed(audio)
            case WordsReceived(_, words):
                self._playout.place(words)
            case PhonemesReceived():
                pass  # for those who watch
            case ContextDone():  # pragma: no branch - the last there is
                live.done()
        return []

    def _context_failed(self, live: Speaking, event: ContextFailed, now: float) -> list[Command]:
        commands = live.failed(event)
        return self._end(live, Step.FAIL, now, reason=event.reason) if commands is None else [*commands]

    def _play(self, now: float) -> list[Command]:
        """Hand over what is due; notice the first frame, and the last one played."""
        live = self._live
        if live is None:
            return []
        turn = live.turn
        commands: list[Command] = [*self._playout.poll(now=now)]
        if turn.state is TurnState.THINKING and any(isinstance(command, SendAudio) for command in commands):
            turn.stamp("first_frame_out", now)
            commands.append(TurnChanged(turn.id, turn.step(Step.SPEAK)))
        if self._playout.finished(now=now):
            return [*commands, *self._end(live, Step.COMPLETE if self._playout.started else Step.WITHDRAW, now)]
        heard, waited = live.release(now=now)
        commands += heard
        for signal in waited:
            commands += self._rule(self._controller.receive(signal, now=now), now)
        return commands

    # ------------------------------------------------------------------ interruption

    def _signalled(self, signal: BargeIn, now: float) -> list[Command]:
        """Judge a signal; one that comes during a protected stretch has to wait."""
        # Words of an utterance that is over are what the turn answers; a recogniser may be late with them.
        if signal.words and self._endpointer.idle:
            return []
        if signal.words and self._is_echo(signal.words, now):
            return self._rule(self._controller.excuse(signal.source), now)
        if self._live and self._live.keeps(signal, now=now):
            return []
        return self._rule(self._controller.receive(signal, now=now), now)

    def _rule(self, rulings: Sequence[Ruling], now: float) -> list[Command]:
        live, commands = self._live, list[Command]()
        if live is None:
            return []
        turn = live.turn
        for ruling in rulings:
            turn.stamp("barge_in", now)
            decided = BargeInDecided(turn.id, ruling.decision, ruling.source)
            match ruling.decision:
                case interruption.Decision.HOLD:
                    self._playout.hold()
                    commands += [decided, *self._move(turn, TurnState.SPEAKING, Step.HOLD)]
                case interruption.Decision.RESUME:
                    self._playout.resume()
                    commands += [decided, *self._move(turn, TurnState.HELD, Step.RESUME)]
                case interruption.Decision.CUT:  # pragma: no branch - the last there is
                    commands += [*self._cut(live, now, resume=ruling.source == interruption.DEADLINE), decided]
        return commands

    def _move(self, turn: Turn, state: TurnState, step: Step) -> list[Command]:
        return [TurnChanged(turn.id, turn.step(step))] if turn.state is state else []

    def _cut(self, live: Speaking, now: float, *, resume: bool) -> list[Command]:
        """Silence first, then everything else; a fresh turn waits for what the caller has to say."""
        turn, audible = live.turn, self._playout.started
        closed = self._end(live, Step.INTERRUPT if audible else Step.WITHDRAW, now)
        self._unsaid = turn.unheard if resume else ""
        self._recover_at = now + RECOVER_S
        self._agenda.stay()
        clear: list[Command] = [ClearPlayout()] if audible else []
        opened, fresh = self._open(now)
        fresh += opened.open()
        if self._agenda.unanswered and self._endpointer.idle:
            fresh += self._answer_all(now)
        elif self._endpointer.likely:
            fresh += self._speculate(self._endpointer.likely, now)
        return [*clear, *fresh, *closed]

    # ------------------------------------------------------------------ turns end

    def _end(self, live: Speaking, step: Step, now: float, *, reason: str = "") -> list[Command]:
        """Close the gate, freeze the ledger, and let go of everything that the turn started."""
        turn = live.turn
        turn.heard = self._playout.heard(turn.spoken, now=now)
        self._last_said = (self._playout.lately(turn.spoken, now=now, seconds=ECHO_S), now)
        reached = len(turn.heard.text) if turn.heard else 0
        turn.unheard = (turn.spoken[reached:] + live.leftover()).lstrip()
        protected = live.protected_heard(reached)
        self._live = None
        self._controller.unwatch()
        if turn.heard is not None:
            turn.stamp("heard_until", turn.timeline["first_frame_out"] + turn.heard.seconds)
        if step is Step.INTERRUPT:
            turn.stamp("silenced", now)
        clear: list[Command] = [ClearPlayout()] if step is Step.FAIL and turn.audible else []
        turn.step(step)
        errands = self._errands.end_turn(turn.id, completed=step is Step.COMPLETE, now=now)
        self.history.add_turn(turn.id, turn.heard)
        commands = [*clear, *protected, TurnChanged(turn.id, turn.state), StopReply(turn.id), *errands]
        if step is not Step.COMPLETE:
            commands.append(CancelContext(turn.context_id))
        closed = TurnClosed(
            turn.id, turn.context_id, turn.state, turn.generated, turn.heard, dict(turn.timeline), reason, turn.unheard
        )
        return [*commands, closed, *self._spend("characters", len(turn.spoken))]

    def _spend(self, what: str, amount: int) -> list[Command]:
        return [Spent(what)] if self._spending.spend(what, amount) else []

    def _close(self, now: float) -> list[Command]:
        """The call is over, for whatever reason."""
        self.closed = True
        if self._live is None:
            return []
        return self._end(self._live, Step.INTERRUPT if self._live.turn.audible else Step.WITHDRAW, now)
