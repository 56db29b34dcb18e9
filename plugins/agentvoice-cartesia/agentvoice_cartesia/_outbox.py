"""What waits to be sent: audio in whole samples, and words in between, in their order."""

from __future__ import annotations

from collections import deque
from typing import Final

LARGEST_S: Final = 0.5
"""How much audio one message holds at most."""


class Outbox:
    """A queue of messages. Pure. What waits is sent in as few messages as there may be."""

    def __init__(self, sample_rate: int) -> None:
        """Audio is signed 16-bit PCM of `sample_rate`."""
        self._rate = 2 * sample_rate
        self._largest = 2 * round(LARGEST_S * sample_rate)
        self._waiting: deque[bytearray | str] = deque()
        self._half = b""  # of a sample
        self._added = 0

    @property
    def added_s(self) -> float:
        """How much audio has been added so far, sent or not."""
        return self._added / self._rate

    def add(self, pcm: bytes) -> None:
        """Take audio of any length."""
        pcm = self._half + pcm
        whole = len(pcm) // 2 * 2
        pcm, self._half = pcm[:whole], pcm[whole:]
        self._added += whole
        if self._waiting and isinstance(last := self._waiting[-1], bytearray):
            last += pcm
        elif pcm:
            self._waiting.append(bytearray(pcm))

    def silence(self, seconds: float) -> None:
        """Add silence."""
        self.add(bytes(2 * round(seconds * self._rate / 2)))

    def say(self, message: str) -> None:
        """Take words, which come after all audio so far. Half a sample before them never gets its other half."""
        self._half = b""
        self._waiting.append(message)

    def take(self) -> str | bytes | None:
        """Return the next message; `None` while there is none."""
        if not self._waiting:
            return None
        first = self._waiting[0]
        if isinstance(first, str):
            self._waiting.popleft()
            return first
        pcm = bytes(first[: self._largest])
        del first[: self._largest]
        if not first:
            self._waiting.popleft()
        return pcm
