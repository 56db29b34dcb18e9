"""What the far end played of each turn, as the commands of a trace tell: a line that plays at once what it is sent.

A turn's audio is one stretch of bytes, counted from 0, across all of its contexts, as in `agentvoice.playout`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agentvoice.audio import AudioFormat

SLACK_S = 0.002
"""A line that ran dry for less than this did not: the clock's grain."""


@dataclass(slots=True)
class Run:
    """Audio of one turn that is played without a break."""

    position: int
    size: int
    start: float
    end: float
    """When it stopped, which a `clear` brings forward."""


@dataclass(slots=True)
class Take:
    """One turn's audio: what came, what was sent, and when it was played."""

    audio: AudioFormat
    received: int = 0
    sent: int = 0
    base: int = 0
    """Where the audio of the present context begins."""
    words: list[tuple[str, int, int]] = field(default_factory=list)
    """Word, first byte, last byte."""
    runs: list[Run] = field(default_factory=list)

    def place(self, word: str, start: float, end: float) -> None:
        """Take a word's time in seconds since the start of the present context's audio."""
        self.words.append((word, self.base + self.audio.size(start), self.base + self.audio.size(end)))

    def succeed(self, *, delivered: bool) -> None:
        """Another context goes on; of one that was not `delivered`, what follows the last whole word is lost."""
        keep = self.received
        if not delivered:
            whole = [end for _, _, end in self.words if end <= self.received]
            keep = max([self.sent, *whole[-1:]])
        self.words = [word for word in self.words if word[2] <= keep]
        self.base = self.received = keep

    def when(self, position: int) -> float:
        """Return when this byte was played, or would have been had nothing stopped it."""
        run = self.runs[0]
        for later in self.runs[1:]:
            if later.position > position:
                break
            run = later
        return run.start + self.audio.seconds(position - run.position)

    @property
    def ended(self) -> float:
        """When the last of it was played."""
        return max(run.end for run in self.runs)


class FarEnd:
    """Play what is sent, one after the other; forget on `clear`."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._dry_at = 0.0
        self._playing: list[Run] = []

    def play(self, take: Take, size: int, now: float) -> float:
        """Take audio of one turn; return for how long the line had been dry in the middle of it."""
        dry = now - self._dry_at if take.runs else 0.0
        start = max(now, self._dry_at)
        self._dry_at = start + self._audio.seconds(size)
        if take.runs and dry <= SLACK_S and take.runs[-1] in self._playing:
            take.runs[-1].size += size
            take.runs[-1].end = self._dry_at
        else:
            run = Run(take.sent, size, start, self._dry_at)
            take.runs.append(run)
            self._playing = [*(older for older in self._playing if older.end > now), run]
        take.sent += size
        return max(0.0, dry) if dry > SLACK_S else 0.0

    def clear(self, now: float) -> None:
        """Stop playing."""
        for run in self._playing:
            run.end = max(run.start, min(run.end, now))
        self._playing = []
        self._dry_at = now
