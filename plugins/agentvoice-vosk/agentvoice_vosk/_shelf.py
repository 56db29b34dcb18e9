"""The decoders of a process, kept warm between segments of speech."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock

from ._decoder import Decoder


class Shelf:
    """Lends decoders, one to each segment under way.

    Kaldi composes its graph of words as speech leads through it, and every decoder remembers its own: a fresh one takes
    0.1 s to make and three times the work of a warm one, and a warm one remembers 100 to 200 MB. So calls share them:
    there are as many as callers who speak at once, not as many as calls.
    """

    def __init__(self, make: Callable[[], Decoder], *, spare: int) -> None:
        """`spare` is how many are kept that nobody uses."""
        self._make = make
        self._spare = spare
        self._idle: deque[Decoder] = deque()
        self._lock = Lock()

    def stock(self, count: int) -> None:
        """Have so many decoders ready and warm before the first caller speaks. Takes half a second for each."""
        for decoder in [self.take() for _ in range(count)]:
            decoder.warm_up()
            self.put_back(decoder)

    def take(self) -> Decoder:
        """Return a decoder that is ready for a segment: the one that was used last. Blocks; for worker threads."""
        with self._lock:
            decoder = self._idle.pop() if self._idle else None
            # One at a time, since to free its memory takes a while. It is freed when this method ends.
            surplus = self._idle.popleft() if len(self._idle) > self._spare else None
        if decoder is None:
            decoder = self._make()
        decoder.begin()
        del surplus
        return decoder

    def put_back(self, decoder: Decoder) -> None:
        """Take a decoder back, in whatever state. Returns at once."""
        with self._lock:
            self._idle.append(decoder)
