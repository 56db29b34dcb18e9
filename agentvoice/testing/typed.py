"""A call in writing: the line, the voice and the ears of one who types. Everything between them is the real thing.

What is typed is an utterance like any other, and cuts in like any other. What the agent writes is spoken in silence, a
frame a word: a turn takes a moment, in which it can be cut off, and the ledger knows what was read of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from anyio import Event as Flag, create_memory_object_stream, sleep_forever

from agentvoice.audio import TELEPHONE, AudioFormat
from agentvoice.clock import current_time
from agentvoice.commands import Command
from agentvoice.events import (
    AudioReceived,
    BargeIn,
    BargeInKind,
    CallerAudio,
    ContextDone,
    ContextEvent,
    Event,
    HungUp,
    LineEvent,
    MarkReturned,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    WordsReceived,
)
from agentvoice.markup import NO_MARKUP
from agentvoice.voicing import Voicing

WORD_S: Final = 0.02
"""How long a word takes to read: one frame."""
SOURCE: Final = "typing"


class TypedLine:
    """A `Transport` without sound: everything is heard as soon as it is sent."""

    audio = TELEPHONE
    has_marks = True
    has_keys = True

    def __init__(self) -> None:
        self._send, self._receive = create_memory_object_stream[LineEvent](float("inf"))
        self._over = Flag()

    async def run(self) -> None:
        """Wait for the end; see `Transport.run`."""
        await self._over.wait()

    async def receive(self) -> LineEvent:
        """Wait for a mark, or the end; see `Transport.receive`."""
        return await self._receive.receive()

    def send_audio(self, audio: bytes) -> None:
        """Hear silence."""

    def send_mark(self, name: str) -> None:
        """Give the mark back."""
        self._send.send_nowait(MarkReturned(name))

    def clear(self) -> None:
        """Forget nothing: all was heard."""

    def hang_up(self, reason: str = "agent") -> None:
        """End the call, from either end."""
        self._send.send_nowait(HungUp(reason))
        self._over.set()

    def close(self) -> None:
        """Let go of everything."""
        self._send.close()
        self._receive.close()


class SilentVoice:
    """A `Synthesizer` that reads every word in a frame of silence."""

    markup = NO_MARKUP

    def __init__(self) -> None:
        self._contexts: dict[str, _Context] = {}

    def open(
        self,
        context_id: str,
        *,
        audio: AudioFormat,
        deliver: Callable[[ContextEvent], None],
        voicing: Voicing | None = None,  # noqa: ARG002
    ) -> None:
        """Begin a context; see `Synthesizer.open`."""
        self._contexts[context_id] = _Context(context_id, audio, deliver)

    def send(self, context_id: str, text: str) -> None:
        """Read a text; see `Synthesizer.send`."""
        if (context := self._contexts.get(context_id)) is not None:
            context.read(text.split())

    def finish(self, context_id: str) -> None:
        """End a context; see `Synthesizer.finish`."""
        if (context := self._contexts.pop(context_id, None)) is not None:
            context.deliver(ContextDone(context_id))

    def cancel(self, context_id: str) -> None:
        """Forget a context; see `Synthesizer.cancel`."""
        self._contexts.pop(context_id, None)


class _Context:
    def __init__(self, context_id: str, audio: AudioFormat, deliver: Callable[[ContextEvent], None]) -> None:
        self._id = context_id
        self._audio = audio
        self.deliver = deliver
        self._at_s = 0.0

    def read(self, words: Sequence[str]) -> None:
        """Deliver silence for some words, and when each of them is read."""
        if not words:
            return
        starts = [self._at_s + WORD_S * number for number in range(len(words))]
        self._at_s += WORD_S * len(words)
        times = tuple((word, start, start + WORD_S) for word, start in zip(words, starts, strict=True))
        self.deliver(WordsReceived(self._id, times))
        self.deliver(AudioReceived(self._id, self._audio.silence(len(words) * self._audio.size(WORD_S))))


class TypedEars:
    """`Ears` for what is typed. Give `hear` each line."""

    judges = False

    def __init__(self, deliver: Callable[[Event], None]) -> None:
        self._deliver = deliver

    def feed(self, event: CallerAudio) -> None:
        """Hear nothing: there is no sound."""

    def notice(self, decided: Command) -> None:
        """There is no echo, and no pause."""

    async def run(self) -> None:
        """Wait to be cancelled."""
        await sleep_forever()

    def hear(self, line: str) -> None:
        """Take a line for a whole utterance, which cuts in where the agent has the floor."""
        now = current_time()
        self._deliver(SpeechStarted(now))
        self._deliver(BargeIn(BargeInKind.CONFIRM, SOURCE))
        self._deliver(SpeechStopped(now))
        self._deliver(Transcript(line, final=True))
