"""Speech servers that tests can call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from agentvoice.interfaces import SpeechEngine
from agentvoice.testing.speech_server import SpeechServer, speech_server


@pytest.fixture(scope="package")
def server() -> Iterator[SpeechServer]:
    with speech_server(models=("tone",)) as server:
        yield server


@pytest.fixture
def serving() -> Iterator[Callable[..., SpeechServer]]:
    """Start servers with options of their own."""
    with ExitStack() as stack:

        def start(engine: SpeechEngine | None = None, **options: Any) -> SpeechServer:
            return stack.enter_context(speech_server(engine, **options))

        yield start
