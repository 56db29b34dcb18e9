"""Token streams: whatever an agent's `reply` returns, as one async iterator of strings that is always closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import TypeAlias

Tokens: TypeAlias = AsyncIterator[str] | Awaitable[AsyncIterator[str]]
"""What `reply` may return: an async generator of strings is the plainest."""


@asynccontextmanager
async def token_stream(tokens: Tokens) -> AsyncIterator[AsyncIterator[str]]:
    """Open a reply for reading, and close it however the reading ends."""
    if isawaitable(tokens):
        tokens = await tokens
    try:
        yield tokens
    finally:
        if (aclose := getattr(tokens, "aclose", None)) is not None:
            await aclose()
