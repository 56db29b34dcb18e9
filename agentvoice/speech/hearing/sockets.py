"""Edge: a client of one of the recognition sockets, served until either side ends it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from anyio import BrokenResourceError, EndOfStream, create_memory_object_stream, create_task_group, move_on_after
from anyio.abc import ObjectReceiveStream

from agentvoice.errors import AgentVoiceError
from agentvoice.interfaces import MessageStream
from agentvoice.speech.decisions import Close
from agentvoice.stt.messages import Close as CloseCommand, CommandRejected, Configure, Heard, render_heard
from agentvoice.tts.messages import Failure

from .decoding import Decoder
from .ears import Ear, Ears
from .parameters import Listen
from .sessions import Session

log = structlog.get_logger()

IDLE_S: Final = 180.0
"""A client that sends nothing for so long is sent away, as the provider does."""


async def serve_hearing(
    stream: MessageStream, ears: Ears, listen: Listen, session: Session, *, request_id: str, version: str
) -> Close:
    """Serve one client; return how to close the stream, which the caller does."""
    send, due = create_memory_object_stream[Heard](math.inf)

    def put(all_heard: Iterable[Heard]) -> None:
        for heard in all_heard:
            send.send_nowait(heard)

    ended: Close | None = None
    decoder = Decoder(listen.encoding, listen.sample_rate)
    with send, due:
        async with create_task_group() as group:
            group.start_soon(_write, stream, due, request_id, version)
            try:
                async with ears.hearing(session, decoder.sample_rate, put) as ear:
                    put(session.begin())
                    ended = await _read(stream, session, ear, decoder, put)
            except Exception as broken:
                log.exception("recognition_failed", request_id=request_id)
                put([Failure(None, 500, "Recognition failed", _reason(broken))])
                ended = Close(1011, "recognition failed")
            if ended is None:
                group.cancel_scope.cancel()  # nobody is there to read the rest
            send.close()
    return ended or Close(1000, "")


async def _read(
    stream: MessageStream, session: Session, ear: Ear, decoder: Decoder, put: Callable[[Iterable[Heard]], None]
) -> Close | None:
    """Do what the client says until it is over; `None` when the client is gone."""
    try:
        while True:
            with move_on_after(IDLE_S) as patience:
                message = await stream.receive()
            if patience.cancelled_caught:
                return Close(1000, "connection idle timeout")
            if isinstance(message, bytes):
                await ear.hear(decoder(message))
            elif await _obey(message, session, ear, put):
                return Close(1000, "")
    except EndOfStream:
        return None


async def _obey(message: str, session: Session, ear: Ear, put: Callable[[Iterable[Heard]], None]) -> bool:
    """Do what a text message says; return whether it was the last."""
    try:
        command = session.read(message)
    except CommandRejected as refused:
        put([Failure(None, 400, "Invalid request", str(refused))])
        return False
    if not isinstance(command, Configure):
        await ear.end()
    if isinstance(command, CloseCommand):
        await ear.settle()
        put(session.finish())
        return True
    put(session.obey(command))
    return False


async def _write(stream: MessageStream, due: ObjectReceiveStream[Heard], request_id: str, version: str) -> None:
    """Send what is due. A client that is gone is found out by `_read`, too."""
    try:
        async for heard in due:
            await stream.send(render_heard(heard, request_id=request_id, version=version))
    except BrokenResourceError:
        return


def _reason(broken: BaseException) -> str:
    """Return what our own errors say; of others nothing is told to clients."""
    if isinstance(broken, BaseExceptionGroup):
        return "; ".join(filter(None, map(_reason, broken.exceptions)))
    return (
        str(broken) if isinstance(broken, AgentVoiceError) else "the recogniser has broken; the server's log says why"
    )
