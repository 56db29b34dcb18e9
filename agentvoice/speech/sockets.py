"""Edge: a message stream that speaks the context protocol, served until either side ends it."""

from __future__ import annotations

from anyio import BrokenResourceError, EndOfStream, create_task_group

from agentvoice.interfaces import MessageStream
from agentvoice.tts.wire import render_response

from .decisions import Close
from .exchange import Exchange


async def serve_stream(stream: MessageStream, exchange: Exchange, *, version: str) -> Close:
    """Serve one client. Everything begun for it has ended when this returns; the caller closes the stream.

    Returns how to close it: 1000 with a reason when the server wants to, 1000 without one when the client is gone.
    """
    ended = Close(1000, "")
    try:
        async with create_task_group() as group:

            async def read() -> None:
                try:
                    while True:
                        exchange.receive(await stream.receive())
                except EndOfStream:
                    group.cancel_scope.cancel()

            group.start_soon(read)
            ended = await _write(stream, exchange, version)
            group.cancel_scope.cancel()
    finally:
        exchange.close()
    return ended


async def _write(stream: MessageStream, exchange: Exchange, version: str) -> Close:
    try:
        while True:
            due = await exchange.next()
            if isinstance(due, Close):
                return due
            await stream.send(render_response(due.reply, version))
            exchange.sent(due)
    except BrokenResourceError:
        return Close(1000, "")
