"""How many contexts a provider is asked to speak at once, and on which socket. Pure arithmetic.

A context counts from its first request until its end is known: one that was cancelled may go on talking, and the
provider counts it too.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What the provider allows, and how long to wait for it. Seconds."""

    per_socket: int = 32
    """Contexts at once on one socket."""
    total: int = 1000
    """Contexts at once on all sockets: the account's concurrency."""
    sockets: int = 4
    """Sockets at once. The first is always open, others while they are needed."""
    waiting: int = 100
    """Contexts that may wait for a place. More are refused at once."""
    wait_s: float = 5.0
    """How long a context with text may wait for a place, or for a socket."""
    stall_s: float = 8.0
    """How long a context may owe us audio without a message about it: throttled streams stop without a word."""
    linger_s: float = 0.5
    """How long after its last message a cancelled context still counts."""
    linger_most_s: float = 10.0
    """How long a cancelled context counts at most, however much it talks."""


class Governor:
    """Places contexts on sockets, which are numbered from 0."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places: dict[str, int] = {}
        self._load: Counter[int] = Counter()
        self._up: set[int] = set()

    @property
    def used(self) -> int:
        """How many contexts have a place."""
        return len(self._places)

    def socket_up(self, socket: int) -> None:
        """Place contexts on this socket from now on."""
        self._up.add(socket)

    def socket_down(self, socket: int) -> None:
        """Place nothing there any more. Release what was there."""
        self._up.discard(socket)

    @property
    def is_up(self) -> bool:
        """Whether any socket is."""
        return bool(self._up)

    def place(self, context_id: str) -> int | None:
        """Give a context a place on the first socket that has one; `None` when there is none."""
        if self.used >= self._limits.total:
            return None
        for socket in sorted(self._up):  # the first ones fill up first, so that the last ones can go
            if self._load[socket] < self._limits.per_socket:
                self._places[context_id] = socket
                self._load[socket] += 1
                return socket
        return None

    def release(self, context_id: str) -> None:
        """Take back a context's place, if it has one."""
        socket = self._places.pop(context_id, None)
        if socket is not None:
            self._load[socket] -= 1

    def wants(self, socket: int, *, waiting: int) -> bool:
        """Return whether this socket should be open, when so many contexts wait for a place."""
        demand = min(self.used + waiting, self._limits.total)
        needed = max(1, math.ceil(demand / self._limits.per_socket))
        return self._load[socket] > 0 or socket < min(needed, self._limits.sockets)
