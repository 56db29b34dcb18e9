"""A call: the edge around a conversation. It waits, so that the conversation need not.

Everything that happens is delivered to one inbox; one task takes it from there, asks the conversation, and carries
out what it says in the same step. Whatever the call starts is a child of its task group, and ends with it.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio
from anyio import CancelScope, create_memory_object_stream, create_task_group, current_time, move_on_after
from anyio.abc import ObjectReceiveStream, TaskGroup
from anyio.lowlevel import checkpoint
from anyio.streams.memory import MemoryObjectSendStream

from .agent import Agent
from .commands import (
    CancelContext,
    ClearPlayout,
    Command,
    FinishContext,
    HangUp,
    HeardText,
    OpenContext,
    SendAudio,
    SendMark,
    SpeakText,
    StartReply,
    StopReply,
    TurnClosed,
    TurnState,
)
from .conversation import Conversation
from .events import (
    BargeIn,
    CallerAudio,
    Event,
    HangUpRequested,
    HungUp,
    KeyPressed,
    ReplyFailed,
    SayRequested,
    TextEnded,
    TextProduced,
)
from .history import History
from .inbox import Inbox
from .interfaces import Synthesizer, Transport
from .interruption import InterruptionSource
from .llm import token_stream
from .logger import Logger
from .trace.observer import Observer
from .turn import Turn

log = Logger(__name__)

LAST_SECOND = 1.0
"""How long the end of a call may take, whatever hangs."""


class Ears(Protocol):
    """What turns the caller's audio into events."""

    def feed(self, event: CallerAudio) -> None:
        """Take audio. Never waits."""

    async def run(self) -> None:
        """Listen until cancelled."""


