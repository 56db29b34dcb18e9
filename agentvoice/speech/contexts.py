"""One context of a speech socket: its states, its text on the way to becoming speech, its clock."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from agentvoice.audio import AudioFormat
from agentvoice.errors import LocalProtocolError
from agentvoice.tts.wire import Chunk, Generate, GenerationConfig, PhonemeTimestamps, Reply, Timestamps

from .convert import Spoken, Utterance
from .lexicon import Lexicon, Reading
from .markup import Manner, Pause, parse_markup
from .sentences import TextBuffer, is_speakable, split_sentences
from .times import Telling, characters, letters

_CHUNK_S: Final = 0.5
_CHUNK_BYTES: Final = 16384
"""The real service's chunks were never seen larger."""


class ContextState(StrEnum):
    """Where a context is in its life. An id that was never used, or is done, has none."""

    OPEN = "open"
    """It takes text."""
    DRAINING = "draining"
    """The client said that no more follows; its speech is still to come."""
    DONE = "done"
    CANCELLED = "cancelled"
    """Nothing is said about it any more, whatever the client sends."""
    FAILED = "failed"


class ContextEvent(StrEnum):
    """What moves a context from state to state."""

    FINISHED = "finished"
    """A request without `continue`."""
    DRAINED = "drained"
    """The last of its speech was made."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


TRANSITIONS: Final[Mapping[tuple[ContextState, ContextEvent], ContextState]] = {
    (ContextState.OPEN, ContextEvent.FINISHED): ContextState.DRAINING,
    (ContextState.OPEN, ContextEvent.EXPIRED): ContextState.DONE,
    (ContextState.OPEN, ContextEvent.CANCELLED): ContextState.CANCELLED,
    (ContextState.OPEN, ContextEvent.FAILED): ContextState.FAILED,
    # The same id in two requests at once is a continuation, even when neither says so.
    (ContextState.DRAINING, ContextEvent.FINISHED): ContextState.DRAINING,
    (ContextState.DRAINING, ContextEvent.DRAINED): ContextState.DONE,
    (ContextState.DRAINING, ContextEvent.CANCELLED): ContextState.CANCELLED,
    (ContextState.DRAINING, ContextEvent.FAILED): ContextState.FAILED,
    # Its end was decided, and has not been sent.
    (ContextState.DONE, ContextEvent.CANCELLED): ContextState.CANCELLED,
}


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """An utterance of a context. Two are never equal: each is its own piece of work."""

    key: int
    """Which context of the socket: unlike its id, never used twice."""
    utterance: Utterance
    readings: tuple[Reading, ...] = ()
    """What the transcript has for the words of the utterance, where that is something else."""


class FlushMark:
    """A place between two utterances where the client is told that all before it has been sent."""


Step: TypeAlias = Job | FlushMark


class Context:
    """What the server knows about one context. `session.py` decides what happens to it."""

    def __init__(
        self, key: int, request: Generate, *, voice: str, output: AudioFormat, lexicon: Lexicon, first_flush: int
    ) -> None:
        self.key = key
        self.context_id = request.context_id
        self.state = ContextState.OPEN
        self.buffer = TextBuffer()
        self.steps: deque[Step] = deque()
        """What is to be spoken and confirmed, in order; the first one is being spoken."""
        self.unsent = 0
        """Messages that were decided and have not left for the client."""
        self.active_at = 0.0
        """When the client last said something, or last was sent something."""
        self.flush_id = first_flush
        self.characters = 0
        """Length of the text that waits to be spoken."""
        self._voice = voice
        self._output = output
        self._lexicon = lexicon
        self._locked = (request.model_id, request.voice_id, request.embedding, request.output)
        self._language = request.language
        self._generation = GenerationConfig()
        self._manner = Manner()
        self._words = self._phonemes = self._normalized = False
        self._limit = math.inf
        self._size = 0
        self._telling = Telling()
        self.update(request)

    def move(self, event: ContextEvent) -> None:
        """Follow an arrow of `TRANSITIONS`.

        Raises:
            LocalProtocolError: there is no such arrow.
        """
        try:
            self.state = TRANSITIONS[self.state, event]
        except KeyError:
            raise LocalProtocolError(f"a context that is {self.state} cannot be {event}") from None

    def is_locked_to(self, request: Generate) -> bool:
        """Return whether a request with text keeps the model, voice, format and language that the first one chose."""
        if (request.model_id, request.voice_id, request.embedding, request.output) != self._locked:
            return False
        return request.language == self._language or None in (request.language, self._language)

    def update(self, request: Generate) -> None:
        """Take over what may change between requests with text."""
        self._words, self._phonemes = request.add_timestamps, request.add_phoneme_timestamps
        self._normalized = bool(request.use_normalized_timestamps)
        self._generation = request.generation or self._generation
        if request.duration is not None:
            self._limit = self._output.size(request.duration)

    def plan(self, text: str) -> list[Job]:
        """Turn text into utterances, which are appended to `steps`."""
        spans, self._manner = parse_markup(text, self._manner)
        jobs: list[Job] = []
        for span in spans:
            if isinstance(span, Pause):
                jobs.append(Job(self.key, self._utterance("", self._manner, pause_s=span.seconds)))
            elif span.written:
                readings = (Reading((span.written,), tuple(span.text.split())),)
                jobs.append(Job(self.key, self._utterance(span.text, span.manner), readings))
            else:
                jobs += [
                    self._job(part.strip(), span.manner) for part in split_sentences(span.text) if is_speakable(part)
                ]
        self.steps.extend(jobs)
        self.characters += sum(len(job.utterance.text) for job in jobs)
        return jobs

    def _job(self, text: str, manner: Manner) -> Job:
        readings = tuple(reading for reading in self._lexicon.read(text) if reading.spoken)
        if all(reading.written == reading.spoken for reading in readings):
            return Job(self.key, self._utterance(text, manner))
        spoken = " ".join(word for reading in readings for word in reading.spoken)
        return Job(self.key, self._utterance(spoken, manner), readings)

    def _utterance(self, text: str, manner: Manner, *, pause_s: float = 0.0) -> Utterance:
        return Utterance(
            text=text,
            voice=self._voice,
            output=self._output,
            speed=self._generation.speed * manner.speed,
            volume=self._generation.volume * manner.volume,
            pause_s=pause_s,
        )

    def is_full(self) -> bool:
        """Whether as much audio was made as the client wants (`duration`)."""
        return self._size >= self._limit

    def take(self, job: Job, spoken: Spoken, *, step_ms: float) -> Iterator[Reply]:
        """Yield the messages about a stretch of the first job's speech."""
        audio = spoken.audio[: max(0, int(min(self._limit - self._size, len(spoken.audio))))]
        size = self._chunk_size()
        chunks = [
            Chunk(self.context_id, audio[at : at + size], step_ms, self.flush_id) for at in range(0, len(audio), size)
        ]
        self._size += len(audio)
        yield from chunks[:1]
        yield from self._times(job, spoken)
        yield from chunks[1:]

    def end_job(self) -> None:
        """Take the first job off: all of it was spoken."""
        job = self.steps.popleft()
        if isinstance(job, Job):
            self.characters -= len(job.utterance.text)
        self._telling.begin(self._output.seconds(self._size))

    def forget_jobs(self) -> None:
        """Speak nothing more; flushes are still confirmed."""
        self.steps = deque(step for step in self.steps if isinstance(step, FlushMark))
        self.characters = 0

    def _chunk_size(self) -> int:
        unit = self._output.sample_bytes
        return min(_CHUNK_BYTES // unit * unit, self._output.size(_CHUNK_S))

    def _times(self, job: Job, spoken: Spoken) -> Iterator[Reply]:
        words = self._telling.words(spoken.words)
        written = list(self._telling.as_written(words, job.readings)) if job.readings else words
        if self._words and (told := characters(words if self._normalized else written)):
            yield Timestamps(self.context_id, tuple(told), self.flush_id)
        if self._phonemes and (sounds := self._telling.phonemes(spoken.phonemes) or letters(words)):
            yield PhonemeTimestamps(self.context_id, tuple(sounds), self.flush_id)
