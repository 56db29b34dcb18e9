"""Functions that block, run beside the event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from anyio import to_thread

T = TypeVar("T")

in_thread: Final[ContextVar[Callable[[Callable[[], Any]], Awaitable[Any]]]] = ContextVar("in_thread")
"""How a function that blocks is run, where not in a thread: in virtual time a thread looks idle."""


async def run_blocking(function: Callable[[], T]) -> T:
    """Run what blocks in a thread. When cancelled it is left to itself there: nothing can stop it."""
    if (run := in_thread.get(None)) is not None:
        found: T = await run(function)
        return found
    return await to_thread.run_sync(function, abandon_on_cancel=True)
