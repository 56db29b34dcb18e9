"""The caller's segments of speech on their way to the recogniser, and what is still owed for them.

A segment is kept until its final transcript has come, so that a recogniser which breaks can be given it again; and
every segment gets one final transcript in good time, if only from the last partial one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from .events import Transcript
from .utterance import HeardWord

PATIENCE_S: Final = 1.4
"""How long after the end of a segment its final transcript may come. Shorter than `Endpointing.transcript_s`, so that
the end of an utterance never waits for a transcript that will be taken for the next one's."""
LATE_S: Final = 3.9
"""... and when there is not even a partial one: a slow recogniser is better than none. Shorter than
`Endpointing.late_s`, for the same reason."""
STALLED_S: Final = 5.0
"""How long after the end of a segment a recogniser that owes its transcript is taken for broken."""
KEPT_S: Final = 30.0
"""How much speech is kept; what is older is lost to a recogniser that has not taken it."""


@dataclass(frozen=True, slots=True)
class Finalize:
    """The segment has ended: the recogniser shall say what it was."""


FINALIZE: Final = Finalize()
Pour: TypeAlias = bytes | Finalize
"""What the recogniser is given: PCM, or the end of a segment."""


@dataclass(slots=True, eq=False)
class _Segment:
    at: float
    """When its first sample was spoken."""
    pieces: list[bytes] = field(default_factory=list)
    poured: int = 0
    """Pieces that the recogniser has."""
    ended_at: float = math.inf
    finalized: bool = False
    partial: str = ""
    given_up: bool = False

    @property
    def overdue_at(self) -> float:
        """When the partial transcript has to do."""
        return self.ended_at + (PATIENCE_S if self.partial else LATE_S)

    def on_the_clock(self, word: HeardWord) -> HeardWord:
        """Return a word, whose times count from the segment's first sample, with times on the call's clock."""
        return replace(word, start=self.at + word.start, end=self.at + word.end)


class Segments:
    """What to give to the recogniser next, and what to make of its answers. Pure.

    `begin`, `add` and `end` a segment; `take` what is to be poured; pass on what `receive` and `handle_timer` return.
    """

    def __init__(self, *, bytes_per_second: int) -> None:
        self._bytes_per_second = bytes_per_second
        self._segments: deque[_Segment] = deque()
        self._limit = int(KEPT_S * bytes_per_second)
        self._kept = 0
        self.lost = 0
        """Bytes of PCM that the recogniser never got."""

    @property
    def owed(self) -> int:
        """Segments that have ended and wait for their final transcript."""
        return sum(segment.ended_at < math.inf for segment in self._segments)

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`."""
        return min((s.overdue_at for s in self._segments if not s.given_up), default=math.inf)

    @property
    def stalled_at(self) -> float:
        """When the recogniser is to be taken for broken, if it says nothing until then."""
        return self._segments[0].ended_at + STALLED_S if self._segments else math.inf

    # ------------------------------------------------------------------ from the caller

    def begin(self, pcm: bytes, *, at: float) -> None:
        """Begin a segment with the audio just before its first sound; the first sample of that was spoken at `at`."""
        self._segments.append(_Segment(at))
        self.add(pcm)

    def add(self, pcm: bytes) -> None:
        """Add audio to the segment that was begun last."""
        self._segments[-1].pieces.append(pcm)
        self._kept += len(pcm)
        while self._kept > self._limit:
            self._forget_oldest()

    def end(self, at: float) -> None:
        """End the segment that was begun last: its last sound was at `at`."""
        self._segments[-1].ended_at = at

    def _forget_oldest(self) -> None:
        segment = next(s for s in self._segments if s.pieces)
        piece = segment.pieces.pop(0)
        self._kept -= len(piece)
        segment.at += len(piece) / self._bytes_per_second  # what a recogniser is given again begins later
        if segment.poured:
            segment.poured -= 1
        else:
            self.lost += len(piece)

    # ------------------------------------------------------------------ to the recogniser

    def take(self) -> Pour | None:
        """Return what the recogniser is to be given next; `None` while it has everything."""
        for segment in self._segments:
            if segment.poured < len(segment.pieces):
                segment.poured += 1
                return segment.pieces[segment.poured - 1]
            if segment.ended_at < math.inf and not segment.finalized:
                segment.finalized = True
                return FINALIZE
        return None

    def rewind(self) -> None:
        """Begin again with a new recogniser: it has to be given everything that is still worth an answer."""
        while self._segments and self._segments[0].given_up:
            self._drop_first()
        for segment in self._segments:
            segment.poured, segment.finalized = 0, False

    # ------------------------------------------------------------------ from the recogniser

    def receive(self, transcript: Transcript) -> Transcript | None:
        """Take what the recogniser says; return it, with times on the call's clock, if anybody still waits for it."""
        if not self._segments:
            return None
        segment = self._segments[0]
        if transcript.words:
            transcript = replace(transcript, words=tuple(map(segment.on_the_clock, transcript.words)))
        if not transcript.final:
            segment.partial = transcript.text
            return None if segment.given_up else transcript
        if not segment.finalized:
            return None  # a final transcript that nobody asked for
        self._drop_first()
        return None if segment.given_up else transcript

    def handle_timer(self, *, now: float) -> Sequence[Transcript]:
        """Return the best that is known of segments whose transcript is overdue. Harmless when called early."""
        overdue = [s for s in self._segments if not s.given_up and s.overdue_at <= now]
        for segment in overdue:
            segment.given_up = True
        return [Transcript(segment.partial, final=True) for segment in overdue]

    def _drop_first(self) -> None:
        self._kept -= sum(len(piece) for piece in self._segments.popleft().pieces)
