"""Recognition of the segments in which the caller speaks, each with some audio that preceded it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from anyio import create_task_group

from .events import Event, Transcript
from .interfaces import Listening, SpeechRecognizer
from .logger import Logger
from .recognition import Reopening
from .segments import Finalize, Segments

log = Logger(__name__)

PRE_ROLL_S: Final = 0.3
"""Audio before the onset that the recogniser is given too: soft consonants precede what voice activity hears."""


class SegmentRecognition(Reopening):
    """`Recognition` by a recogniser of segments."""

    def __init__(
        self,
        recognizer: SpeechRecognizer,
        deliver: Callable[[Event], None],
        *,
        sample_rate: int,
        noticed_after_s: float,
    ) -> None:
        """`noticed_after_s` is how much of a segment has been spoken when it is known to have begun."""
        super().__init__(deliver)
        self._recognizer = recognizer
        self._sample_rate = sample_rate
        self._segments = Segments(bytes_per_second=2 * sample_rate)
        self._speaking = False
        self._pre_roll = bytearray()
        self._pre_roll_limit = 2 * round(sample_rate * (PRE_ROLL_S + noticed_after_s))
        self._heard_until = 0.0

    @property
    def deadline(self) -> float:
        """When a transcript is overdue, or the recogniser to be taken for broken."""
        return min(self._segments.deadline, self._segments.stalled_at)

    @property
    def lost_s(self) -> float:
        """Seconds of speech that no recogniser ever got."""
        return self._segments.lost / (2 * self._sample_rate)

    def hear(self, pcm: bytes, *, at: float) -> None:
        """Take audio: of the segment that has begun, or of one that may be about to begin."""
        self._heard_until = at + len(pcm) / (2 * self._sample_rate)
        if self._speaking:
            self._segments.add(pcm)
            self._more.ring()
            return
        self._pre_roll += pcm
        del self._pre_roll[: -self._pre_roll_limit - len(pcm)]  # in the last message somebody may begin to speak

    def speech_started(self, at: float) -> None:  # noqa: ARG002 - the segment begins a little earlier
        """Begin a segment, with what just preceded it."""
        self._speaking = True
        self._segments.begin(
            bytes(self._pre_roll), at=self._heard_until - len(self._pre_roll) / (2 * self._sample_rate)
        )
        self._pre_roll.clear()
        self._more.ring()

    def speech_stopped(self, at: float) -> None:
        """End the segment."""
        self._speaking = False
        self._segments.end(at)
        self._more.ring()

    def handle_timer(self, now: float) -> None:
        """Make do with partial transcripts that are overdue; give up a recogniser that says nothing at all."""
        for transcript in self._segments.handle_timer(now=now):
            log.warning("transcript_overdue", characters=len(transcript.text))
            self._deliver(transcript)
        if now >= self._segments.stalled_at:
            log.warning("recognizer_stalled", owed=self._segments.owed)
            self._segments.rewind()
            self._session.cancel()

    def _rewind(self) -> None:
        self._segments.rewind()

    async def _use(self) -> None:
        """Pour segments into one recogniser, and deliver what it says, until it ends."""
        async with self._recognizer.listen(self._sample_rate) as listening, create_task_group() as group:
            group.start_soon(self._pour, listening)
            async for transcript in listening.transcripts:
                self._failures = 0
                self._report(self._segments.receive(transcript))
            log.warning("recognizer_closed")
            group.cancel_scope.cancel()

    def _report(self, transcript: Transcript | None) -> None:
        if transcript is not None:
            self._deliver(transcript)

    async def _pour(self, listening: Listening) -> None:
        while True:
            while (piece := self._segments.take()) is not None:
                if isinstance(piece, Finalize):
                    await listening.finalize()
                else:
                    await listening.feed(piece)
            await self._more.wait()
