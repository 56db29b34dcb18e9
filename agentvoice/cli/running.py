"""Edge: an event loop that ends when a person, or a process manager, says so.

| signal  | meaning                                                              |
| ------- | -------------------------------------------------------------------- |
| SIGINT  | Ctrl-C: stop now. Whatever hangs, the process is gone within a second |
| SIGTERM | finish what is live, in bounded time, then stop                      |
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Final

import anyio
from anyio import create_task_group, open_signal_receiver
from anyio.abc import TaskStatus

PATIENCE_S: Final = 0.9
"""How long after Ctrl-C the process may last, with a model loading in a thread that nothing can stop."""


async def _nothing() -> None:
    return


def run(main: Callable[[], Awaitable[None]], *, drain: Callable[[], Awaitable[None]] = _nothing) -> None:
    """Run `main` on asyncio until it ends or is told to; on SIGTERM await `drain` first.

    Raises:
        KeyboardInterrupt: it ended because of Ctrl-C.
    """
    if anyio.run(_run, main, drain, backend_options={"use_uvloop": find_spec("uvloop") is not None}):
        raise KeyboardInterrupt


async def _run(main: Callable[[], Awaitable[None]], drain: Callable[[], Awaitable[None]]) -> bool:
    interrupted = False
    async with create_task_group() as group:

        async def obey(*, task_status: TaskStatus[None]) -> None:
            nonlocal interrupted
            with open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                task_status.started()
                draining = False
                async for number in signals:
                    if number == signal.SIGINT:
                        interrupted = True
                        _insist()
                        group.cancel_scope.cancel()
                    elif not draining:
                        draining = True
                        group.start_soon(finish)

        async def finish() -> None:
            await drain()
            group.cancel_scope.cancel()

        await group.start(obey)
        await main()
        group.cancel_scope.cancel()
    return interrupted


def _insist() -> None:
    """End the process in a moment, whatever still hangs; threads that compute cannot be cancelled."""

    def end() -> None:
        sys.stderr.flush()
        os._exit(130)

    timer = threading.Timer(PATIENCE_S, end)
    timer.daemon = True
    timer.start()
