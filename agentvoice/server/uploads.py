"""Edge: what comes with a request, no more of it than there may be, whatever its headers say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

LARGEST_BODY: Final = 1 << 20
"""Bytes, where nothing else is said."""


async def read_body(request: Request, *, most: int = LARGEST_BODY, why: str = "") -> bytes:
    """Return the body of a request.

    Raises:
        HTTPException: 413, it has more than `most` bytes, of which the rest is not read. `why` is what the client is
            told.
    """
    pieces, size = list[bytes](), 0
    async with aclosing(request.stream()) as stream:
        async for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise HTTPException(413, why or f"a request has {most} bytes at most")
    return b"".join(pieces)


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
