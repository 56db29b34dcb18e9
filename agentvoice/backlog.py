"""What a recogniser that knows turns has to be given: again, when it broke in the middle of one."""

from __future__ import annotations

from collections import deque
from typing import Final

KEPT_S: Final = 30.0
"""How much audio is kept of a turn; what is older is lost to a recogniser that has not taken it."""
IDLE_S: Final = 1.0
"""How much is kept between turns: a turn begins before the recogniser says so."""


class Backlog:
    """Audio in order, of which the last part is kept after it was taken. Pure."""

    def __init__(self, sample_rate: int) -> None:
        """The audio is signed 16-bit PCM of `sample_rate`."""
        self._bytes_per_second = 2 * sample_rate
        self._pieces: deque[tuple[bytes, float]] = deque()
        self._size = 0
        self._taken = 0  # pieces that the recogniser has
        self._lost = 0
        self._in_turn = False
        self.origin = 0.0
        """When the first sample was spoken that was taken since the beginning, or since `rewind`."""
        self._fresh = True

    @property
    def lost_s(self) -> float:
        """Seconds of audio that was never taken."""
        return self._lost / self._bytes_per_second

    def add(self, pcm: bytes, *, at: float) -> None:
        """Take audio whose first sample was spoken at `at`."""
        self._pieces.append((pcm, at))
        self._size += len(pcm)
        self._forget(KEPT_S, taken=False)

    def take(self) -> bytes | None:
        """Return what the recogniser is to be given next; `None` while it has everything."""
        if self._taken == len(self._pieces):
            self._forget(KEPT_S if self._in_turn else IDLE_S, taken=True)
            return None
        pcm, at = self._pieces[self._taken]
        if self._fresh:
            self.origin, self._fresh = at, False
        self._taken += 1
        return pcm

    def rewind(self) -> None:
        """Begin again with a new recogniser, which has to be given the turn that was under way."""
        self._taken, self._fresh, self._in_turn = 0, True, False

    def turn_goes_on(self) -> None:
        """The recogniser has said that the caller has begun a turn, and not that it is over."""
        self._in_turn = True

    def turn_ended(self) -> None:
        """The recogniser has said what the caller has said: nothing of it is to be said again."""
        self._in_turn = False
        self._forget(0, taken=True)

    def _forget(self, keep_s: float, *, taken: bool) -> None:
        """Forget the oldest pieces, all but the last `keep_s`; with `taken` only those that were."""
        while self._size > keep_s * self._bytes_per_second and (self._taken or not taken):
            pcm, _ = self._pieces.popleft()
            self._size -= len(pcm)
            if self._taken:
                self._taken -= 1
            else:
                self._lost += len(pcm)
