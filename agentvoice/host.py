"""The host: what all calls of a process share, made ready before the first one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, runtime_checkable

from anyio import AsyncContextManagerMixin, create_task_group, move_on_after, to_thread

from .agent import Agent
from .call import LAST_SECOND, Call
from .events import Event
from .hearing import Hearing
from .history import History
from .inbox import Inbox
from .interfaces import (
    AudioCleaner,
    EndOfTurn,
    LanguageModel,
    Message,
    SpeechRecognizer,
    Synthesizer,
    Transport,
    TurnRecognizer,
    VoiceActivity,
)
from .llm import NO_MODEL
from .logger import Logger
from .trace.observer import Observer

log = Logger(__name__)


@runtime_checkable
class Warms(Protocol):
    """A language model that gains from seeing the beginning of its prompt before the call."""

    async def warm(self, messages: Sequence[Message]) -> None:
        """Make ready for conversations that begin like this."""


@runtime_checkable
class Closes(Protocol):
    """A language model that holds connections."""

    async def aclose(self) -> None:
        """Close them."""


class Host(AsyncContextManagerMixin):
    """Takes calls for one kind of agent. Enter it to load the models; then `take` any number of calls at once."""

    def __init__(
        self,
        agent: Callable[[], Agent],
        *,
        synthesizer: Synthesizer,
        vad: VoiceActivity,
        recognizer: SpeechRecognizer | TurnRecognizer,
        end_of_turn: EndOfTurn | None = None,
        cleaner: AudioCleaner | None = None,
        llm: LanguageModel = NO_MODEL,
        observe: Callable[[Call], Sequence[Observer]] = lambda _: (),
        inbox: Callable[[], Inbox] = Inbox,
    ) -> None:
        """`agent` makes one for each call; `observe` names those who watch a call, such as a trace."""
        self._agent = agent
        self._synthesizer = synthesizer
        self._vad = vad
        self._recognizer = recognizer
        self._end_of_turn = end_of_turn
        self._cleaner = cleaner
        self._llm = llm
        self._observe = observe
        self._inbox = inbox
        self.calls: dict[str, Call] = {}
        """Calls under way, by their ids."""
        self.total = 0
        """Calls taken so far."""

    @property
    def live(self) -> int:
        """How many calls are under way."""
        return len(self.calls)

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Host]:
        async with create_task_group() as group:
            for part in (self._vad, self._recognizer, self._end_of_turn, self._cleaner, self._llm):
                if part is not None:
                    group.start_soon(to_thread.run_sync, part.prepare)
        llm: object = self._llm
        try:
            if isinstance(llm, Warms):
                await llm.warm(History(self._agent().instructions).messages())
            yield self
        finally:
            if isinstance(llm, Closes):
                with move_on_after(LAST_SECOND, shield=True):
                    await llm.aclose()

    async def take(
        self,
        transport: Transport,
        *,
        call_id: str,
        caller: str = "",
        called: str = "",
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Carry one call to its end. Whatever goes wrong in it is logged, and ends this call only."""
        agent = self._agent()
        if agent.llm is NO_MODEL:
            agent.llm = self._llm

        def ears(deliver: Callable[[Event], None]) -> Hearing:
            return Hearing(
                self._vad,
                self._recognizer,
                transport.audio,
                deliver,
                end_of_turn=self._end_of_turn,
                cleaner=self._cleaner,
                hears_keys=not transport.has_keys,
            )

        call = Call(
            call_id,
            agent,
            transport,
            self._synthesizer,
            ears,
            caller=caller,
            called=called,
            parameters=parameters,
            inbox=self._inbox(),
        )
        call.observers = self._observe(call)
        self.calls[call_id] = call
        self.total += 1
        log.info("call_started", call_id=call_id)
        try:
            await call.run()
        except Exception:
            log.exception("call_failed", call_id=call_id)
        finally:
            del self.calls[call_id]
            log.info("call_ended", call_id=call_id)
