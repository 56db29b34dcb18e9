"""From trace to story: one pass over the steps, one small draft for each turn."""

from __future__ import annotations

import math

from agentvoice.commands import (
    BargeInDecided,
    ClearPlayout,
    Command,
    ContextSucceeded,
    HangUp,
    SendAudio,
    SendMark,
    StaleDropped,
    TurnChanged,
    TurnClosed,
    TurnConfirmed,
    TurnOpened,
    TurnState,
    UtteranceEnded,
)
from agentvoice.events import (
    AudioReceived,
    ContextDone,
    Event,
    HungUp,
    KeyPressed,
    MarkReturned,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    WordsReceived,
)

from .codec import Unknown
from .drafts import Draft, finished
from .far_end import FarEnd, Take
from .log import Trace
from .story import BargeInStory, Hole, Mark, Sound, Story, Understood, Utterance

FRAME_S = 0.02


def tell(trace: Trace, *, zero: float | None = None) -> Story:
    """Return what happened, with times in seconds since `zero`: by default the moment the call began."""
    teller = _Teller(trace, trace.header.started_at if zero is None else zero)
    for step in trace.steps:
        teller.happened(step.event, step.now)
        for command in step.commands:
            teller.decided(command, step.now)
    return teller.story()


class _Teller:
    def __init__(self, trace: Trace, zero: float) -> None:
        self._trace = trace
        self._zero = zero
        self._line = FarEnd(trace.header.audio)
        self._drafts: dict[str, Draft] = {}
        self._by_context: dict[str, Draft] = {}
        self._utterances: list[Utterance] = []
        self._segments: list[Sound] = []
        self._understood: list[Understood] = []
        self._barge_ins: list[BargeInStory] = []
        self._suspicion: tuple[float, float] | None = None  # when speech began, when the turn was held
        self._speaking_since: float | None = None
        self._cleared: float | None = None
        self._paused: set[str] = set()  # turns that were held since their last audio
        self._holes: list[Hole] = []
        self._keys: list[tuple[float, str]] = []
        self._stale_sent = self._stale_dropped = 0
        self._ended_by = ""

    # ------------------------------------------------------------------ what goes in

    def happened(self, event: Event | Unknown | None, now: float) -> None:
        match event:
            case SpeechStarted(at):
                self._speaking_since = at
            case SpeechStopped(at) if self._speaking_since is not None:
                self._segments.append(Sound(self._speaking_since - self._zero, at - self._zero))
                self._speaking_since = None
            case Transcript(text, final):
                self._understood.append(Understood(now - self._zero, text, final))
            case KeyPressed(key):
                self._keys.append((now - self._zero, key))
            case HungUp(reason):
                self._ended_by = self._ended_by or reason
            case AudioReceived(context_id, audio) if draft := self._live(context_id):
                draft.take.received += len(audio)
            case WordsReceived(context_id, words) if draft := self._live(context_id):
                for word in words:
                    draft.take.place(*word)
            case ContextDone(context_id) if draft := self._live(context_id):
                draft.delivered = True
            case MarkReturned(name):
                self._mark_returned(name, now)
            case _:
                pass  # nothing of the story

    def _live(self, context_id: str) -> Draft | None:
        """Return the turn for which this context speaks now."""
        draft = self._by_context.get(context_id)
        return draft if draft and draft.closed is None and draft.contexts[-1][0] == context_id else None

    def _mark_returned(self, name: str, now: float) -> None:
        for draft in self._drafts.values():
            if (mark := draft.marks.get(name)) and mark.returned is None:
                cleared = draft.closed is not None and draft.closed.outcome is not TurnState.COMPLETED
                draft.marks[name] = Mark(name, mark.sent, now - self._zero, cleared)

    # ------------------------------------------------------------------ what comes out

    def decided(self, command: Command | Unknown, now: float) -> None:
        match command:
            case UtteranceEnded(text, started_at, ended_at):
                times = (started_at - self._zero, ended_at - self._zero, now - self._zero)
                self._utterances.append(Utterance(text, *times))
            case TurnOpened(turn_id, context_id):
                take, states = Take(self._trace.header.audio), [(TurnState.OPEN, now)]
                opened = Draft(command, now, take, states=states, prompt=command.prompt)
                self._drafts[turn_id] = opened
                self._context(opened, context_id, now)
            case ContextSucceeded(turn_id) | TurnChanged(turn_id) | TurnConfirmed(turn_id) | TurnClosed(turn_id):
                if (draft := self._drafts.get(turn_id)) is not None:
                    self._turn_moves(draft, command, now)
            case BargeInDecided(turn_id, decision, source):
                self._barge_in(turn_id, decision, source, now)
            case HangUp():
                self._ended_by = "agent"
            case _:
                self._to_the_line(command, now)

    def _turn_moves(
        self, draft: Draft, command: ContextSucceeded | TurnChanged | TurnConfirmed | TurnClosed, now: float
    ) -> None:
        match command:
            case ContextSucceeded(_, _, new):
                draft.take.succeed(delivered=draft.delivered)
                draft.delivered = False
                self._context(draft, new, now)
            case TurnChanged(turn_id, state):
                draft.states.append((state, now))
                if state is TurnState.HELD:
                    self._paused.add(turn_id)
                if state is TurnState.THINKING and not draft.prompt and self._answers(now):
                    draft.prompt = self._utterances[-1].text
            case TurnConfirmed():
                draft.prompt = draft.prompt or (self._utterances[-1].text if self._utterances else "")
            case TurnClosed():  # pragma: no branch - the last there is
                draft.closed, draft.ended = command, now

    def _answers(self, now: float) -> bool:
        """Whether an utterance ended in this very step: a turn that was open already answers it."""
        return bool(self._utterances) and self._utterances[-1].decided == now - self._zero

    def _to_the_line(self, command: Command | Unknown, now: float) -> None:
        match command:
            case SendAudio(context_id, audio):
                self._send(context_id, len(audio), now)
            case SendMark(name):
                self._mark(name, now)
            case ClearPlayout():
                self._line.clear(now)
                self._cleared = now
            case StaleDropped(_, size) if size:
                self._stale_dropped += 1
            case _:
                pass  # nothing of the story

    def _context(self, draft: Draft, context_id: str, now: float) -> None:
        draft.contexts.append((context_id, now))
        self._by_context[context_id] = draft

    def _send(self, context_id: str, size: int, now: float) -> None:
        draft = self._live(context_id)
        if draft is None:
            self._stale_sent += size
            return
        dry = self._line.play(draft.take, size, now)
        if dry and draft.opened.turn_id not in self._paused:
            self._holes.append(Hole(now - dry - self._zero, dry))
        self._paused.discard(draft.opened.turn_id)

    def _mark(self, name: str, now: float) -> None:
        sounding = [draft for draft in self._drafts.values() if draft.take.runs]
        if sounding:
            sounding[-1].marks[name] = Mark(name, now - self._zero, None, cleared=False)

    def _barge_in(self, turn_id: str, decision: str, source: str, now: float) -> None:
        since = self._speaking_since if self._speaking_since is not None else now
        if decision == "held":
            self._suspicion = (since, now)
            return
        began, held = self._suspicion or (since, None)
        self._suspicion = None
        confirmed = decision == "confirmed"
        draft = self._drafts.get(turn_id)
        sounded = confirmed and draft is not None and bool(draft.take.runs)
        self._barge_ins.append(
            BargeInStory(
                turn_id,
                source,
                at=began - self._zero,
                held=None if held is None else held - self._zero,
                decided=now - self._zero,
                confirmed=confirmed,
                cleared=self._cleared - self._zero if sounded and self._cleared is not None else None,
                silent=draft.take.ended - self._zero if sounded and draft is not None else None,
            )
        )

    # ------------------------------------------------------------------ the end

    def story(self) -> Story:
        steps, header = self._trace.steps, self._trace.header
        end = steps[-1].now if steps else header.started_at
        if self._speaking_since is not None:
            self._segments.append(Sound(self._speaking_since - self._zero, end - self._zero))
        frame = header.audio.size(FRAME_S)
        return Story(
            call_id=header.call_id,
            agent=header.agent,
            start=header.started_at - self._zero,
            end=end - self._zero,
            turns=tuple(finished(draft, end, self._zero) for draft in self._drafts.values()),
            utterances=tuple(self._utterances),
            segments=tuple(self._segments),
            understood=tuple(self._understood),
            barge_ins=tuple(self._barge_ins),
            holes=tuple(self._holes),
            keys=tuple(self._keys),
            stale_frames=math.ceil(self._stale_sent / frame),
            stale_dropped=self._stale_dropped,
            ended_by=self._ended_by,
        )
