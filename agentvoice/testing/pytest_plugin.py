"""For pytest, by entry point: `pytest --agentvoice-clock` runs asynchronous tests in virtual time, on asyncio and trio.

`agentvoice_clock = true` in the configuration does the same for good. Without either nothing changes: who tests other
things with anyio keeps the real clock. `fixtures` says which tests keep it in any case.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option, and its name in the configuration."""
    what = "run asynchronous tests in virtual time, on asyncio and on trio"
    group = parser.getgroup("agentvoice")
    group.addoption("--agentvoice-clock", action="store_true", help=what)
    group.addoption("--agentvoice-update", action="store_true", help="write golden calls anew, as they are now")
    parser.addini("agentvoice_clock", what, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Bring the fixtures in where they are asked for; being the last to, they replace anyio's."""
    config.addinivalue_line("markers", "real_time: runs on asyncio, with the real clock")
    if config.getoption("--agentvoice-clock") or config.getini("agentvoice_clock"):
        from . import fixtures  # noqa: PLC0415 - a plugin of every pytest on the machine has to be light

        config.pluginmanager.register(fixtures, "agentvoice-clock")
