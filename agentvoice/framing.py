"""Pieces of any length for what takes frames of one length: as much comes out as went in, one frame late."""

from __future__ import annotations

from collections.abc import Callable


class Framed:
    """Hands a stream of bytes on in whole frames. Pure.

    What comes out is late by exactly one frame, whatever the pieces are: so long the last byte of a frame keeps its
    first one waiting.
    """

    def __init__(self, size: int, process: Callable[[bytes], bytes]) -> None:
        """`process` turns a frame of `size` bytes into one of the same size. One of zeros comes out first."""
        self._size = size
        self._process = process
        self._coming = bytearray()
        self._ready = bytearray(size)

    def __call__(self, data: bytes) -> bytes:
        """Take bytes of any length; return as many."""
        self._coming += data
        whole = len(self._coming) // self._size * self._size
        for at in range(0, whole, self._size):
            self._ready += self._process(bytes(self._coming[at : at + self._size]))
        del self._coming[:whole]
        out = bytes(self._ready[: len(data)])
        del self._ready[: len(data)]
        return out
