"""Edge: what a client uploads in one request, no more of it than it may be, whatever its headers say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from agentvoice.server import uploads as server

MAX_BODY: Final = 1 << 20
"""The largest body of a request, in bytes, where nothing else is said."""


async def read_body(request: Request, *, most: int = MAX_BODY) -> bytes:
    """Return the body of a request.

    Raises:
        HTTPException: 413, it has more than `most` bytes; the rest is not read.
    """
    body = await server.read_body(request, most=most)
    if body is None:
        raise HTTPException(413, f"a request has {most} bytes at most")
    return body


@asynccontextmanager
async def read_form(request: Request, *, most: int) -> AsyncIterator[FormData]:
    """Return the form that a request carries, and close its files in the end.

    Raises:
        HTTPException: 413, as `read_body`; 400, it is no form.
    """
    body = await read_body(request, most=most)

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async with Request(request.scope, receive).form(max_part_size=most) as form:
        yield form
