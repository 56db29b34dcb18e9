"""How Nova words it, and what becomes of it: the messages of `/v1/listen`, and the segments that they are about.

Nova transcribes one unbroken stream. Its results come in the order of the audio, each about a window of it in seconds
since the first sample sent; an interim one is replaced by the next that begins there, and the final ones follow each
other without a gap. After a `Finalize` comes a final result with `from_finalize`, but not always: "not guaranteed if
there is no significant amount of audio data to process" (PROTOCOL.md). So a result belongs to the segment that its
window lies in, and a segment is settled by whatever comes first: its answer, final results that reach its end, a result
about a later one, or the time. Our answers to `finalize` come in their order, one each, whatever the service does.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from agentvoice.errors import ProviderUnavailable
from agentvoice.events import Transcript
from agentvoice.logger import Logger
from agentvoice.utterance import HeardWord

from ._outbox import Outbox
from ._settings import MULTILINGUAL, PROVIDER

log = Logger(__name__)

IDLE_S: Final = 4.0
"""Deepgram closes a stream that gets nothing for ten seconds, and advises a `KeepAlive` every three to five."""
OPENING_S: Final = 0.1
"""Silence that is sent at once: keeping alive does not count before there was any audio."""
ANSWER_S: Final = 1.0
"""How long after the service's last word a `Finalize` may go without an answer."""
FIRST_WORD_S: Final = 3.0
"""... and when it has said nothing about the segment at all. Less than `segments.LATE_S`."""
MUTE: Final = 2
"""So many segments one after the other that it says nothing about mean that it is stuck."""
_NEAR_S: Final = 0.02
"""Times that differ by less are the same: they are rounded to the model's frames."""


class _Word(msgspec.Struct):
    word: str = ""
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    punctuated_word: str | None = None


class _Alternative(msgspec.Struct):
    transcript: str = ""
    confidence: float | None = None
    words: list[_Word] = []
    languages: list[str] | None = None


class _Channel(msgspec.Struct):
    alternatives: list[_Alternative] = []


class _Message(msgspec.Struct):
    type: str = ""
    start: float = 0.0
    duration: float = 0.0
    is_final: bool | None = None
    from_finalize: bool | None = None
    channel: _Channel | None = None
    description: Any = None


_decoder: Final = msgspec.json.Decoder(_Message)


@dataclass(frozen=True, slots=True)
class _Result:
    """What Nova makes of a window of the stream, in seconds since its first sample."""

    start: float
    end: float
    readings: Sequence[_Alternative]
    """The likeliest first; never none."""

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2

    @property
    def text(self) -> str:
        return self.readings[0].transcript.strip()


@dataclass(slots=True, eq=False)
class _Segment:
    start: float
    """When it begins, on the stream's clock."""
    end: float = math.inf
    ended_at: float = math.inf
    """When `finalize` was called, on the event loop's clock."""
    results: list[_Result] = field(default_factory=list)
    interim: _Result | None = None
    touched: bool = False
    """Whether the service has said anything about it."""
    settled: bool = False
    said: str = ""

    @property
    def covered(self) -> bool:
        """Whether final results reach its end."""
        return bool(self.results) and self.results[-1].end >= self.end - _NEAR_S

    @property
    def parts(self) -> Sequence[_Result]:
        return [result for result in (*self.results, self.interim) if result is not None and result.text]


