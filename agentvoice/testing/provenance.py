"""Whose audio it was: follows every byte from the synthesiser to the caller's ear.

It knows by what the bytes are, and not by what the ledger says of them, so that it can judge the ledger.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise, takewhile
from operator import attrgetter, itemgetter
from typing import TypeAlias

from agentvoice.commands import ClearPlayout, Command, ContextSucceeded, SendAudio, TurnClosed, TurnOpened
from agentvoice.events import AudioReceived, Event

from .carrier import FRAME_S, Carrier

WordsOf: TypeAlias = Callable[[str], Sequence[tuple[str, int, int]]]
"""The words of a context: word, first byte, last byte of its audio."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one context's audio, as it went out. In bytes."""

    context_id: str
    """Empty when no context of the turn had such audio."""
    offset: int
    """Where it begins in the context's audio."""
    size: int
    position: int = 0
    """Where it begins in all that was sent on the line."""


class Provenance:
    """An `Observer` of the call, that is told besides of each piece of audio that goes out on the line."""

    def __init__(self, carrier: Carrier, words_of: WordsOf) -> None:
        self._carrier = carrier
        self._words_of = words_of
        self._audio: dict[str, bytearray] = {}
        self._turns: dict[str, str] = {}  # context to turn
        self.contexts: dict[str, list[str]] = {}
        """Turn to contexts, in their order."""
        self._cursors: dict[str, tuple[int, int]] = {}  # turn to context and offset
        self._decided: deque[list[Part]] = deque()  # to be sent, message by message
        self._dead: set[str] = set()
        self.sent: list[Part] = []
        """Everything that went out."""
        self._of_context: dict[str, list[Part]] = {}  # the same, by context
        self._sent_size = 0
        self.stale_frames = 0
        """Frames that went out although their context was dead."""
        self._word_ends: deque[tuple[int, str]] = deque()  # position, and word
        self.heard: list[str] = []
        """The words that have been played to their end, as far as anybody has asked."""

    # ------------------------------------------------------------------ what is decided

    def received(self, now: float, event: Event | None) -> None:  # noqa: ARG002
        """Keep the audio of every context."""
        if isinstance(event, AudioReceived):
            self._audio.setdefault(event.context_id, bytearray()).extend(event.audio)

    def decided(self, now: float, commands: Sequence[Command]) -> None:  # noqa: ARG002
        """Note which contexts live, and what is about to go out."""
        for command in commands:
            match command:
                case TurnOpened(turn_id, context_id):
                    self._turns[context_id], self.contexts[turn_id] = turn_id, [context_id]
                case ContextSucceeded(turn_id, old, new):
                    self._turns[new] = turn_id
                    self.contexts[turn_id].append(new)
                    self._dead.add(old)
                case TurnClosed(turn_id):
                    self._dead.update(self.contexts[turn_id])
                case SendAudio(context_id, audio):
                    self._decided.append(self._identify(self._turns[context_id], audio))
                case ClearPlayout():
                    self._decided.clear()
                case _:
                    pass

    def closed(self) -> None:
        """Nothing follows."""

    def _identify(self, turn_id: str, audio: bytes) -> list[Part]:
        """Find where in the turn's contexts this audio goes on. One that had a successor may have lost its end."""
        contexts, (index, offset) = self.contexts[turn_id], self._cursors.get(turn_id, (0, 0))
        # It nearly always goes on where it was.
        if index < len(contexts) and self._audio.get(contexts[index], b"").startswith(audio, offset):
            self._cursors[turn_id] = index, offset + len(audio)
            return [Part(contexts[index], offset, len(audio))]
        parts, at = list[Part](), 0
        while at < len(audio) and index < len(contexts):
            rest = audio[at:]
            size = _agreement(self._source(contexts[index], offset, len(rest)), rest)
            if size < len(rest) and index + 1 < len(contexts):
                # Where one context ends and the next begins, both may be silent for a while: look for the seam.
                following = self._source(contexts[index + 1], 0, len(rest))
                size = next((n for n in range(size, -1, -1) if following.startswith(rest[n:])), size)
            if size:
                parts.append(Part(contexts[index], offset, size))
                at, offset = at + size, offset + size
            if at < len(audio):
                index, offset = index + 1, 0
        if at < len(audio):
            parts.append(Part("", 0, len(audio) - at))
        self._cursors[turn_id] = index, offset
        return parts

    def _source(self, context_id: str, offset: int, size: int) -> bytes:
        return bytes(self._audio.get(context_id, b"")[offset : offset + size])

    # ------------------------------------------------------------------ what goes out

    def went_out(self) -> None:
        """The next message of audio went out on the line."""
        frame = self._carrier.audio.size(FRAME_S)
        for decided in self._decided.popleft():
            part = Part(decided.context_id, decided.offset, decided.size, self._sent_size)
            self.sent.append(part)
            self._of_context.setdefault(part.context_id, []).append(part)
            self._sent_size += part.size
            # What a successor context took over from the one before it is not stale: the turn still lives.
            if part.context_id in self._dead and self.contexts[self._turns[part.context_id]][-1] in self._dead:
                self.stale_frames += -(-part.size // frame)
            ended = self._words_ended(part.context_id, part.offset, part.offset + part.size)
            self._word_ends += [(part.position + end - part.offset, word) for word, _, end in ended]

    def _words_ended(self, context_id: str, start: int, end: int) -> Sequence[tuple[str, int, int]]:
        """Return the words that end within a stretch of a context's audio, in bytes of it."""
        words = self._words_of(context_id)
        first = bisect_right(words, start, key=_last_byte)
        return words[first : bisect_right(words, end, lo=first, key=_last_byte)]

    # ------------------------------------------------------------------ what was heard

    def words_heard(self) -> int:
        """Return how many words have been played to their end by now, on the whole line."""
        carrier = self._carrier
        while self._word_ends and self._word_ends[0][0] <= carrier.position:
            end, word = self._word_ends.popleft()
            latest = takewhile(lambda stretch: stretch.position + stretch.size >= end, reversed(carrier.played))  # noqa: B023
            if any(stretch.position < end for stretch in latest):
                self.heard.append(word)
        return len(self.heard)

    def played(self, turn_id: str) -> str:
        """Return the words of a turn that were played to their end."""
        words = []
        for context_id in self.contexts[turn_id]:
            for start, end in self._played_of(context_id):
                words += [word for word, _, _ in self._words_ended(context_id, start, end)]
        return " ".join(words)

    def holes(self, turn_id: str, excused: Sequence[tuple[float, float]]) -> Sequence[float]:
        """Return when the far end ran dry in the middle of a turn, in seconds since the line was opened.

        `excused` is when playout was held. What was lost on the air is no hole: it is the line's fault.
        """
        rate, frame = self._carrier.audio.sample_rate, self._carrier.audio.size(FRAME_S)
        sent = chain.from_iterable(self._of_context.get(each, ()) for each in self.contexts[turn_id])
        stretches = sorted(stretch for part in sent for stretch in self._when(part))
        holes = []
        for (start, position, size), (following, later, _) in pairwise(stretches):
            silent = (start + size) / rate, following / rate
            missing = following - (start + size) - (later - (position + size))
            if missing > frame and not any(a <= silent[1] and silent[0] <= b for a, b in excused):
                holes.append(silent[0])
        return holes

    def _when(self, part: Part) -> Iterator[tuple[int, int, int]]:
        """Yield when stretches of a part were played: sample of the call, position in what was sent, size."""
        everything, end = self._carrier.played, part.position + part.size
        at = bisect_right(everything, part.position, key=_position) - 1  # they stand in the order of what was sent
        for played in islice(everything, max(0, at), None):
            if played.position >= end:
                return
            first, last = max(part.position, played.position), min(end, played.position + played.size)
            if first < last:
                yield played.start + first - played.position, first, last - first

    def _played_of(self, context_id: str) -> Sequence[tuple[int, int]]:
        """Return the stretches of a context's audio that were played, in bytes of it."""
        return [
            (position + part.offset - part.position, position + size + part.offset - part.position)
            for part in self._of_context.get(context_id, ())
            for _, position, size in self._when(part)
        ]


_position, _last_byte = attrgetter("position"), itemgetter(2)


def _agreement(source: bytes, audio: bytes) -> int:
    """Return for how many bytes the two are the same."""
    if audio.startswith(source):
        return len(source)
    return next(n for n, (one, other) in enumerate(zip(source, audio, strict=False)) if one != other)
