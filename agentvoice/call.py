"""A call: the edge around a conversation. It waits, so that the conversation need not.

Everything that happens is delivered to one inbox; one task takes it from there, asks the conversation, and carries
out what it says in the same step. Whatever the call starts is a child of its task group, and ends with it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import anyio
from anyio import CancelScope, create_task_group, move_on_after
from anyio.abc import TaskGroup

from .agent import Agent
from .clock import current_time
from .commands import (
    AnswerTool,
    CancelContext,
    ClearPlayout,
    Command,
    FinishContext,
    HangUp,
    JudgePause,
    LimitNear,
    OpenContext,
    SendAudio,
    SendMark,
    SilenceFell,
    SpeakText,
    Spent,
    StartReply,
    StartTool,
    StopReply,
    StopTool,
    TurnClosed,
    TurnConfirmed,
    TurnState,
    UtteranceEnded,
)
from .conversation import Conversation
from .errors import ProviderError, ProviderUnavailable
from .events import (
    CallerAudio,
    CallStarted,
    Event,
    HungUp,
    KeyPressed,
    ReplyFailed,
    ReplyMended,
    TextEnded,
    TextPaused,
    TextProduced,
    Transfer,
)
from .inbox import Inbox
from .interfaces import Synthesizer, Transfers, Transport
from .interruption import InterruptionSource
from .llm import token_stream
from .logger import Logger
from .protection import Protected
from .sources import EventSource
from .summaries import Summaries
from .tools.running import Running
from .trace.observer import Observer
from .turn import Turn
from .verbs import Verbs

log = Logger(__name__)

LAST_SECOND: Final = 1.0
"""How long the end of a call may take, whatever hangs."""


class Ears(Protocol):
    """What turns the caller's audio into events."""

    @property
    def judges(self) -> bool:
        """Whether they can be asked about a pause."""

    def feed(self, event: CallerAudio) -> None:
        """Take audio. Never waits."""

    def notice(self, decided: JudgePause | UtteranceEnded | SendAudio | ClearPlayout) -> None:
        """Take what they are asked, and what the caller will hear, which may come back. Never waits."""

    async def run(self) -> None:
        """Listen until cancelled."""


