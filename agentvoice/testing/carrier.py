"""The far end of a phone line, as a carrier has it: a buffer of its own, real-time playout, marks, and `clear`.

Pure: `tick` it every 20 ms. What was played is known by construction, so it can say what was heard.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from agentvoice.audio import TELEPHONE, AudioFormat

FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class Played:
    """A stretch of the agent's audio that was played without a break."""

    start: int
    """Samples since the line was opened."""
    size: int
    """Samples."""


@dataclass(slots=True)
class _Mark:
    name: str
    at: int  # bytes of the agent's audio, played or cleared, before it


@dataclass(slots=True)
class Carrier:
    """One line's buffer. Give it what the agent sends, and `tick` it once a frame."""

    audio: AudioFormat = TELEPHONE
    returns_marks: bool = True
    """Some carriers never do."""
    mark_delay: int = 0
    """Frames by which marks come back late."""
    frames: int = 0
    """Frames played so far, silence included."""
    played: list[Played] = field(default_factory=list)
    """The agent's audio that was played."""
    cleared: int = 0
    """Bytes that a `clear` threw away."""
    _buffer: bytearray = field(default_factory=bytearray)
    _taken: int = 0  # bytes of the agent's audio that left the buffer, played or thrown away
    _marks: deque[_Mark] = field(default_factory=deque)
    _late: deque[tuple[int, str]] = field(default_factory=deque)

    @property
    def buffered_s(self) -> float:
        """Seconds of audio that wait to be played."""
        return self.audio.seconds(len(self._buffer))

    def receive_audio(self, audio: bytes) -> None:
        """Take audio from the agent."""
        self._buffer += audio

    def receive_mark(self, name: str) -> None:
        """Take a mark: it is due once everything received before it was played."""
        self._marks.append(_Mark(name, self._taken + len(self._buffer)))

    def receive_clear(self) -> None:
        """Throw away what was not played; its marks come back with the next tick, as Twilio's do."""
        self.cleared += len(self._buffer)
        self._taken += len(self._buffer)
        self._buffer.clear()

    def tick(self) -> tuple[bytes, list[str]]:
        """Play one frame. Return it, padded with silence, and the marks that come back now."""
        size = self.audio.size(FRAME_S)
        frame = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._note(len(frame) // self.audio.sample_bytes)
        self._taken += len(frame)
        self.frames += 1
        while self._marks and self._marks[0].at <= self._taken:
            self._late.append((self.frames + self.mark_delay, self._marks.popleft().name))
        marks = []
        while self._late and self._late[0][0] <= self.frames:
            marks.append(self._late.popleft()[1])
        return frame + self.audio.silence(size - len(frame)), marks if self.returns_marks else []

    def _note(self, samples: int) -> None:
        if not samples:
            return
        start = self.frames * self.audio.size(FRAME_S) // self.audio.sample_bytes
        last = self.played[-1] if self.played else None
        if last is not None and last.start + last.size == start:
            self.played[-1] = Played(last.start, last.size + samples)
        else:
            self.played.append(Played(start, samples))