class Call:
    """One conversation with one caller: what an agent sees of it, and the tasks that carry it."""

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
        self.id = call_id
        self.agent = agent
        self.caller = caller
        """Who rings, as the carrier says."""
        self.called = called
        """Which number was rung."""
        self.parameters = dict(parameters or {})
        """What the carrier's start message carried besides."""
        self.has_marks = transport.has_marks
        """Whether the line reports what was played."""
        self.markup = synthesizer.markup
        """What the agent's text may hold besides words."""
        self.notes: dict[str, Any] = {}
        """What the agent found worth keeping; see `note`."""
        self._transport = transport
        self._synthesizer = synthesizer
        self._conversation = Conversation(
            call_id,
            transport.audio,
            instructions=agent.instructions,
            manners=agent.manners,
            has_marks=transport.has_marks,
            markup=synthesizer.markup,
        )
        self._ears = ears(self.deliver)
        self.observers: Sequence[Observer] = ()
        """Those who watch every event and every decision."""
        self._inbox = inbox or Inbox()
        self._line_closed = anyio.Event()
        self._replies: dict[str, CancelScope] = {}
        self._says = 0
        self._said: dict[str, tuple[anyio.Event, list[HeardText | None]]] = {}
        self._listeners: list[tuple[tuple[type[Event], ...], MemoryObjectSendStream[Event]]] = []
        self._group: TaskGroup
        agent.call = self

    # ------------------------------------------------------------------ for agents

    @property
    def history(self) -> History:
        """What was heard so far, on both sides."""
        return self._conversation.history

    @property
    def turn(self) -> Turn | None:
        """The live turn, if there is one."""
        return self._conversation.turn

    async def say(self, text: str, *, interruptible: bool = True) -> HeardText | None:
        """Say `text` in a turn of its own, after what is being said; return what was heard of it.

        Waits until it was played, or cut; `None` means that nothing was. Not to be awaited from within `reply`,
        whose own turn has to end first.
        """
        self._says += 1
        turn_id = f"s{self._says}"
        over, heard = self._said[turn_id] = (anyio.Event(), [])
        self.deliver(SayRequested(turn_id, text, interruptible))
        await over.wait()
        return heard[0]

    def hang_up(self) -> None:
        """End the call once the agent's last word was played. An interruption before that revokes it."""
        self.deliver(HangUpRequested())

    def interrupt(self, signal: BargeIn) -> None:
        """Signal a barge-in by hand."""
        self.deliver(signal)

    def note(self, **facts: Any) -> None:
        """Keep facts about the call, for its report."""
        self.notes.update(facts)

    @asynccontextmanager
    async def events(self, *kinds: type[Event]) -> AsyncIterator[ObjectReceiveStream[Event]]:
        """Watch what happens: a stream of the events of these classes. One who does not read misses some."""
        send, receive = create_memory_object_stream[Event](64)
        listener = (kinds, send)
        self._listeners.append(listener)
        try:
            with receive:
                yield receive
        finally:
            self._listeners.remove(listener)
            send.close()

    # ------------------------------------------------------------------ the life of the call

    def deliver(self, event: Event) -> None:
        """Say that something happened. From the event loop only; never waits."""
        self._inbox.put(event)

    async def run(self) -> None:
        """Carry the call from its first moment to its last. Returns within a second of the hang-up."""
        try:
            async with create_task_group() as group:
                self._group = group
                group.start_soon(self._converse)
                group.start_soon(self._send)
                group.start_soon(self._receive)
                group.start_soon(self._ears.run)
                for source in self.agent.sources:
                    group.start_soon(self._watch, source)
                group.start_soon(self._hook, self.agent.on_call_start())
        finally:
            with move_on_after(LAST_SECOND, shield=True):
                await self._hook(self.agent.on_call_end())
            for observer in self.observers:
                observer.closed()

    async def _converse(self) -> None:
        """Take what was delivered, in order, and wake the conversation when it wants to be."""
        conversation = self._conversation
        while True:
            await self._inbox.settle()
            while (event := self._inbox.take()) is not None:
                self._step(event, current_time())
            if conversation.closed:
                break
            if conversation.deadline <= (now := current_time()):
                self._step(None, now)
                await checkpoint()
                continue
            await self._inbox.wait(until=_whole_ms(conversation.deadline))
        with move_on_after(LAST_SECOND):
            await self._line_closed.wait()
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
            self._tell(event)

    def _tell(self, event: Event) -> None:
        for kinds, stream in self._listeners:
            if isinstance(event, kinds):
                try:
                    stream.send_nowait(event)
                except anyio.WouldBlock:
                    log.warning("listener_lags", call_id=self.id, dropped=type(event).__name__)
        if isinstance(event, KeyPressed):
            self._group.start_soon(self._hook, self.agent.on_dtmf(event.key))

    def _perform(self, command: Command) -> None:
        match command:
            case SendAudio(_, audio):
                self._transport.send_audio(audio)
            case SendMark(name):
                self._transport.send_mark(name)
            case ClearPlayout():
                self._transport.clear()
            case StartReply(turn_id):
                turn = self._conversation.turn
                if turn is not None and turn.id == turn_id:
                    scope = self._replies[turn_id] = CancelScope()
                    self._group.start_soon(self._reply, turn, scope)
            case StopReply(turn_id):
                if turn_id in self._replies:
                    self._replies.pop(turn_id).cancel()
            case OpenContext(context_id, _, voicing):
                self._synthesizer.open(context_id, audio=self._transport.audio, deliver=self.deliver, voicing=voicing)
            case SpeakText(context_id, text):
                self._synthesizer.send(context_id, text)
            case FinishContext(context_id):
                self._synthesizer.finish(context_id)
            case CancelContext(context_id):
                self._synthesizer.cancel(context_id)
            case HangUp():
                self._transport.hang_up()
            case TurnClosed():
                self._turn_closed(command)
            case _:
                pass  # for those who watch

    def _turn_closed(self, closed: TurnClosed) -> None:
        over, heard = self._said.pop(closed.turn_id, (None, []))
        if over is not None:
            heard.append(closed.heard)
            over.set()
        if closed.outcome is TurnState.INTERRUPTED and not self._conversation.closed:
            self._group.start_soon(self._hook, self.agent.on_interrupted(closed))
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
                case HungUp():
                    self._line_closed.set()
                    return self.deliver(event)
                case _:
                    self.deliver(event)

    async def _reply(self, turn: Turn, scope: CancelScope) -> None:
        """Stream the agent's text for one turn."""
        with scope:
            try:
                async with token_stream(self.agent.reply(turn)) as tokens:
                    async for token in tokens:
                        self.deliver(TextProduced(turn.id, token))
                self.deliver(TextEnded(turn.id))
            except Exception as error:
                log.exception("reply_failed", call_id=self.id, turn_id=turn.id)
                self.deliver(ReplyFailed(turn.id, f"{type(error).__name__}: {error}"))

    async def _watch(self, source: InterruptionSource) -> None:
        """Pass on what one source signals. One that breaks is missed, not mourned."""
        try:
            async with source.signals(self) as signals:
                async for signal in signals:
                    self.deliver(signal)
        except Exception:
            log.exception("source_failed", call_id=self.id, source=type(source).__name__)

    async def _hook(self, hook: Awaitable[None]) -> None:
        """Await one of the agent's hooks; what it raises is its own affair."""
        try:
            await hook
        except Exception:
            log.exception("hook_failed", call_id=self.id)


def _whole_ms(at: float) -> float:
    """Round an instant up to a whole millisecond: uvloop's clock has no finer grain, and it would spin until then."""
    return max(at, math.ceil(at * 1000) / 1000) if at < math.inf else at  # the product may round down
