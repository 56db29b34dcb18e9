"""A call: the edge around a conversation. It waits, so that the conversation need not.

Everything that happens is delivered to one inbox; one task takes it from there, asks the conversation, and carries
out what it says in the same step. Whatever the call starts is a child of its task group, and ends with it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import anyio
from anyio import (
    CancelScope,
    create_memory_object_stream,
    create_task_group,
    current_time,
    move_on_after,
)
from anyio.abc import ObjectReceiveStream, TaskGroup
from anyio.lowlevel import checkpoint
from anyio.streams.memory import MemoryObjectSendStream

from .agent import Agent
from .blocking import run_blocking
from .commands import (
    AnswerTool,
    CancelContext,
    ClearPlayout,
    Command,
    FinishContext,
    HangUp,
    HeardText,
    LimitNear,
    OpenContext,
    SendAudio,
    SendMark,
    SilenceFell,
    SpeakText,
    StartReply,
    StartTool,
    StopReply,
    StopTool,
    TurnClosed,
    TurnConfirmed,
    TurnState,
)
from .conversation import Conversation
from .dialogue import Question, Understand, agreement
from .errors import LocalProtocolError, ProviderError, ProviderUnavailable, UsageError
from .events import (
    BargeIn,
    CallerAudio,
    CallStarted,
    Event,
    HandedOff,
    HangUpRequested,
    HungUp,
    KeyPressed,
    PlayRequested,
    ReplyFailed,
    ReplyMended,
    SayRequested,
    StopRequested,
    TextEnded,
    TextPaused,
    TextProduced,
    TokensUsed,
    Transfer,
)
from .history import History
from .inbox import Inbox
from .interfaces import Synthesizer, Transfers, Transport, Usage
from .interruption import InterruptionSource
from .llm import NO_MODEL, token_stream
from .logger import Logger
from .protection import Protected
from .sounds import read_sound
from .sources import EventSource
from .summaries import Summaries
from .tools.running import Running
from .trace.observer import Observer
from .turn import Turn

log = Logger(__name__)

LAST_SECOND: Final = 1.0
"""How long the end of a call may take, whatever hangs."""
HOLD_S: Final = 300.0
"""The longest that a caller on hold is played to."""

T = TypeVar("T")


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
        self.audio = transport.audio
        """What the line carries."""
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
            voicing=agent.voicing,
            has_marks=transport.has_marks,
            markup=synthesizer.markup,
        )
        self.history.budget = agent.budget
        self._summaries = Summaries(self.history)
        self.tools = Running(call_id, self.deliver)
        """The tools that the agent's turns have asked for."""
        self._ears = ears(self.deliver)
        self.observers: Sequence[Observer] = ()
        """Those who watch every event and every decision."""
        self.taps: Sequence[Callable[[float, CallerAudio], None]] = ()
        """Those who are given the caller's audio as well, with the time."""
        self._inbox = inbox or Inbox()
        self._line_closed = anyio.Event()
        self._ends_at = math.inf
        self._replies: dict[str, CancelScope] = {}
        self._says = 0
        self._before: list[Agent] = []  # agents that have handed off
        self._partings = 0  # how often an agent wanted to leave: its reply may then have nothing to say
        self._question: Question[Any] | None = None
        self._sources: list[EventSource] = []
        self._keys: deque[str] = deque()  # keys that the agent has not dealt with
        self._acts: list[tuple[str, Callable[[], None]]] = []  # what waits for a turn to be confirmed
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
        words = self.agent.ear.words(text) if self.agent.ear else text
        return await self._have_turn(lambda turn_id: SayRequested(turn_id, words, interruptible))

    async def resume(self, cut: TurnClosed, lead_in: str = "") -> HeardText | None:
        """Say what was not heard of a turn that was cut off, after `lead_in`: "As I was saying, "."""
        return await self.say(lead_in + cut.unheard) if cut.unheard else None

    async def play(self, sound: str | Path, text: str = "", *, interruptible: bool = True) -> HeardText | None:
        """Play a WAV file, as `say` says a text. `text` is the words in it, for the history.

        Raises:
            UsageError: the file cannot be read or converted.
        """
        audio = await run_blocking(partial(read_sound, sound, self._transport.audio))
        return await self._have_turn(lambda turn_id: PlayRequested(turn_id, audio, text, interruptible))

    @asynccontextmanager
    async def hold(self, sound: str | Path) -> AsyncIterator[None]:
        """Play a WAV file over and over, as long as the context is entered, but not for more than five minutes.

        It comes after what is being said. What the caller says meanwhile is answered afterwards.

        Raises:
            UsageError: the file cannot be read or converted.
        """
        once = await run_blocking(partial(read_sound, sound, self._transport.audio))
        turn_id = self._name_turn()
        times = self._transport.audio.size(HOLD_S) // max(1, len(once))
        self.deliver(PlayRequested(turn_id, once * max(1, times), interruptible=False))
        try:
            yield
        finally:
            self.deliver(StopRequested(turn_id))

    async def ask(
        self,
        question: str,
        understand: Understand[T],
        *,
        read_back: Callable[[T], str] | None = None,
        sorry: str = "Sorry, I did not get that.",
        attempts: int = 3,
    ) -> T | None:
        """Ask, and return what `understand` makes of the answer; `None` when it was asked in vain.

        What the caller says is the question's until then, and the agent's `reply` is not asked. `understand` raises
        `ValueError` for what is no answer; then the question is asked again, after what the error says, or `sorry`.
        With `read_back` the answer is read back until the caller agrees: "That is 555, 01 99, is that right?" Whoever
        then says what is right instead, "no, 01 98", need not be asked again. Module `answers` has what understands
        numbers, names, days.

        Not to be awaited from within `reply`, whose own turn has to end first.

        Raises:
            LocalProtocolError: another question is open.
        """
        answer: T | None = None
        for _ in range(attempts):
            if answer is None:
                answer = await self._ask(Question(question, understand, sorry=sorry, attempts=attempts))
            if answer is None or read_back is None:
                return answer
            check = Question(read_back(answer), agreement(understand), sorry=sorry, attempts=attempts)
            said = await self._ask(check)
            if said is None:
                return None
            if said.agrees or said.instead == answer:
                return answer
            answer = said.instead
        return None

    async def _ask(self, question: Question[T]) -> T | None:
        if self._question is not None:
            raise LocalProtocolError("a question is open already: await its answer first")
        self._question = question
        try:
            async with create_task_group() as group:
                group.start_soon(self.say, question.text)
                answer = await question.wait()
                group.cancel_scope.cancel()
        finally:
            self._question = None
        return answer

    def hang_up(self) -> None:
        """End the call once the agent's last word was played. An interruption before that revokes it."""
        self._partings += 1
        self.deliver(HangUpRequested())

    def transfer(self, to: str, *, summary: str = "") -> None:
        """Put the caller through to `to` once the agent's last word was played. An interruption before revokes it.

        `summary` is what that person is told first, unheard by the caller. The call with the agent ends.

        Raises:
            UsageError: this line cannot.
        """
        if not isinstance(self._transport, Transfers):
            raise UsageError(f"{type(self._transport).__name__} cannot put a caller through")
        self._partings += 1
        self.deliver(HangUpRequested(Transfer(to, summary)))

    def hand_off(self, agent: Agent) -> None:
        """Let another agent take over, in its own voice, with all that was said. `hand_back` returns to this one.

        The turn under way, if there is one, is still this agent's; if it is speculative, nothing happens until it is
        confirmed. What can interrupt stays as it is.
        """
        self._once_confirmed(partial(self._take_over, agent, back=False))

    def hand_back(self) -> None:
        """Let the agent before take over again, as `hand_off` does. Harmless when there was none."""
        if self._before:
            self._once_confirmed(partial(self._take_over, self._before[-1], back=True))

    def _once_confirmed(self, act: Callable[[], None]) -> None:
        """Do something when the turn under way is certain, and not at all if it comes to nothing."""
        if self.turn is None or self.turn.confirmed:
            act()
        else:
            self._acts.append((self.turn.id, act))

    def _take_over(self, agent: Agent, *, back: bool) -> None:
        self._partings += 1
        previous, self.agent = self.agent, agent
        if back:
            self._before.pop()
        else:
            self._before.append(previous)
        agent.call = self
        if agent.llm is NO_MODEL:
            agent.llm = previous.llm
        self.deliver(HandedOff(type(agent).__name__, agent.instructions, agent.voicing))
        self._group.start_soon(self._hook, agent.on_hand_off(previous))

    def interrupt(self, signal: BargeIn) -> None:
        """Signal a barge-in by hand."""
        self.deliver(signal)

    def used(self, turn: Turn, usage: Usage) -> None:
        """Count what a language model's answer has cost; `notes["tokens"]` is the sum of them."""
        self.deliver(TokensUsed(turn.id, usage.prompt, usage.completion, usage.remembered))
        cost = {"answers": 1, "read": usage.prompt, "written": usage.completion, "remembered": usage.remembered}
        so_far = self.notes.get("tokens", {})
        self.note(tokens={name: so_far.get(name, 0) + count for name, count in cost.items()})

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

    async def _have_turn(self, wish: Callable[[str], SayRequested | PlayRequested]) -> HeardText | None:
        """Ask for a turn of its own, and wait until it is over. One that nobody waits for any more goes on."""
        turn_id = self._name_turn()
        over, heard = self._said[turn_id] = (anyio.Event(), [])
        self.deliver(wish(turn_id))
        await over.wait()
        return heard[0]

    def _name_turn(self) -> str:
        self._says += 1
        return f"s{self._says}"

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
        while True:
            await self._inbox.settle()
            while (event := self._inbox.take()) is not None:
                self._step(event, current_time())
            if conversation.closed:
                break
            deadline = conversation.deadline
            if deadline <= (now := current_time()):
                self._step(None, now)
                await checkpoint()
                continue
            await self._inbox.wait(until=_whole_ms(deadline))
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
        for kinds, stream in self._listeners:
            if isinstance(event, kinds):
                try:
                    stream.send_nowait(event)
                except anyio.WouldBlock:
                    log.warning("listener_lags", call_id=self.id, dropped=type(event).__name__)
        for source in tuple(self._sources):
            if isinstance(event, source.watches):
                self._look(source, event, now)
        if isinstance(event, KeyPressed):
            self._keys.append(event.key)
            if len(self._keys) == 1:
                self._group.start_soon(self._dial)

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
                if self._question and self.turn:
                    self._question.confirmed(self.turn)
                acts, self._acts = self._acts, []
                for _, act in acts:
                    act()
            case TurnClosed():
                self._turn_closed(decided)
            case SilenceFell(times):
                self._group.start_soon(self._hook, self.agent.on_silence(times))
            case LimitNear(left_s):
                self._group.start_soon(self._hook, self.agent.on_limit(left_s))
            case _:
                pass  # for those who watch

    def _turn_closed(self, closed: TurnClosed) -> None:
        self._acts = [(turn_id, act) for turn_id, act in self._acts if turn_id != closed.turn_id]
        over, heard = self._said.pop(closed.turn_id, (None, []))
        if over is not None:
            heard.append(closed.heard)
            over.set()
        if closed.outcome is TurnState.INTERRUPTED and not closed.reason and not self._conversation.closed:
            self._group.start_soon(self._hook, self.agent.on_interrupted(closed))
        if self._summaries.due:
            self._group.start_soon(self._hook, self._summaries.write(self.agent.llm))
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
        else:
            if signal is not None:
                self._step(signal, now)

    async def _hook(self, hook: Awaitable[None]) -> None:
        """Await one of the agent's hooks; what it raises is its own affair."""
        try:
            await hook
        except Exception:
            log.exception("hook_failed", call_id=self.id)


def _whole_ms(at: float) -> float:
    """Round an instant up to a whole millisecond: uvloop's clock has no finer grain, and it would spin until then."""
    return max(at, math.ceil(at * 1000) / 1000) if at < math.inf else at  # the product may round down
