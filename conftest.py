"""Both backends, in virtual time, for the tests of the core and of every plugin."""

import trio  # noqa: F401 - first imported within a run of pytester's, it would be imported a second time after that

from agentvoice.testing.fixtures import *  # noqa: F403
from agentvoice.testing.pytest_plugin import pytest_addoption

__all__ = ["pytest_addoption"]
