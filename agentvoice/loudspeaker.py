"""What the caller's loudspeaker plays, and when: for those who take the echo of it out of the line."""

from __future__ import annotations

from typing import Final

KEPT_S: Final = 1.0
"""How much of the past is kept."""


class Loudspeaker:
    """A far end that plays at once, and in order, what it is sent. Pure. Audio is signed 16-bit PCM."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._tape = bytearray()
        self._at = 0.0
        """When the tape's first sample is played."""

    @property
    def _ends_at(self) -> float:
        return self._at + len(self._tape) / (2 * self._rate)

    def send(self, pcm: bytes, *, now: float) -> None:
        """Take audio that is sent to the far end now. It is played when all before it was."""
        self._forget(now)
        if self._ends_at < now:
            self._tape += bytes(2 * round((now - self._ends_at) * self._rate))
        self._tape += pcm

    def clear(self, *, now: float) -> None:
        """The far end forgets what it has not played."""
        del self._tape[2 * max(0, round((now - self._at) * self._rate)) :]

    def played(self, samples: int, *, at: float) -> bytes:
        """Return so many samples that are played from `at` on; silence where there is nothing."""
        start = round((at - self._at) * self._rate)
        before = min(samples, max(0, -start))
        taken = bytes(self._tape[2 * max(0, start) : 2 * max(0, start + samples)])
        return (bytes(2 * before) + taken).ljust(2 * samples, b"\0")

    def _forget(self, now: float) -> None:
        if now - KEPT_S > self._ends_at:
            self._tape.clear()
            self._at = now
        elif (old := round((now - KEPT_S - self._at) * self._rate)) > self._rate:
            del self._tape[: 2 * old]
            self._at += old / self._rate
