"""Segments over `/stt/websocket`: what we say, and what becomes of what is said.

Audio goes out as it comes, and `finalize` after each segment. Words come back as `transcript`s: final ones, each with
what follows the one before, and partial ones, which the next replaces. `flush_done` answers `finalize`. The final words
come before it; in the documents of 2025 the last of them come after it, and repeat the whole text. Both are understood.
The service may also make words final by itself, in the middle of a segment.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from agentvoice.events import Transcript
from agentvoice.stt.messages import Close, Finalize, FlushDone, Words, parse_heard, render_command
from agentvoice.tts.failures import as_error
from agentvoice.tts.wire import Failure
from agentvoice.utterance import HeardWord

from ._account import PROVIDER
from ._outbox import Outbox

LATE_S: Final = 0.5
"""How long after its `flush_done` a segment waits for final words that have not come before."""
KEEP_ALIVE_S: Final = 10.0
"""A socket that gets nothing was closed after 20 seconds in 2025; today after 3 minutes."""
_SILENCE_S: Final = 0.1


@dataclass(slots=True, eq=False)
class _Segment:
    start: float
    """When it begins, in seconds of the audio that was sent."""
    end: float = math.inf
    finals: list[Words] = field(default_factory=list)
    partial: str = ""
    language: str = ""
    answered: bool = False
    """Whether final words have come since it ended."""
    flushed_at: float = math.inf
    settled: bool = False
    told: str = ""

    @property
    def final_text(self) -> str:
        return "".join(final.text for final in self.finals)

    def add(self, heard: Words) -> None:
        self.language = heard.language or self.language
        if not heard.is_final:
            self.partial = heard.text
            return
        self.partial = ""
        self.answered = self.end < math.inf
        if _repeats(heard.text, self.final_text):
            self.finals.clear()
        self.finals.append(heard)

    def transcript(self, *, final: bool) -> Transcript:
        words = tuple(self._timed(word) for heard in self.finals for word in heard.words) if final else ()
        known = "" if _repeats(self.partial, self.final_text) else self.final_text
        text = (known + self.partial).strip()
        return Transcript(text, final=final, words=words, language=self.language if text else "")

    def _timed(self, word: HeardWord) -> HeardWord:
        """Return a word whose times count from the segment's first sample."""
        return replace(word, start=max(0.0, word.start - self.start), end=max(0.0, word.end - self.start))


def _repeats(text: str, before: str) -> bool:
    """Whether a final text holds those before it: then it is not what follows them, which would begin with a space."""
    before = before.strip()
    return bool(before) and text.startswith(before)


class Dictation:
    """One stream of segments. Pure: `feed` and `finalize` fill the `outbox`, `receive` takes what comes back."""

    idle_s: Final = KEEP_ALIVE_S
    """After how long without anything sent to call `idle`."""
    farewell: Final = render_command(Close())

    def __init__(self, sample_rate: int) -> None:
        self.outbox = Outbox(sample_rate)
        self._segments = deque([_Segment(0.0)])  # the last one grows

    # ------------------------------------------------------------------ what we say

    def feed(self, pcm: bytes) -> None:
        """Take audio of the segment that grows."""
        self.outbox.add(pcm)

    def finalize(self) -> Sequence[Transcript]:
        """End the segment that grows. What nobody has spoken into is not asked about."""
        segment = self._segments[-1]
        segment.end = self.outbox.added_s
        if segment.end == segment.start:
            segment.settled = True
        else:
            self.outbox.say(render_command(Finalize()))
        self._segments.append(_Segment(segment.end))
        return self._answers()

    def idle(self) -> None:
        """Nothing has been sent for a while: some silence keeps the socket, where it is in nobody's words."""
        growing = self._segments[-1]
        if growing.start == self.outbox.added_s:
            self.outbox.silence(_SILENCE_S)
            growing.start = self.outbox.added_s

    # ------------------------------------------------------------------ what they say

    def receive(self, message: str | bytes, *, now: float) -> Sequence[Transcript]:
        """Take a message; return what is known by it: final transcripts, and a partial one.

        Raises:
            ProviderError: it says that it cannot go on.
        """
        match parse_heard(message):
            case Words() as heard:
                self._heard(heard)
            case FlushDone():
                self._flushed(now)
            case Failure() as failure:
                raise as_error(PROVIDER, failure)
            case _:
                pass
        return self._answers()

    def _heard(self, heard: Words) -> None:
        if not heard.is_final:
            next(each for each in self._segments if not each.settled and each.flushed_at == math.inf).add(heard)
            return
        segment = next(each for each in self._segments if not each.settled)
        segment.add(heard)
        segment.settled = segment.flushed_at < math.inf

    def _flushed(self, now: float) -> None:
        for segment in self._segments:
            if not segment.settled and segment.flushed_at == math.inf and segment.end < math.inf:
                segment.flushed_at = now
                segment.settled = segment.answered
                break

    # ------------------------------------------------------------------ what time says

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`."""
        return self._segments[0].flushed_at + LATE_S

    def handle_timer(self, *, now: float) -> Sequence[Transcript]:
        """Settle segments about which nothing more seems to come. Harmless when called early."""
        for segment in self._segments:
            segment.settled = segment.settled or now >= segment.flushed_at + LATE_S
        return self._answers()

    # ------------------------------------------------------------------ what is known by now

    def _answers(self) -> Sequence[Transcript]:
        answers = []
        while self._segments[0].settled:
            answers.append(self._segments.popleft().transcript(final=True))
        first = self._segments[0]
        partial = first.transcript(final=False)
        if partial.text and partial.text != first.told:
            first.told = partial.text
            answers.append(partial)
        return answers
