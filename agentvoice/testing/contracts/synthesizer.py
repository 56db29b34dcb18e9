"""What every `Synthesizer` has to keep."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import anyio
from anyio import Event, fail_after, sleep

from agentvoice.audio import TELEPHONE, AudioFormat
from agentvoice.clock import current_time
from agentvoice.events import AudioReceived, ContextDone, ContextEvent, ContextFailed, WordsReceived
from agentvoice.interfaces import Synthesizer
from agentvoice.voicing import NATURAL

SENTENCES = ("Good evening. ", "This is the Blue Fig, ", "how may I help you?")
PATIENCE_S = 30.0
"""How long a sentence may take on the slowest machine."""


@dataclass
class Listener:
    """Takes what is delivered about one context."""

    context_id: str
    events: list[ContextEvent] = field(default_factory=list)
    ended: Event = field(default_factory=Event)
    audible: Event = field(default_factory=Event)

    def __call__(self, event: ContextEvent) -> None:
        """Be the `deliver` of a context."""
        assert event.context_id == self.context_id, f"{event} was delivered to {self.context_id}"
        assert not self.ended.is_set(), f"{event} came after the end"
        self.events.append(event)
        match event:
            case AudioReceived(_, audio):
                assert audio, "no piece of audio is empty"
                self.audible.set()
            case ContextDone() | ContextFailed():
                self.ended.set()

    @property
    def audio(self) -> bytes:
        """All audio so far."""
        return b"".join(event.audio for event in self.events if isinstance(event, AudioReceived))

    @property
    def words(self) -> list[tuple[str, float, float]]:
        """All words so far."""
        return [word for event in self.events if isinstance(event, WordsReceived) for word in event.words]


async def check_synthesizer(
    make: Callable[[], AbstractAsyncContextManager[Synthesizer]],
    *,
    audio: AudioFormat = TELEPHONE,
    word_times: bool = True,
) -> None:
    """Check a plugin, or a double. `make` returns what is entered to get a synthesizer that is ready.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    async with make() as synthesizer:
        await _check_a_context(synthesizer, audio, word_times=word_times)
        await _check_many(synthesizer, audio)
        await _check_cancel(synthesizer, audio)
        await _check_empty(synthesizer, audio)
        await _check_markup(synthesizer, audio, word_times=word_times)
        await _check_the_unknown(synthesizer)
        await _check_a_bad_listener(synthesizer, audio)
    async with make() as synthesizer:  # and leaving in mid-sentence
        listener = _open(synthesizer, "left", audio)
        synthesizer.send("left", SENTENCES[0])
        with fail_after(PATIENCE_S):
            await listener.audible.wait()
        began = current_time()
    assert current_time() - began <= 2, "a synthesizer is left within two seconds"


def _open(synthesizer: Synthesizer, context_id: str, audio: AudioFormat) -> Listener:
    listener = Listener(context_id)
    synthesizer.open(context_id, audio=audio, deliver=listener)
    return listener


def _speak(synthesizer: Synthesizer, context_id: str, audio: AudioFormat) -> Listener:
    listener = _open(synthesizer, context_id, audio)
    for sentence in SENTENCES:
        synthesizer.send(context_id, sentence)
    synthesizer.finish(context_id)
    return listener


async def _check_a_context(synthesizer: Synthesizer, audio: AudioFormat, *, word_times: bool) -> None:
    listener = _speak(synthesizer, "one", audio)
    with fail_after(PATIENCE_S):
        await listener.ended.wait()
    assert listener.events[-1] == ContextDone("one"), f"a context ends with ContextDone, not {listener.events[-1]}"
    seconds = audio.seconds(len(listener.audio))
    assert len(listener.audio) % audio.sample_bytes == 0, "audio comes in whole samples"
    assert 1 <= seconds <= 15, f"eleven words take a few seconds; it was {seconds:.1f} s"
    if word_times:
        spoken = [word for word, _, _ in listener.words]
        assert spoken == "".join(SENTENCES).split(), f"every word as written, once, in order; it was {spoken}"
        starts = [start for _, start, _ in listener.words]
        assert starts == sorted(starts), "words come in their order"
        assert all(start <= end <= seconds + 0.05 for _, start, end in listener.words), "words lie within the audio"


async def _check_many(synthesizer: Synthesizer, audio: AudioFormat) -> None:
    listeners = [_speak(synthesizer, f"many-{number}", audio) for number in range(5)]
    with fail_after(PATIENCE_S):
        for listener in listeners:
            await listener.ended.wait()
    for listener in listeners:
        assert listener.events[-1] == ContextDone(listener.context_id), "contexts live side by side"
        assert listener.audio, "each context has audio of its own"


async def _check_cancel(synthesizer: Synthesizer, audio: AudioFormat) -> None:
    cut = _speak(synthesizer, "cut", audio)
    with fail_after(PATIENCE_S):
        await cut.audible.wait()
    synthesizer.cancel("cut")
    known = len(cut.events)
    following = _speak(synthesizer, "following", audio)
    with fail_after(PATIENCE_S):
        await following.ended.wait()
    assert len(cut.events) == known, "nothing is delivered after a cancel"
    assert following.events[-1] == ContextDone("following"), "a cancel ends its own context, and no other"
    for verb in (synthesizer.cancel, synthesizer.finish):
        verb("cut")
    synthesizer.send("cut", "Nobody hears this.")
    await sleep(0.1)
    assert len(cut.events) == known, "what has ended takes no more"


async def _check_empty(synthesizer: Synthesizer, audio: AudioFormat) -> None:
    listener = _open(synthesizer, "empty", audio)
    synthesizer.send("empty", "… ")
    synthesizer.finish("empty")
    with fail_after(PATIENCE_S):
        await listener.ended.wait()
    assert listener.events == [ContextDone("empty")], "a context without words is done, without a sound"


async def _check_markup(synthesizer: Synthesizer, audio: AudioFormat, *, word_times: bool) -> None:
    """Whatever it lets through is no word; and how a context sounds may be left to the process."""
    pause = '<break time="200ms"/>' if "break" in synthesizer.markup.points else ""
    listener = Listener("marked")
    synthesizer.open("marked", audio=audio, deliver=listener, voicing=NATURAL)
    synthesizer.send("marked", f"Good evening. {pause}How may I help you?")
    synthesizer.finish("marked")
    with fail_after(PATIENCE_S):
        await listener.ended.wait()
    assert listener.events[-1] == ContextDone("marked"), "what it declares to understand does no harm"
    if word_times:
        spoken = [word for word, _, _ in listener.words]
        assert spoken == "Good evening. How may I help you?".split(), f"markup is no word; they were {spoken}"


async def _check_the_unknown(synthesizer: Synthesizer) -> None:
    synthesizer.send("nobody", "Hello?")
    synthesizer.finish("nobody")
    synthesizer.cancel("nobody")


async def _check_a_bad_listener(synthesizer: Synthesizer, audio: AudioFormat) -> None:
    called = anyio.Event()

    def fail(_: ContextEvent) -> None:
        called.set()
        raise RuntimeError("on purpose: a listener broke")

    synthesizer.open("broken", audio=audio, deliver=fail)
    synthesizer.send("broken", SENTENCES[0])
    well = _speak(synthesizer, "well", audio)
    with fail_after(PATIENCE_S):
        await called.wait()
        await well.ended.wait()
    assert well.events[-1] == ContextDone("well"), "an error of one listener is no concern of another"
