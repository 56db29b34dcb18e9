"""What waits to be sent on a line, where a `clear` overtakes everything. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio in the line's format."""

    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mark:
    """A label, to be reported back once all audio before it was played."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """The far end shall forget what it has not played."""


Item: TypeAlias = Audio | Mark | Clear


class Outbox:
    """A queue in which nothing that was queued before a `clear` outlives it, and no mark of it is ever sent.

    A mark that followed dropped audio would come back at once, and be taken for proof that it was heard.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self.closed = False
        """Whether nothing more will be queued."""

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Queue an item, or drop it when the line has been hung up."""
        if isinstance(item, Clear):
            self._items.clear()
        if not self.closed:
            self._items.append(item)

    def take(self) -> Item | None:
        """Return what is to be sent next; `None` when there is nothing."""
        return self._items.popleft() if self._items else None

    def close(self) -> None:
        """Take nothing more; what is queued is still to be sent."""
        self.closed = True
