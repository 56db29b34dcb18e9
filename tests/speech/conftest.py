"""A speech server that tests can call: the tone engine on a real port, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from anyio import from_thread

from agentvoice.interfaces import SpeechEngine
from agentvoice.speech.serve import serve
from agentvoice.speech.tone import ToneEngine

KEY = "sk_car_test"


@dataclass(frozen=True)
class Server:
    """Where it listens, and what it asks for."""

    port: int
    key: str = KEY

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@contextmanager
def running(engine: SpeechEngine, **options: Any) -> Iterator[Server]:
    """Serve in a thread until the block ends."""
    with from_thread.start_blocking_portal() as portal:
        ready: list[int] = []
        up = threading.Event()

        def on_ready(port: int) -> None:
            ready.append(port)
            up.set()

        async def main() -> None:
            try:
                await serve(engine, port=0, on_ready=on_ready, **{"api_key": KEY} | options)
            finally:
                up.set()

        task = portal.start_task_soon(main)
        assert up.wait(5)
        if not ready:
            task.result()
        try:
            yield Server(ready[0])
        finally:
            task.cancel()


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    with running(ToneEngine(), models=("tone",)) as server:
        yield server


@pytest.fixture
def serving() -> Iterator[Callable[..., Server]]:
    """Start servers with options of their own."""
    with ExitStack() as stack:

        def start(engine: SpeechEngine | None = None, **options: Any) -> Server:
            return stack.enter_context(running(engine or ToneEngine(), **options))

        yield start
