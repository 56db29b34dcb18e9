"""Both backends, in virtual time, for the tests of the core and of every plugin."""

from collections.abc import Iterator

import pytest
import structlog
import trio  # noqa: F401 - first imported within a run of pytester's, it would be imported a second time after that

from agentvoice.testing.fixtures import *  # noqa: F403
from agentvoice.testing.pytest_plugin import pytest_addoption

__all__ = ["pytest_addoption"]


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command that is run in a test sets up its logs, and the tests after it look at theirs."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
