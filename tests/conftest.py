"""Asynchronous tests run on asyncio and on trio, in virtual time."""

from agentvoice.testing.fixtures import anyio_backend as anyio_backend, pytest_generate_tests as pytest_generate_tests
