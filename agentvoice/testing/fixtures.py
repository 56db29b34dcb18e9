"""Asynchronous tests run on asyncio and on trio, in virtual time, unless they say otherwise.

`pytest --agentvoice-clock` brings them in, or a `conftest.py`:

    from agentvoice.testing.fixtures import anyio_backend, pytest_generate_tests, simulate

Tests marked `real_time`, `sockets` or `speech` touch the world outside, and run on asyncio in real time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from .clock import virtual

if TYPE_CHECKING:
    from .simulated import SimulatedCall

REAL = ("real_time", "sockets", "speech")
"""Markers of tests that need the real clock."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once on each backend, or once in real time."""
    if "anyio_backend" in metafunc.fixturenames:
        real = any(metafunc.definition.get_closest_marker(name) for name in REAL)
        backends = ["asyncio-real"] if real else ["asyncio", "trio"]
        metafunc.parametrize("anyio_backend", backends, indirect=True)


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Return the backend and its options, as anyio's own plugin wants them."""
    return ("asyncio", {}) if request.param == "asyncio-real" else virtual(request.param)


@pytest.fixture
def simulate() -> Callable[..., Awaitable[SimulatedCall]]:
    """Return what has a whole call in memory; see `agentvoice.testing.simulate`."""
    from .simulate import simulate as have_call  # noqa: PLC0415 - only where calls are had

    return have_call
