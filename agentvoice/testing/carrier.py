"""The far end of a phone line, as a carrier has it: a buffer of its own, real-time playout, marks, and `clear`.

Pure: `tick` it every 20 ms. What was played is known by construction, byte by byte, so it can say what was heard.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from agentvoice.audio import TELEPHONE, AudioFormat

from .weather import FAIR, Road, Weather

FRAME_S: Final = 0.02
_FOR_EVER: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Played:
    """A stretch of the agent's audio that was played without a break. In samples."""

    start: int
    """Since the line was opened."""
    size: int
    position: int = 0
    """Where it begins in all that the agent sent."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of audio, as the agent sent it. In samples."""

    position: int
    """Where it begins in all that the agent sent."""
    size: int
    arrived: int
    """When it came, since the line was opened."""


@dataclass(frozen=True, slots=True)
class _Mark:
    name: str


@dataclass(frozen=True, slots=True)
class _Clear:
    pass


class Carrier:
    """One line. Give it what the agent sends and what the caller says, and `tick` it once a frame."""

    def __init__(self, audio: AudioFormat = TELEPHONE, weather: Weather = FAIR) -> None:
        self.audio = audio
        self.weather = weather
        self.frames = 0
        """Frames played so far, silence included."""
        self.pieces: list[Piece] = []
        """The agent's audio as it came, message by message."""
        self.played: list[Played] = []
        """The agent's audio that was played."""
        self.cleared = 0
        """Bytes that a `clear` threw away."""
        self.lost = 0
        """Bytes of the agent's that were lost on the air."""
        self._size = audio.size(FRAME_S)
        self._jitter, self._late = round(weather.jitter_s / FRAME_S), round(weather.late_marks_s / FRAME_S)
        self._is_punctual = not self._jitter and weather.dies_at_s == math.inf
        self._is_fair = self._is_punctual and not weather.loss
        self._random, self._random_marks = Random(weather.seed), Random(weather.seed + 3)
        self._from_agent = Road[bytes | _Mark | _Clear](self._jitter, Random(weather.seed + 1))
        self._from_caller = Road[tuple[int, bytes]](self._jitter, Random(weather.seed + 2))
        self._said = 0  # frames of the caller's so far
        self._buffer = bytearray()
        self._taken = 0  # bytes of the agent's audio that left the buffer: played, lost or thrown away
        self._marks: deque[tuple[int, str]] = deque()  # the bytes before it, and its name
        self._returning: deque[tuple[int, str]] = deque()  # the frame in which it comes back, and its name

    @property
    def buffered_s(self) -> float:
        """Seconds of audio that wait to be played."""
        return self.audio.seconds(len(self._buffer))

    @property
    def position(self) -> int:
        """Samples of the agent's that left the buffer: what follows may still be played."""
        return self._taken // self.audio.sample_bytes

    @property
    def dead(self) -> bool:
        """Whether the line has died, unnoticed."""
        return self.frames * FRAME_S >= self.weather.dies_at_s

    # ------------------------------------------------------------------ from the agent

    def outlasts(self, frame: int) -> bool:
        """Whether there is enough to play until that frame: audio and marks of until then may as well be taken now."""
        return self._is_punctual and len(self._buffer) >= (frame - self.frames) * self._size

    def receive_audio(self, audio: bytes, *, frame: int | None = None) -> None:
        """Take audio from the agent. It came in `frame`, if that is not the next to be played."""
        self._from_agent.send(audio, tick=self.frames)
        self._arrive(frame)

    def receive_mark(self, name: str) -> None:
        """Take a mark: it is due once everything received before it was played."""
        self._from_agent.send(_Mark(name), tick=self.frames)
        self._arrive()

    def receive_clear(self) -> None:
        """Throw away what was not played; its marks come back with the next tick, as Twilio's do."""
        self._from_agent.send(_Clear(), tick=self.frames)
        self._arrive()

    def _arrive(self, frame: int | None = None) -> None:
        for thing in self._from_agent.arrived(tick=self.frames):
            match thing:
                case bytes():
                    samples = self.audio.sample_bytes
                    position = (self._taken + len(self._buffer)) // samples
                    arrived = (self.frames if frame is None else frame) * self._size // samples
                    self.pieces.append(Piece(position, len(thing) // samples, arrived))
                    self._buffer += thing
                case _Mark(name):
                    self._marks.append((self._taken + len(self._buffer), name))
                case _Clear():  # pragma: no branch
                    self.cleared += len(self._buffer)
                    self._taken += len(self._buffer)
                    self._buffer.clear()

    # ------------------------------------------------------------------ a frame

    @property
    def settled(self) -> int:
        """For how many frames to come no mark returns and, unless something arrives, it is settled what is played."""
        if self.dead:
            return _FOR_EVER
        if self._is_punctual and not self._returning:
            return max(0, self._marks_due) if self._marks else _FOR_EVER
        awaited = [due - self.frames for due in (self._from_agent.due, self._from_caller.due) if due is not None]
        if self._returning:
            awaited.append(self._returning[0][0] - self.frames - 1)
        if self._marks:
            awaited.append(self._marks_due)
        if self.weather.dies_at_s < math.inf:
            awaited.append(int(self.weather.dies_at_s / FRAME_S) - self.frames)
        return max(0, min(awaited, default=_FOR_EVER))

    @property
    def _marks_due(self) -> int:
        """After how many frames the last one before the next mark is played."""
        return -(-(self._marks[0][0] - self._taken) // self._size) - 1

    def tick(self, frames: int = 1) -> tuple[bytes, Sequence[str]]:
        """Play one frame, or as many as are `settled` and one more, which is the same as ticking as often.

        Return them, padded with silence, and the marks that come back now.
        """
        if frames > 1 and not self._is_fair:
            ticks = [self.tick() for _ in range(frames)]
            return b"".join(audio for audio, _ in ticks), [name for _, names in ticks for name in names]
        size = frames * self._size
        if self.dead:
            self.frames += frames
            return self.audio.silence(size), []
        if self._jitter:
            self._arrive()
        audio = bytes(self._buffer[:size])
        del self._buffer[:size]
        if audio and self.weather.loss and self._random.random() < self.weather.loss:
            self.lost += len(audio)
            self._taken += len(audio)
            audio = b""
        else:
            self._note(len(audio))
            self._taken += len(audio)
        self.frames += frames
        return audio + self.audio.silence(size - len(audio)), self._due_marks()

    def _note(self, size: int) -> None:
        if not size:
            return
        samples = self.audio.sample_bytes
        start, size, position = self.frames * self._size // samples, size // samples, self._taken // samples
        last = self.played[-1] if self.played else Played(-1, 0)
        if (last.start + last.size, last.position + last.size) == (start, position):
            self.played[-1] = Played(last.start, last.size + size, last.position)
        else:
            self.played.append(Played(start, size, position))

    def _due_marks(self) -> Sequence[str]:
        while self._marks and self._marks[0][0] <= self._taken:
            name = self._marks.popleft()[1]
            if self._random_marks.random() >= self.weather.lost_marks:
                self._returning.append((self.frames + self._late, name))
        names = []
        while self._returning and self._returning[0][0] <= self.frames:
            names.append(self._returning.popleft()[1])
        return names

    def carry(self, frame: bytes) -> Sequence[tuple[int, bytes]]:
        """Take the caller's next frame. Return what reaches the agent now: frames, each with its number, from 0."""
        number, self._said = self._said, self._said + 1
        return self.convey([(number, frame)], tick=number)

    def convey(self, messages: Iterable[tuple[int, bytes]], *, tick: int) -> Sequence[tuple[int, bytes]]:
        """Take messages of the caller's, each with the number of its first frame; return what reaches the agent now.

        Only messages of a frame are lost: a longer one is silence, of which nobody misses a part.
        """
        dead = tick * FRAME_S >= self.weather.dies_at_s
        for number, audio in messages:
            lost = len(audio) <= self._size and self._random.random() < self.weather.loss
            if not dead and not lost:
                self._from_caller.send((number, audio), tick=tick)
        return [] if dead else self._from_caller.arrived(tick=tick)

    # ------------------------------------------------------------------ afterwards

    def heard(self, piece: Piece) -> tuple[int, int] | None:
        """Return when a piece was played, from and until, in samples since the line was opened.

        `None` when nothing of it was; the end of one that was cut is where it was cut.
        """
        end = piece.position + piece.size
        times = [
            (stretch.start + first - stretch.position, stretch.start + last - stretch.position)
            for stretch in self.played
            if (first := max(piece.position, stretch.position)) < (last := min(end, stretch.position + stretch.size))
        ]
        return (times[0][0], times[-1][1]) if times else None