class Call(Verbs):
    """One conversation with one caller: what an agent sees of it (`Verbs`), and the tasks that carry it."""

    def __init__(
        self,
        call_id: str,
        agent: Agent,
        transport: Transport,
        synthesizer: Synthesizer,
        ears: Callable[[Callable[[Event], None]], Ears],
        *,
        caller: str = "",
        called: str = "",
        parameters: Mapping[str, str] | None = None,
        inbox: Inbox | None = None,
    ) -> None:
        """Prepare a call; `run` makes it happen. `ears` is given `deliver` and returns what listens."""
        self._inbox = inbox or Inbox()
        self._ears = ears(self.deliver)
        conversation = Conversation(
            call_id,
            transport.audio,
            instructions=agent.instructions,
            manners=agent.manners,
            voicing=agent.voicing,
            has_marks=transport.has_marks,
            markup=synthesizer.markup,
            judged_pauses=self._ears.judges,
        )
        super().__init__(call_id, agent, transport, conversation)
        self.caller = caller
        """Who rings, as the carrier says."""
        self.called = called
        """Which number was rung."""
        self.parameters = dict(parameters or {})
        """What the carrier's start message carried besides."""
        self.audio = transport.audio
        """What the line carries."""
        self.has_marks = transport.has_marks
        """Whether the line reports what was played."""
        self.markup = synthesizer.markup
        """What the agent's text may hold besides words."""
        self._synthesizer = synthesizer
        self.history.budget = agent.budget
        self._summaries = Summaries(self.history)
        self.tools = Running(call_id, self.deliver)
        """The tools that the agent's turns have asked for."""
        self.observers: Sequence[Observer] = ()
        """Those who watch every event and every decision."""
        self.taps: Sequence[Callable[[float, CallerAudio], None]] = ()
        """Those who are given the caller's audio as well, with the time."""
        self._line_closed = anyio.Event()
        self._ends_at = math.inf
        self._replies: dict[str, CancelScope] = {}
        self._sources: list[EventSource] = []
        self._watching: dict[type[Event], Sequence[EventSource]] = {}
        self._keys: deque[str] = deque()  # keys that the agent has not dealt with
        self._group: TaskGroup
        agent.call = self

    @property
    def settings(self) -> Mapping[str, Any]:
        """What has to be known to decide this call again as it was decided; a trace begins with it."""
        return {
            "manners": self.agent.manners,
            "instructions": self.agent.instructions,
            "markup": self.markup,
            "judged_pauses": self._ears.judges,
            "voicing": self.agent.voicing,
        }

    # ------------------------------------------------------------------ the life of the call

    def deliver(self, event: Event) -> None:
        """Say that something happened. From the event loop only; never waits."""
        self._inbox.put(event)

    async def run(self) -> None:
        """Carry the call from its first moment to its last. Returns within a second of the hang-up."""
        try:
            async with create_task_group() as group:
                self._group = group
                self.tools.begin(group, self.agent)
                self.deliver(CallStarted())
                group.start_soon(self._converse)
                group.start_soon(self._send)
                group.start_soon(self._receive)
                group.start_soon(self._ears.run)
                for source in self.agent.sources:
                    if isinstance(source, EventSource):
                        self._sources.append(source)
                    else:
                        group.start_soon(self._watch, source)
                group.start_soon(self._hook, self.agent.on_call_start())
        finally:
            with CancelScope(deadline=min(self._ends_at, current_time() + LAST_SECOND), shield=True):
                await self._hook(self.agent.on_call_end())
            for observer in self.observers:
                observer.closed()

    async def _converse(self) -> None:
        """Take what was delivered, in order, and wake the conversation when it wants to be."""
        conversation = self._conversation
        deadline = conversation.deadline
        while not conversation.closed:
            await self._inbox.wait(until=deadline)
            await self._inbox.settle()
            now = current_time()
            while (event := self._inbox.take()) is not None:
                self._step(event, now)
            deadline = conversation.deadline
            if deadline <= now:
                self._step(None, now)
                deadline = conversation.deadline
        self._ends_at = current_time() + LAST_SECOND
        with move_on_after(LAST_SECOND / 2):  # the other half is for `on_call_end`
            await self._line_closed.wait()
            await self.tools.finish()
        self._group.cancel_scope.cancel()

    def _step(self, event: Event | None, now: float) -> None:
        """Let the conversation decide, and do what it says, with no waiting in between."""
        conversation = self._conversation
        commands = conversation.handle_timer(now=now) if event is None else conversation.receive(event, now=now)
        for command in commands:
            self._perform(command)
        for observer in self.observers:
            observer.received(now, event)
            observer.decided(now, commands)
        if event is not None:
            self._tell(event, now)

    def _tell(self, event: Event, now: float) -> None:
        self._happened(event)
        for source in self._who_watches(type(event)):
            self._look(source, event, now)
        if isinstance(event, KeyPressed):
            self._keys.append(event.key)
            if len(self._keys) == 1:
                self._group.start_soon(self._dial)

    def _who_watches(self, kind: type[Event]) -> Sequence[EventSource]:
        if kind not in self._watching:
            self._watching[kind] = tuple(source for source in self._sources if issubclass(kind, source.watches))
        return self._watching[kind]

    def _perform(self, command: Command) -> None:
        match command:
            case SendAudio(_, audio):
                self._transport.send_audio(audio)
                self._ears.notice(command)
            case SendMark(name):
                self._transport.send_mark(name)
            case ClearPlayout():
                self._transport.clear()
                self._ears.notice(command)
            case StartReply(turn_id):
                turn = self._conversation.turn
                if turn is not None and turn.id == turn_id:
                    scope = self._replies[turn_id] = CancelScope()
                    self._group.start_soon(self._reply, turn, scope)
            case StopReply(turn_id):
                if turn_id in self._replies:
                    self._replies.pop(turn_id).cancel()
            case JudgePause() | UtteranceEnded():
                self._ears.notice(command)
            case StartTool() | StopTool() | AnswerTool():
                self.tools.perform(command)
            case OpenContext(context_id, _, voicing):
                self._synthesizer.open(context_id, audio=self._transport.audio, deliver=self.deliver, voicing=voicing)
            case SpeakText(context_id, text):
                self._synthesizer.send(context_id, text)
            case FinishContext(context_id):
                self._synthesizer.finish(context_id)
            case CancelContext(context_id):
                self._synthesizer.cancel(context_id)
            case HangUp(Transfer() as transfer) if isinstance(self._transport, Transfers):
                self._transport.transfer(transfer)
            case HangUp():
                self._transport.hang_up()
            case _:
                self._notice(command)

    def _notice(self, decided: Command) -> None:
        """Tell the agent what was decided, and whoever waits for it."""
        match decided:
            case TurnConfirmed():
                self._turn_confirmed()
            case TurnClosed():
                self._turn_closed(decided)
            case SilenceFell(times):
                self._soon(self.agent.on_silence(times))
            case LimitNear(left_s):
                self._soon(self.agent.on_limit(left_s))
            case Spent(what):
                self._soon(self.agent.on_spent(what))
            case _:
                pass  # for those who watch

    def _turn_closed(self, closed: TurnClosed) -> None:
        self._turn_over(closed)
        if closed.outcome is TurnState.INTERRUPTED and not closed.reason and not self._conversation.closed:
            self._soon(self.agent.on_interrupted(closed))
        if self._summaries.due:
            self._soon(self._summaries.write(self.agent.llm))
        log.info(
            "turn",
            call_id=self.id,
            turn_id=closed.turn_id,
            context_id=closed.context_id,
            outcome=closed.outcome,
            heard_s=round(closed.heard.seconds, 3) if closed.heard else 0,
            reason=closed.reason,
        )

    # ------------------------------------------------------------------ its children

    async def _send(self) -> None:
        """Let the line send what is queued; when it cannot, or is done, the call is over."""
        await self._transport.run()
        self._line_closed.set()
        self.deliver(HungUp("line closed"))

    async def _receive(self) -> None:
        while True:
            match event := await self._transport.receive():
                case CallerAudio():
                    self._ears.feed(event)
                    for tap in self.taps:
                        tap(current_time(), event)
                case HungUp():
                    self._line_closed.set()
                    return self.deliver(event)
                case _:
                    self.deliver(event)

    async def _reply(self, turn: Turn, scope: CancelScope) -> None:
        """Stream the agent's text for one turn."""
        with scope:
            spoke, agent, partings = False, self.agent, self._partings
            question = self._question if turn.prompt else None
            try:
                reply = question.reply(turn) if question else agent.reply(turn)
                async with token_stream(reply, patience_s=agent.patience_s) as tokens:
                    async for token in agent.ear.stream(tokens) if agent.ear else tokens:
                        spoke = True
                        self.deliver(TextProduced(turn.id, str(token), isinstance(token, Protected)))
                if not (spoke or question or self._partings > partings):
                    raise ProviderUnavailable("reply", "it came to nothing")
                self.deliver(TextEnded(turn.id))
            except Exception as error:
                if isinstance(error, ProviderError):  # it says what is wrong; where it came from is nobody's interest
                    log.error("reply_failed", call_id=self.id, turn_id=turn.id, reason=str(error))  # noqa: TRY400
                else:
                    log.exception("reply_failed", call_id=self.id, turn_id=turn.id)
                await self._mend(turn, agent, error, spoke=spoke)

    async def _mend(self, turn: Turn, agent: Agent, error: Exception, *, spoke: bool) -> None:
        """A reply has failed: say what the agent says instead."""
        reason, instead = f"{type(error).__name__}: {error}", ""
        try:
            instead = await agent.on_reply_failed(turn, error)
        except Exception:
            log.exception("hook_failed", call_id=self.id)
        if not instead:
            self.deliver(ReplyFailed(turn.id, reason))
            return
        self.deliver(ReplyMended(turn.id, reason))
        self.deliver(TextPaused(turn.id))
        self.deliver(TextProduced(turn.id, f" {instead}" if spoke else instead))
        self.deliver(TextEnded(turn.id))

    async def _watch(self, source: InterruptionSource) -> None:
        """Pass on what one source signals. One that breaks is missed, not mourned."""
        try:
            async with source.signals(self) as signals:
                async for signal in signals:
                    self.deliver(signal)
        except Exception:
            log.exception("source_failed", call_id=self.id, source=type(source).__name__)

    async def _dial(self) -> None:
        """Tell the agent of keys, one after the other: their order is what matters about them."""
        while self._keys:
            await self._hook(self.agent.on_dtmf(self._keys[0]))
            self._keys.popleft()

    def _look(self, source: EventSource, event: Event, now: float) -> None:
        """Ask a source that only looks at events what this one means. Its signal waits behind nothing else."""
        try:
            signal = source.signal(event)
        except Exception:
            log.exception("source_failed", call_id=self.id, source=type(source).__name__)
            self._sources.remove(source)
            self._watching.clear()
        else:
            if signal is not None:
                self._step(signal, now)

    def _soon(self, hook: Awaitable[None]) -> None:
        """As `Verbs._soon`."""
        self._group.start_soon(self._hook, hook)

    async def _hook(self, hook: Awaitable[None]) -> None:
        """Await one of the agent's hooks; what it raises is its own affair."""
        try:
            await hook
        except Exception:
            log.exception("hook_failed", call_id=self.id)
