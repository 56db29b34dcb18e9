"""Asynchronous tests run on asyncio and on trio, in virtual time, unless they say otherwise.

`pytest --agentvoice-clock` brings them in, or a `conftest.py`:

    from agentvoice.testing.fixtures import *

Tests marked `real_time`, `sockets` or `speech` touch the world outside, and run on asyncio in real time. Any other that
does fails (`guard`), unless it has the fixture `unguarded`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

from .clock import virtual
from .guard import guarded

if TYPE_CHECKING:
    from .golden import Golden
    from .simulated import SimulatedCall

__all__ = [
    "anyio_backend",
    "golden",
    "pytest_assertrepr_compare",
    "pytest_generate_tests",
    "pytest_runtest_makereport",
    "simulate",
    "unguarded",
]

_CALLS = pytest.StashKey[list["SimulatedCall"]]()
"""The calls that a test has had."""

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
def simulate(request: pytest.FixtureRequest) -> Callable[..., Awaitable[SimulatedCall]]:
    """Return what has a whole call in memory; see `agentvoice.testing.simulate`. A test that fails shows its calls."""
    from .simulate import simulate as have_call  # noqa: PLC0415 - only where calls are had

    calls = request.node.stash[_CALLS] = []

    @wraps(have_call)
    async def simulate(*args: Any, **kwargs: Any) -> SimulatedCall:
        calls.append(call := await have_call(*args, **kwargs))
        return call

    return simulate


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str], Golden]:
    """Return what a call of this name was like when it was right; see `agentvoice.testing.golden`."""
    from .golden import UPDATE, Golden  # noqa: PLC0415 - only where it is asked for

    tests = request.config.rootpath / "tests"
    folder = (tests if tests.is_dir() else request.path.parent) / "traces"
    update = bool(request.config.getoption(UPDATE, default=False))
    return lambda name: Golden(folder / f"{name}.txt", update=update)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Tell how a call differs from what was expected of it, line by line."""
    from .golden import Golden, explained, explained_turns  # noqa: PLC0415 - only where something fails
    from .simulated import SimulatedTurn  # noqa: PLC0415

    match left, right:
        case (call, Golden() as golden) | (Golden() as golden, call) if op == "==":
            return explained(call, golden)
        case ([*turns], [*others]) if op == "==" and all(isinstance(one, SimulatedTurn) for one in (*turns, *others)):
            return explained_turns(turns, others)
        case _:
            return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001 - how pytest calls it
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the simulated calls of a test that fails."""
    report = yield
    calls = item.stash.get(_CALLS, [])
    if report.failed and calls:
        from .golden import told_of  # noqa: PLC0415 - only where something fails

        report.sections += [(f"Simulated call {number}", told_of(one) or "") for number, one in enumerate(calls, 1)]
    return report
