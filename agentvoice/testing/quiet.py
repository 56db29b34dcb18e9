"""A call in which nothing happens but what a test makes happen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import Event, create_task_group, sleep_forever

from agentvoice.agent import Agent
from agentvoice.audio import TELEPHONE, AudioFormat
from agentvoice.call import Call
from agentvoice.commands import Command
from agentvoice.events import CallerAudio, ContextEvent, Event as CallEvent, HungUp, LineEvent
from agentvoice.markup import NO_MARKUP
from agentvoice.turn import Turn
from agentvoice.voicing import Voicing


class QuietAgent(Agent):
    """Says nothing, and cannot be interrupted by anything."""

    sources = ()

    def reply(self, turn: Turn) -> None:
        """Say nothing."""


class QuietLine:
    """A line on which nobody speaks."""

    audio: AudioFormat = TELEPHONE
    has_marks = False
    has_keys = True

    def __init__(self) -> None:
        self._closed = Event()

    async def run(self) -> None:
        """Wait until it is hung up."""
        await self._closed.wait()

    async def receive(self) -> LineEvent:
        """Wait until it is hung up."""
        await self._closed.wait()
        return HungUp()

    def send_audio(self, audio: bytes) -> None:
        """Drop it."""

    def send_mark(self, name: str) -> None:
        """Drop it."""

    def clear(self) -> None:
        """Do nothing."""

    def hang_up(self) -> None:
        """Close the line."""
        self._closed.set()


class QuietVoice:
    """A provider that never says a word."""

    markup = NO_MARKUP

    def open(
        self,
        context_id: str,
        *,
        audio: AudioFormat,
        deliver: Callable[[ContextEvent], None],
        voicing: Voicing | None = None,
    ) -> None:
        """Begin nothing."""

    def send(self, context_id: str, text: str) -> None:
        """Drop it."""

    def finish(self, context_id: str) -> None:
        """Do nothing."""

    def cancel(self, context_id: str) -> None:
        """Do nothing."""


class QuietEars:
    """Hears nothing."""

    judges = False

    def __init__(self, deliver: Callable[[CallEvent], None]) -> None:
        pass

    def feed(self, event: CallerAudio) -> None:
        """Drop it."""

    def notice(self, decided: Command) -> None:
        """Do nothing."""

    async def run(self) -> None:
        """Do nothing."""
        await sleep_forever()


@asynccontextmanager
async def quiet_call(call_id: str = "quiet", agent: Agent | None = None) -> AsyncIterator[Call]:
    """Have a call under way for as long as the context is entered; `call.deliver(event)` makes something happen."""
    line = QuietLine()
    call = Call(call_id, agent or QuietAgent(), line, QuietVoice(), QuietEars)
    async with create_task_group() as group:
        group.start_soon(call.run)
        try:
            yield call
        finally:
            line.hang_up()
