"""Playout: when a turn's audio is handed to the line, and how much of it was heard.

A turn's audio is one stretch of bytes, counted from 0. `received` bytes have come from the provider, `sent` were
handed over, `confirmed` were reported played:

    0 ───── confirmed ───── sent ───── received
              heard     in the far end's buffer     in ours

Audio is sent ahead of its time by a bounded lead, on an absolute schedule: after a stall the lead is filled again
instead of everything moving back. The *epoch* is when byte 0 was played; it moves only when the far end really ran dry.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from .audio import AudioFormat
from .commands import Evidence, HeardText, SendAudio, SendMark

FRAME_S: Final = 0.02
NEAR_S: Final = 0.5
"""How far the clock and the far end may be apart about what is being spoken."""
OVERDUE_S: Final = 1.0
"""How late a mark may be before it no longer tells that what it follows was not heard."""


class Playout:
    """Pace one turn at a time, and keep the ledger of what was heard. Pure: call `poll` at `deadline`."""

    def __init__(
        self,
        audio: AudioFormat,
        *,
        lead_s: float = 0.2,
        mark_every_s: float = 0.2,
        has_marks: bool = True,
        grace_s: float = 2.0,
    ) -> None:
        """Prepare to play on a line that carries `audio`.

        `lead_s` is how far to send ahead, and half of it the least worth sending while there is more to come; the far
        end so never has less than the other half. `mark_every_s` is the longest stretch without a mark (twice that
        where a word ends by then), `grace_s` how long to wait for the last mark before the clock has to do.
        """
        self._audio, self._rate = audio, audio.bytes_per_second
        self._lead_s = lead_s
        self._frame = audio.size(FRAME_S)
        self._message = max(self._frame, audio.size(lead_s / 2))
        self._mark_every = audio.size(mark_every_s)
        self._has_marks = has_marks
        self._grace_s = grace_s
        self.holes = 0
        """How often the far end ran dry in the middle of a turn."""
        self.begin("")

    def begin(self, context_id: str) -> None:
        """Forget the turn before, close its gate, and take the audio of a new one from `context_id`."""
        self._context_id = context_id
        self._base = 0  # where the audio of the present context begins
        self._buffer = bytearray()
        self._received = self._sent = self._confirmed = 0
        self._confirmed_at = 0.0
        self._epoch: float | None = None
        self._words: list[str] = []
        self._ends: list[int] = []  # the byte at which each word ends
        self._marks: dict[str, int] = {}
        self._last_mark = 0
        self._held = False
        self._dry = False  # the far end may run dry without it being a hole: we held
        self._ended = False

    # ------------------------------------------------------------------ what comes in

    @property
    def started(self) -> bool:
        """Whether any of the turn was handed over."""
        return self._sent > 0

    @property
    def backlog_s(self) -> float:
        """Seconds of audio that wait here."""
        return self._audio.seconds(len(self._buffer))

    def feed(self, audio: bytes) -> None:
        """Take audio of the turn's present context."""
        self._buffer += audio
        self._received += len(audio)

    def place(self, words: Sequence[tuple[str, float, float]]) -> None:
        """Take word times (word, start, end) in seconds since the start of the present context's audio."""
        self._words += [word for word, _, _ in words]
        self._ends += [self._base + self._audio.size(end) for _, _, end in words]

    def end(self) -> None:
        """Say that the turn has no more audio than what was fed."""
        self._ended = True

    def succeed(self, context_id: str, text: str, *, delivered: bool) -> int:
        """Go on in another context; return the character of `text` (the turn's) from which it has to speak.

        Where the old context has not `delivered` all of its audio, what has been received is kept up to the
        end of its last whole word.
        """
        whole = bisect_right(self._ends, self._received)
        keep = max(self._sent, self._ends[whole - 1]) if whole else self._sent
        if delivered:
            whole, keep = len(self._words), self._received
        text_offset = len(text) if delivered else self._prefix(text, keep)
        del self._buffer[keep - self._sent :]
        del self._words[whole:], self._ends[whole:]
        self._base = self._received = keep
        self._context_id, self._ended = context_id, False
        return text_offset

    # ------------------------------------------------------------------ pacing

    def hold(self) -> None:
        """Hand over nothing more for now; lose nothing."""
        self._held = True

    def resume(self) -> None:
        """Go on from the very next frame."""
        self._held, self._dry = False, True

    @property
    def _dry_at(self) -> float:
        """When the far end will have played all that it was sent."""
        return -math.inf if self._epoch is None else self._epoch + self._sent / self._rate

    @property
    def _drained(self) -> bool:
        return self._ended and not self._buffer

    @property
    def deadline(self) -> float:
        """When to call `poll`, on the clock that `now` comes from."""
        if self._drained:
            return self._dry_at + (self._grace_s if self._has_marks else 0)
        if self._held or not (self._ended or len(self._buffer) >= self._frame):
            return math.inf
        step = min(self._message, len(self._buffer))
        return self._dry_at + step / self._rate - self._lead_s

    def poll(self, *, now: float) -> list[SendAudio | SendMark]:
        """Return what to hand over now. Harmless when called early."""
        commands: list[SendAudio | SendMark] = []
        if self._buffer and now >= self.deadline:
            self._keep_schedule(now)
            commands = self._hand_over(self._due(now))
        if self._drained and self._has_marks and self._last_mark < self._sent:
            commands.append(self._mark())
        return commands

    def _due(self, now: float) -> int:
        """Return how many bytes fill the lead: whole frames, but for the turn's last."""
        room = self._audio.size(now + self._lead_s - self._dry_at)
        if self._ended and room >= len(self._buffer):
            return len(self._buffer)
        size = min(room, len(self._buffer))
        return size - size % self._frame

    def _keep_schedule(self, now: float) -> None:
        if self._epoch is None:
            self._epoch = now
        elif now > self._dry_at:
            self.holes += not self._dry
            self._epoch = now - self._audio.seconds(self._sent)
        self._dry = False

    def _hand_over(self, size: int) -> list[SendAudio | SendMark]:
        commands: list[SendAudio | SendMark] = []
        until = self._sent + size
        while self._sent < until:
            mark = self._next_mark()
            take = min(until, mark) - self._sent
            commands.append(SendAudio(self._context_id, bytes(self._buffer[:take])))
            del self._buffer[:take]
            self._sent += take
            if self._sent == mark and self._has_marks:
                commands.append(self._mark())
        return commands

    def _next_mark(self) -> int:
        """Return where the next mark belongs: at the end of a word, or where there was none for long."""
        if not self._has_marks:
            return self._received
        following = bisect_right(self._ends, self._sent)
        regular = self._last_mark + self._mark_every
        if following == len(self._ends):
            return regular
        # Between those of two words a mark tells little, and costs a message each way. The first is the first evidence.
        soon = bool(self._last_mark) and self._ends[following] <= regular + self._mark_every
        return self._ends[following] if soon else min(regular, self._ends[following])

    def _mark(self) -> SendMark:
        name = f"{self._context_id}/{self._sent}"
        self._marks[name] = self._last_mark = self._sent
        return SendMark(name)

    # ------------------------------------------------------------------ what was heard

    def mark_returned(self, name: str, *, now: float) -> None:
        """The far end has played everything before this mark. One that is not of this turn means nothing."""
        position = self._marks.pop(name, 0)
        if position > self._confirmed:
            self._confirmed, self._confirmed_at = position, now

    def finished(self, *, now: float) -> bool:
        """Whether the last frame was played: as the marks say, or the clock where they do not come."""
        return self._drained and ((self._has_marks and self._confirmed >= self._sent) or now >= self.deadline)

    def heard(self, text: str, *, now: float) -> HeardText | None:
        """Return how much of `text`, the turn's, was played by now; `None` when nothing was."""
        if not self.started:
            return None
        complete = self.finished(now=now)
        position, bound = (self._sent, 0) if complete else self._position(now)
        if not position:
            return None
        return HeardText(
            text=text if complete else text[: self._prefix(text, position)].rstrip(),
            seconds=self._audio.seconds(position),
            evidence=self._evidence(marked=self._confirmed >= self._sent if complete else self._confirmed > 0),
            bound_s=self._audio.seconds(bound),
            complete=complete,
        )

    def reached(self, text: str, *, now: float) -> int:
        """Return how many characters of `text`, the turn's, have been heard by now."""
        if self.finished(now=now):
            return len(text)
        return self._prefix(text, self._position(now)[0]) if self.started else 0

    def lately(self, text: str, *, now: float, seconds: float) -> str:
        """Return what of `text`, the turn's, was heard within so many `seconds`, and the word that is being spoken."""
        if not self.started:
            return ""
        at = self._position(now)[0]
        begin = self._prefix(text, max(0, at - self._audio.size(seconds)))
        return text[begin : self._prefix(text, at + self._audio.size(NEAR_S))]

    @property
    def evidence(self) -> Evidence:
        """On what it rests what has been heard so far."""
        return self._evidence(marked=self._confirmed > 0)

    def _evidence(self, *, marked: bool) -> Evidence:
        if marked:
            return Evidence.MARKS_AND_WORDS if self._words else Evidence.MARKS
        return Evidence.CLOCK_AND_WORDS if self._words else Evidence.CLOCK

    def _position(self, now: float) -> tuple[int, int]:
        """Return the byte that is being played, and by how much that may be wrong.

        It lies between the last mark that came back and the first that did not; in between the clock tells.
        """
        if not self._has_marks:
            position = min(self._sent, self._audio.size(now - (self._epoch or 0.0)))
            return position, position  # the far end's own buffer is out of sight
        awaited = (at for at in self._marks.values() if at > self._confirmed and not self._overdue(at, now))
        pending = min(awaited, default=self._sent + 1)
        since = self._confirmed_at if self._confirmed else self._epoch or 0.0
        clock = self._confirmed + self._audio.size(max(0.0, now - since))
        return min(clock, pending - 1, self._sent), max(0, pending - self._confirmed)

    def _overdue(self, position: int, now: float) -> bool:
        """Whether a mark is so late that it will not come: some lines lose them, and some have none."""
        return now > (self._epoch or 0.0) + self._audio.seconds(position) + OVERDUE_S

    def _prefix(self, text: str, position: int) -> int:
        """Return how many characters of `text` had been spoken whole at byte `position`.

        With word times: to the end of the last word that ended by then. Without: by the share of the audio,
        which before the end is known is taken as what people say in a second (15 characters), down to a whole word.
        """
        if self._words:
            return _find(text, self._words[: bisect_right(self._ends, position)])
        whole = self._received if self._ended else max(self._received, self._audio.size(len(text) / 15))
        share = int(len(text) * position / whole) if whole else 0
        return share if share >= len(text) else text.rfind(" ", 0, share + 1) + 1


def _find(text: str, words: Sequence[str]) -> int:
    """Return where the last of `words` ends in `text`, in which they stand in this order.

    A provider may write a word otherwise than it was sent ("3" as "three"): such a one counts as one token.
    """
    at = 0
    for word in words:
        found = text.find(word, at, at + len(word) + 40)
        if found >= 0:
            at = found + len(word)
        else:
            gap = len(text) - at - len(text[at:].lstrip())
            space = text.find(" ", at + gap)
            at = len(text) if space < 0 else space
    return at
