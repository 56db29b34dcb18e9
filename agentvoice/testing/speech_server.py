"""A speech server that tests can call: on a real port, in a thread of its own, whatever loop the tests run on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from anyio import from_thread

from agentvoice.interfaces import SpeechEngine
from agentvoice.speech.serve import serve
from agentvoice.speech.tone import ToneEngine

KEY: Final = "sk_car_test"
_START_S: Final = 30.0
"""How long an engine may take to load."""


@dataclass(frozen=True, slots=True)
class SpeechServer:
    """Where it listens, and what it asks for."""

    port: int
    key: str | None = KEY

    @property
    def http(self) -> str:
        """The address of all its doors."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        """The same, for sockets."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def socket(self) -> str:
        """The address of the context protocol."""
        return f"{self.ws}/tts/websocket"


@contextmanager
def speech_server(
    engine: SpeechEngine | None = None, *, api_key: str | None = KEY, **options: Any
) -> Iterator[SpeechServer]:
    """Serve an engine, the tone engine unless told otherwise, until the block ends. `options` are those of `serve`.

    Raises:
        UsageError: as `serve`.
    """
    with from_thread.start_blocking_portal() as portal:
        ready: list[int] = []
        up = threading.Event()

        def on_ready(port: int) -> None:
            ready.append(port)
            up.set()

        async def main() -> None:
            try:
                await serve(engine or ToneEngine(), port=0, api_key=api_key, on_ready=on_ready, **options)
            finally:
                up.set()

        task = portal.start_task_soon(main)
        up.wait(_START_S)
        if not ready:
            task.cancel()
            task.result()
        try:
            yield SpeechServer(ready[0], api_key)
        finally:
            task.cancel()