class Nova:
    """One stream to Nova. Pure: `feed` and `finalize` fill the `outbox`, `receive` takes what comes back."""

    def __init__(self, sample_rate: int, *, language: str) -> None:
        self.outbox = Outbox(sample_rate, chunk_s=0.02)
        self.outbox.silence(OPENING_S)
        self.idle_s = IDLE_S
        """After how long without anything sent to call `idle`."""
        self._language = "" if language == MULTILINGUAL else language
        self._segments = deque([_Segment(self.outbox.added_s)])  # the last one grows
        self._heard_at = -math.inf
        self._unanswered = 0  # segments settled without an answer, which may still come
        self._mute = 0

    # ------------------------------------------------------------------ what we say

    def feed(self, pcm: bytes) -> None:
        """Take audio of the segment that grows."""
        self.outbox.add(pcm)

    def finalize(self, *, now: float) -> Sequence[Transcript]:
        """End the segment that grows. What nobody has spoken into needs no answer."""
        segment = self._segments[-1]
        segment.end, segment.ended_at = self.outbox.added_s, now
        if segment.end == segment.start:
            segment.settled = True
        else:
            self.outbox.say('{"type":"Finalize"}')
            if segment.covered:
                self._settle_unanswered(segment)
        self._segments.append(_Segment(segment.end))
        return self._answers()

    def idle(self) -> None:
        """Nothing has been sent for a while."""
        self.outbox.say('{"type":"KeepAlive"}')

    # ------------------------------------------------------------------ what they say

    def receive(self, message: str | bytes, *, now: float) -> Sequence[Transcript]:
        """Take a message; return what is known by it: final transcripts, and a partial one."""
        try:
            read = _decoder.decode(message)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            log.debug("deepgram_unreadable", size=len(message))
            return []
        if read.type == "Error":
            log.warning("deepgram_error", reason=str(read.description)[:200])
        if read.type != "Results" or read.channel is None or not read.channel.alternatives:
            return []
        self._heard_at, self._mute = now, 0
        result = _Result(read.start, read.start + read.duration, read.channel.alternatives)
        self._place(result, final=bool(read.is_final))
        if read.from_finalize:
            self._answered(result.end)
        return self._answers()

    def _place(self, result: _Result, *, final: bool) -> None:
        """Give a result to its segment. Segments before that are over: results come in order."""
        if result.middle < self._segments[0].start - _NEAR_S:
            return  # about one that was given up
        segment = next(each for each in self._segments if result.middle <= each.end + _NEAR_S)
        for before in self._segments:
            if before is segment:
                break
            self._settle_unanswered(before)
        segment.touched = True
        if not final:
            segment.interim = result
            return
        segment.results.append(result)
        segment.interim = None
        if segment.covered:
            self._settle_unanswered(segment)

    def _settle_unanswered(self, segment: _Segment) -> None:
        if not segment.settled:
            segment.settled = True
            self._unanswered += 1

    def _answered(self, end: float) -> None:
        """Settle the segment at whose end an answer is, and with it those before: answers come in order."""
        reached = [each for each in self._segments if (each.start + each.end) / 2 < end]
        for segment in reached:
            segment.settled = True
        if reached:
            self._unanswered = 0
        elif self._unanswered:
            self._unanswered -= 1
        elif first := next(iter(self._open), None):
            first.settled = True

    @property
    def _open(self) -> Sequence[_Segment]:
        """Segments that have ended and wait."""
        return [each for each in self._segments if each.end < math.inf and not each.settled]

    # ------------------------------------------------------------------ what time says

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`."""
        first = next(iter(self._open), None)
        if first is None:
            return math.inf
        return max(first.ended_at, self._heard_at) + (ANSWER_S if first.touched else FIRST_WORD_S)

    def handle_timer(self, *, now: float) -> Sequence[Transcript]:
        """Settle segments whose answer is overdue by what is known of them. Harmless when called early.

        Raises:
            ProviderUnavailable: the service says nothing at all any more.
        """
        while now >= self.deadline:
            first = self._open[0]
            self._mute += not first.touched
            if self._mute >= MUTE:
                raise ProviderUnavailable(PROVIDER, f"it has said nothing about {MUTE} segments of speech")
            self._settle_unanswered(first)
        return self._answers()

    # ------------------------------------------------------------------ what is known by now

    def _answers(self) -> Sequence[Transcript]:
        answers = []
        while self._segments[0].settled:
            answers.append(self._transcript(self._segments.popleft(), final=True))
        growing = self._segments[0]
        partial = self._transcript(growing, final=False)
        if partial.text and partial.text != growing.said:
            growing.said = partial.text
            answers.append(partial)
        return answers

    def _transcript(self, segment: _Segment, *, final: bool) -> Transcript:
        parts = segment.parts
        heard = [part.readings[0] for part in parts]
        only = parts[0].readings if len(parts) == 1 else ()
        languages = [language for reading in heard for language in reading.languages or ()]
        return Transcript(
            " ".join(part.text for part in parts),
            final=final,
            confidence=min((each.confidence for each in heard if each.confidence is not None), default=None),
            words=_words((word for reading in heard for word in reading.words), segment.start),
            alternatives=tuple(text for each in only[1:] if (text := each.transcript.strip())),
            language=(languages[0] if languages else self._language) if parts else "",
        )


def _words(words: Iterable[_Word], origin: float) -> tuple[HeardWord, ...]:
    """Return words whose times count from the segment's first sample."""
    return tuple(
        HeardWord(
            word.punctuated_word or word.word,
            max(0.0, word.start - origin),
            max(0.0, word.end - origin),
            word.confidence,
        )
        for word in words
        if word.start is not None and word.end is not None
    )
