"""The segments of a call on their way through a recogniser that takes a whole stretch of speech at once. Pure.

A segment that gets too long is cut into parts at its quietest moments, and each part is handed out as soon as it is
cut off; what the parts say is joined again. Segments are answered in their order, whichever is understood first.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from .audio import AudioFormat, Encoding
from .events import Transcript

SEARCH_S: Final = 5.0
"""Where to look for a quiet moment to cut at: so far back from where a part has to end."""
QUIET_S: Final = 0.1
"""How long a moment is."""
_EVERY: Final = 4
"""Loudness is judged by one sample in so many."""


@dataclass(slots=True, eq=False)
class Part:
    """A stretch of one segment that is understood at once."""

    pcm: bytes
    start_s: float
    """Where in its segment it begins."""
    understood: Transcript | None = None


@dataclass(slots=True, eq=False)
class _Segment:
    parts: list[Part] = field(default_factory=list)
    """What has been cut off of it."""
    rest: bytearray = field(default_factory=bytearray)
    size: int = 0
    """Bytes of all its parts."""
    fresh: int = 0
    """Bytes since it was last guessed at."""
    ended: bool = False

    @property
    def answered(self) -> bool:
        return self.ended and all(part.understood for part in self.parts)


class BatchSegments:
    """What to have understood next, and what to answer. `add` audio to the segment that grows, and `end` it;
    `take` parts and `settle` them; `answers` are due then."""

    def __init__(self, sample_rate: int, *, shortest_s: float, longest_s: float, kept_s: float) -> None:
        """What is shorter than `shortest_s` says nothing; a part is no longer than `longest_s`; of what waits to be
        taken no more than `kept_s` is kept, or one part."""
        self._pcm = AudioFormat(Encoding.S16LE, sample_rate)
        self._shortest, self._longest, self._kept = map(self._pcm.size, (shortest_s, longest_s, kept_s))
        self._search, self._quiet = map(self._pcm.size, (min(SEARCH_S, longest_s / 2), QUIET_S))
        self._segments = deque([_Segment()])
        self._waiting: deque[Part] = deque()
        self._taken = 0
        self.lost_s = 0.0
        """Speech that was never taken, because too much of it waited."""

    @property
    def idle(self) -> bool:
        """Whether nothing waits, and nothing is being understood."""
        return not self._waiting and not self._taken

    # ------------------------------------------------------------------ from the caller

    def add(self, pcm: bytes) -> None:
        """Add audio to the segment that grows."""
        segment = self._segments[-1]
        segment.rest += pcm
        segment.fresh += len(pcm)
        while len(segment.rest) > self._longest:
            self._cut(segment, self._quietest(segment.rest))

    def end(self) -> None:
        """End the segment that grows, and begin the next."""
        segment = self._segments[-1]
        self._cut(segment, len(segment.rest) // 2 * 2)
        segment.ended = True
        self._segments.append(_Segment())

    def _cut(self, segment: _Segment, size: int) -> None:
        if size >= max(2, self._shortest):
            part = Part(bytes(segment.rest[:size]), self._pcm.seconds(segment.size))
            segment.parts.append(part)
            self._waiting.append(part)
        del segment.rest[:size]
        segment.size += size
        while len(self._waiting) > 1 and sum(len(part.pcm) for part in self._waiting) > self._kept:
            lost = self._waiting.popleft()
            self.lost_s += self._pcm.seconds(len(lost.pcm))
            _understand(lost, Transcript("", final=True))

    def _quietest(self, pcm: bytearray) -> int:
        """Return where to cut off a part: in the middle of the quietest moment that is late enough."""
        begin = self._longest - self._search
        samples = array("h", bytes(pcm[begin : self._longest]))
        width = self._quiet // 2
        starts = range(0, len(samples) - width + 1, max(1, width // 2))
        quietest = min(starts, key=lambda at: (sum(map(abs, samples[at : at + width : _EVERY])), -at))
        return begin + 2 * (quietest + width // 2)

    # ------------------------------------------------------------------ to the recogniser and back

    def take(self) -> Part | None:
        """Return what is to be understood next; `None` while there is nothing."""
        if not self._waiting:
            return None
        self._taken += 1
        return self._waiting.popleft()

    def settle(self, part: Part, transcript: Transcript) -> None:
        """Take what a part says."""
        self._taken -= 1
        _understand(part, transcript)

    def answers(self) -> list[Transcript]:
        """Return the final transcripts that are due, in the order of their segments. Each is returned once."""
        due = []
        while self._segments[0].answered:
            due.append(_joined(self._segments.popleft().parts))
        return due

    # ------------------------------------------------------------------ partial transcripts

    def guessable(self, every_s: float) -> Part | None:
        """Return the end of the segment that grows, if `every_s` of it are new since it was last returned, and nothing
        is more important."""
        segment = self._segments[-1]
        size = len(segment.rest) // 2 * 2
        if not self.idle or size < max(2, self._shortest) or segment.fresh < self._pcm.size(every_s):
            return None
        segment.fresh = 0
        return Part(bytes(segment.rest[:size]), self._pcm.seconds(segment.size))

    def guessed(self, part: Part, transcript: Transcript) -> Transcript:
        """Return the partial transcript of the segment that grows: `part`, its end, says `transcript`."""
        _understand(part, transcript)
        return replace(_joined([*self._segments[-1].parts, part]), final=False)


def _understand(part: Part, transcript: Transcript) -> None:
    part.understood, part.pcm = transcript, b""


def _joined(parts: Sequence[Part]) -> Transcript:
    """Return the transcript of a whole segment. It is as certain as its least certain part."""
    said = [(part.start_s, part.understood) for part in parts if part.understood and part.understood.text]
    if not said:
        return Transcript("", final=True)
    (_, first), *others = said
    words = [
        replace(word, start=start + word.start, end=start + word.end) for start, each in said for word in each.words
    ]
    certain = [each.confidence for _, each in said if each.confidence is not None]
    return Transcript(
        " ".join(each.text for _, each in said),
        final=True,
        confidence=min(certain, default=None),
        words=tuple(words) if all(each.words for _, each in said) else (),
        alternatives=() if others else first.alternatives,
        language=first.language,
    )
