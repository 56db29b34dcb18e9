"""Asynchronous tests run on asyncio and on trio, in virtual time, unless they say otherwise.

`pytest --agentvoice-clock` brings them in, or a `conftest.py`:

    from agentvoice.testing.fixtures import *

Tests marked `real_time`, `sockets` or `speech` touch the world outside, and run on asyncio in real time. Any other that
does fails (`guard`), unless it has the fixture `unguarded`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .clock import virtual
from .guard import guarded

if TYPE_CHECKING:
    from .simulated import SimulatedCall

__all__ = ["anyio_backend", "pytest_generate_tests", "simulate", "unguarded"]

REAL = ("real_time", "sockets", "speech")
"""Markers of tests that need the real clock."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once on each backend, or once in real time."""
    if "anyio_backend" in metafunc.fixturenames:
        real = any(metafunc.definition.get_closest_marker(name) for name in REAL)
        backends = ["asyncio-real"] if real else ["asyncio", "trio"]
        metafunc.parametrize("anyio_backend", backends, indirect=True)


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the backend and its options, as anyio's own plugin wants them."""
    if request.param == "asyncio-real":
        yield "asyncio", {}
    elif "unguarded" in request.fixturenames:
        yield virtual(request.param)
    else:
        with guarded():
            yield virtual(request.param)


@pytest.fixture
def unguarded() -> None:
    """Let a test in virtual time touch sockets, threads and the wall clock: it knows what it does."""


@pytest.fixture
def simulate() -> Callable[..., Awaitable[SimulatedCall]]:
    """Return what has a whole call in memory; see `agentvoice.testing.simulate`."""
    from .simulate import simulate as have_call  # noqa: PLC0415 - only where calls are had

    return have_call
