"""The shape that most sources have: one event of the call makes at most one signal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import create_memory_object_stream, create_task_group
from anyio.abc import ObjectReceiveStream

from agentvoice.events import BargeIn, Event

if TYPE_CHECKING:
    from agentvoice.call import Call


class EventSource(ABC):
    """A source that looks at what happens in the call, and at nothing else."""

    watches: tuple[type[Event], ...]
    """The events that it looks at."""

    @abstractmethod
    def signal(self, event: Event) -> BargeIn | None:
        """Return what the event means, if anything."""

    @asynccontextmanager
    async def signals(self, call: Call) -> AsyncIterator[ObjectReceiveStream[BargeIn]]:
        """As `InterruptionSource.signals`."""
        send, receive = create_memory_object_stream[BargeIn](16)

        async def watch() -> None:
            async with send:
                async for event in events:
                    if (signal := self.signal(event)) is not None:
                        await send.send(signal)

        with receive:
            async with call.events(*self.watches) as events, create_task_group() as group:
                group.start_soon(watch)
                yield receive
                group.cancel_scope.cancel()
