"""Both backends, in virtual time, for the tests of the core and of every plugin."""

from agentvoice.testing.fixtures import anyio_backend, pytest_generate_tests, unguarded

__all__ = ["anyio_backend", "pytest_generate_tests", "unguarded"]
