"""Messages on their way to one client: in order within a context, in turn between contexts."""

from __future__ import annotations

from collections import OrderedDict, deque

from agentvoice.tts.wire import Chunk

from .decisions import Send


class Outbox:
    """A queue for each context. None of them makes another wait for more than one message.

    `room` is how many bytes of audio a context may have waiting before its synthesis pauses: the client reads
    slowly, or not at all.
    """

    def __init__(self, *, room: int) -> None:
        self._room = room
        self._queues: OrderedDict[int, deque[Send]] = OrderedDict()
        self._sizes: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._queues)

    def put(self, send: Send) -> None:
        """Append to the queue of its context."""
        self._queues.setdefault(send.key, deque()).append(send)
        self._sizes[send.key] = self._sizes.get(send.key, 0) + _size(send)

    def take(self) -> Send | None:
        """Return the next message of the context whose turn it is; `None` when there is nothing to send."""
        if not self._queues:
            return None
        key, queue = next(iter(self._queues.items()))
        send = queue.popleft()
        self._sizes[key] -= _size(send)
        if queue:
            self._queues.move_to_end(key)
        else:
            del self._queues[key], self._sizes[key]
        return send

    def has_room(self, key: int) -> bool:
        """Return whether a context may make more audio."""
        return self._sizes.get(key, 0) < self._room

    def drop(self, key: int) -> None:
        """Throw away what waits for a context."""
        self._queues.pop(key, None)
        self._sizes.pop(key, None)


def _size(send: Send) -> int:
    return len(send.reply.audio) if isinstance(send.reply, Chunk) else 0
