"""Edge: the body of a request, no more of it than there may be, whatever its headers say."""

from __future__ import annotations

from contextlib import aclosing

from starlette.requests import Request


async def read_body(request: Request, *, most: int) -> bytes | None:
    """Return the body of a request; `None` when it has more than `most` bytes: the rest is not read."""
    pieces, size = list[bytes](), 0
    async with aclosing(request.stream()) as stream:
        async for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size > most:
                return None
    return b"".join(pieces)
