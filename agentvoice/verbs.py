"""What an agent may do on its call, and what it sees of it. `Call` is one, and carries it out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio
from anyio import create_memory_object_stream, create_task_group
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectSendStream

from .agent import Agent
from .blocking import run_blocking
from .commands import HeardText, TurnClosed
from .conversation import Conversation
from .dialogue import Question, Understand, agreement
from .errors import LocalProtocolError, UsageError
from .events import (
    BargeIn,
    Event,
    HandedOff,
    HangUpRequested,
    PlayRequested,
    SayRequested,
    StopRequested,
    TokensUsed,
    Transfer,
)
from .history import History
from .interfaces import Transfers, Transport, Usage
from .llm import NO_MODEL
from .logger import Logger
from .sounds import read_sound
from .turn import Turn

log = Logger(__name__)

HOLD_S: Final = 300.0
"""The longest that a caller on hold is played to."""

T = TypeVar("T")


class Verbs(ABC):
    """The verbs of a call."""

    def __init__(self, call_id: str, agent: Agent, transport: Transport, conversation: Conversation) -> None:
        self.id = call_id
        self.agent = agent
        self.notes: dict[str, Any] = {}
        """What the agent found worth keeping; see `note`."""
        self._transport = transport
        self._conversation = conversation
        self._says = 0
        self._said: dict[str, tuple[anyio.Event, list[HeardText | None]]] = {}
        self._before: list[Agent] = []  # agents that have handed off
        self._partings = 0  # how often an agent wanted to leave: its reply may then have nothing to say
        self._question: Question[Any] | None = None
        self._acts: list[tuple[str, Callable[[], None]]] = []  # what waits for a turn to be confirmed
        self._listeners: list[tuple[tuple[type[Event], ...], MemoryObjectSendStream[Event]]] = []

    @abstractmethod
    def deliver(self, event: Event) -> None:
        """Say that something happened. From the event loop only; never waits."""

    @abstractmethod
    def _soon(self, hook: Awaitable[None]) -> None:
        """Await one of the agent's hooks, beside the call."""

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
        agent.call = self  # type: ignore[assignment]  # `Call` is the only one there is
        if agent.llm is NO_MODEL:
            agent.llm = previous.llm
        self.deliver(HandedOff(type(agent).__name__, agent.instructions, agent.voicing))
        self._soon(agent.on_hand_off(previous))

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

    # ------------------------------------------------------------------ what the call tells them

    def _turn_confirmed(self) -> None:
        """The turn under way is certain: what waited for that is done."""
        if self._question and self.turn:
            self._question.confirmed(self.turn)
        acts, self._acts = self._acts, []
        for _, act in acts:
            act()

    def _turn_over(self, closed: TurnClosed) -> None:
        """A turn is over: whoever asked for it learns what was heard."""
        self._acts = [(turn_id, act) for turn_id, act in self._acts if turn_id != closed.turn_id]
        over, heard = self._said.pop(closed.turn_id, (None, []))
        if over is not None:
            heard.append(closed.heard)
            over.set()

    def _happened(self, event: Event) -> None:
        """Pass an event on to those who watch."""
        for kinds, stream in self._listeners:
            if isinstance(event, kinds):
                try:
                    stream.send_nowait(event)
                except anyio.WouldBlock:
                    log.warning("listener_lags", call_id=self.id, dropped=type(event).__name__)
