from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar, cast

import pytest
from anyio import CancelScope, create_task_group, current_time, sleep, sleep_until
from structlog.testing import capture_logs

from agentvoice.audio import TELEPHONE, linear_to_mulaw
from agentvoice.errors import ProviderRejected
from agentvoice.events import CallerAudio, Event, SpeechStarted, SpeechStopped, Transcript
from agentvoice.hearing import Hearing
from agentvoice.interfaces import Listening, SpeechRecognizer, VoiceDetector
from agentvoice.segments import PATIENCE_S, STALLED_S
from agentvoice.testing.hearing import Fault, LoudnessActivity, ScriptedRecognizer
from agentvoice.testing.lexicon import Lexicon

pytestmark = pytest.mark.anyio

FRAME = 160
T = TypeVar("T")


def about(seconds: float) -> float:
    """Compare equal to what is as good as equal, for voice activity that works in windows."""
    return cast("float", pytest.approx(seconds, abs=0.04))


@dataclass
class Line:
    """A line at whose other end somebody speaks in real time, and what was made of it."""

    hearing: Hearing
    began_at: float
    frames: int = 0
    events: list[tuple[float, Event]] = field(default_factory=list)
    """When, since the beginning, and what."""

    async def speak(self, pcm: bytes) -> None:
        audio = linear_to_mulaw(pcm)
        for at in range(0, len(audio), FRAME):
            await self.frame(audio[at : at + FRAME].ljust(FRAME, b"\xff"))

    async def frame(self, audio: bytes) -> None:
        """Deliver a frame at the moment when it has been spoken."""
        self.frames += 1
        await sleep_until(self.began_at + self.frames * 0.02)
        self.hearing.feed(CallerAudio(audio, (self.frames - 1) * FRAME))

    async def be_silent(self, seconds: float) -> None:
        await self.speak(bytes(2 * round(8000 * seconds)))

    def deliver(self, event: Event) -> None:
        self.events.append((current_time() - self.began_at, event))

    def all(self, kind: type[T]) -> list[T]:
        return [event for _, event in self.events if isinstance(event, kind)]

    @property
    def finals(self) -> list[str]:
        return [event.text for _, event in self.events if isinstance(event, Transcript) and event.final]

    def when(self, kind: type[Event], number: int = 0) -> float:
        return [at for at, event in self.events if isinstance(event, kind)][number]


@asynccontextmanager
async def line(recognizer: SpeechRecognizer, detector: VoiceDetector | None = None) -> AsyncIterator[Line]:
    far_end: list[Line] = []

    def deliver(event: Event) -> None:
        far_end[0].deliver(event)

    hearing = Hearing(detector or LoudnessActivity().detector(8000), recognizer, TELEPHONE, deliver)
    far_end.append(Line(hearing, current_time()))
    async with create_task_group() as group:
        group.start_soon(hearing.run)
        yield far_end[0]
        group.cancel_scope.cancel()


async def test_speech_becomes_events_and_words_in_order() -> None:
    lexicon = Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear)) as caller:
        await caller.be_silent(0.5)
        await caller.speak(lexicon.say("a table for two"))
        await caller.be_silent(0.5)

    *events, final = [event for _, event in caller.events]
    assert events[0] == SpeechStarted(about(caller.began_at + 0.5))
    assert [t.text for t in caller.all(Transcript) if not t.final][:2] == ["a", "a table"]
    assert events[-1] == SpeechStopped(about(caller.began_at + 0.5 + 4 / 3))
    assert final == Transcript("a table for two", final=True, confidence=0.9)


async def test_the_onset_is_known_within_a_tenth_of_a_second() -> None:
    lexicon = Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear)) as caller:
        await caller.be_silent(1.0)
        await caller.speak(lexicon.say("wait"))

    assert caller.when(SpeechStarted) <= 1.1


async def test_a_recogniser_that_blocks_delays_no_onset() -> None:
    lexicon = Lexicon()
    recognizer = ScriptedRecognizer(lexicon.hear, faults={0: Fault(feed_blocks_s=1.5)})
    async with line(recognizer) as caller:
        await caller.speak(lexicon.say("yes"))
        await caller.be_silent(0.3)
        await caller.speak(lexicon.say("no wait"))
        await caller.be_silent(1.5)

    assert caller.when(SpeechStarted, 0) <= 0.1
    assert caller.when(SpeechStarted, 1) <= 1 / 3 + 0.3 + 0.1
    assert caller.finals == ["yes", "no wait"]


async def test_the_recogniser_is_given_speech_and_what_just_preceded_it_but_no_silence() -> None:
    lexicon = Lexicon()
    recognizer = ScriptedRecognizer(lexicon.hear)
    async with line(recognizer) as caller:
        await caller.be_silent(5.0)
        await caller.speak(lexicon.say("hello"))
        await caller.be_silent(5.0)

    [segment] = recognizer.segments
    before = len(segment) - len(segment.lstrip(b"\0"))
    after = len(segment) - len(segment.rstrip(b"\0"))
    assert 0.3 <= before / 16000 <= 0.5
    assert 0.2 <= after / 16000 <= 0.3


async def test_the_first_words_are_kept_while_the_recogniser_connects() -> None:
    lexicon = Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear, opens_after_s=1.0)) as caller:
        await caller.speak(lexicon.say("hello"))
        await caller.be_silent(2.0)

    assert caller.finals == ["hello"]
    assert caller.when(SpeechStarted) <= 0.1


async def test_a_recogniser_that_does_not_open_is_tried_again() -> None:
    lexicon = Lexicon()
    recognizer = ScriptedRecognizer(lexicon.hear, fails_to_open=3)
    with capture_logs() as logs:
        async with line(recognizer) as caller:
            await caller.speak(lexicon.say("hello"))
            await caller.be_silent(2.0)

    assert caller.finals == ["hello"]
    assert [entry["event"] for entry in logs] == ["recognizer_failed"] * 3


async def test_a_recogniser_that_crashes_in_mid_word_is_given_the_words_again() -> None:
    lexicon = Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear, faults={0: Fault(crashes=True)})) as caller:
        await caller.be_silent(0.5)
        await caller.speak(lexicon.say("a table for two"))
        await caller.be_silent(1.0)

    assert caller.finals == ["a table for two"]


async def test_a_recogniser_that_refuses_for_good_is_not_asked_again_and_the_call_goes_on() -> None:
    class Refusing:
        opened = 0

        def prepare(self) -> None: ...

        def listen(self, sample_rate: int) -> AbstractAsyncContextManager[Listening]:
            self.opened += 1
            raise ProviderRejected("acme", "the key is wrong")

    recognizer = Refusing()
    async with line(recognizer) as caller:
        await caller.speak(Lexicon().say("hello"))
        await caller.be_silent(8.0)

    assert recognizer.opened == 1
    assert [type(event) for _, event in caller.events] == [SpeechStarted, SpeechStopped, Transcript]
    assert caller.finals == [""]


async def test_a_recogniser_that_refuses_to_go_on_is_not_asked_again() -> None:
    lexicon = Lexicon()
    recognizer = ScriptedRecognizer(lexicon.hear, faults={0: Fault(rejects=True)})
    async with line(recognizer) as caller:
        await caller.speak(lexicon.say("hello"))
        await caller.be_silent(3.0)

    assert recognizer.opened == 1
    assert caller.finals == [""]


async def test_a_recogniser_that_has_worked_since_is_opened_again_at_once() -> None:
    lexicon = Lexicon()
    recognizer = ScriptedRecognizer(lexicon.hear, fails_to_open=5, faults={1: Fault(crashes=True)})
    async with line(recognizer) as caller:
        await caller.be_silent(5.0)
        await caller.speak(lexicon.say("hello"))
        await caller.be_silent(1.0)
        await caller.speak(lexicon.say("goodbye"))
        await caller.be_silent(1.0)

    assert caller.finals == ["hello", "goodbye"]


async def test_a_transcript_that_does_not_come_is_replaced_by_the_last_partial_one_in_time() -> None:
    lexicon = Lexicon()
    recognizer = ScriptedRecognizer(lexicon.hear, faults={0: Fault(never_answers=True)})
    async with line(recognizer) as caller:
        await caller.speak(lexicon.say("a table for two"))
        await caller.be_silent(2.0)

    assert caller.finals == ["a table for two"]
    assert caller.events[-1][0] == pytest.approx(4 / 3 + PATIENCE_S, abs=0.1)


async def test_a_recogniser_that_stalls_is_replaced_and_hears_the_next_words() -> None:
    lexicon = Lexicon()
    recognizer = ScriptedRecognizer(lexicon.hear, faults={0: Fault(never_answers=True)})
    with capture_logs() as logs:
        async with line(recognizer) as caller:
            await caller.speak(lexicon.say("a table"))
            await caller.be_silent(STALLED_S + 0.5)
            await caller.speak(lexicon.say("hello"))
            await caller.be_silent(1.0)

    assert caller.finals == ["a table", "hello"]
    assert recognizer.opened == 2
    assert [entry["event"] for entry in logs] == ["transcript_overdue", "recognizer_stalled"]


async def test_a_recogniser_that_ends_by_itself_is_opened_again() -> None:
    lexicon = Lexicon()

    class Closing(ScriptedRecognizer):
        @asynccontextmanager
        async def listen(self, sample_rate: int) -> AsyncIterator[Listening]:
            async with super().listen(sample_rate) as listening:
                if self.opened == 1:
                    listening._send.close()  # type: ignore[attr-defined]
                yield listening

    async with line(Closing(lexicon.hear)) as caller:
        await caller.speak(lexicon.say("hello"))
        await caller.be_silent(1.0)

    assert caller.finals == ["hello"]


async def test_a_line_that_falls_silent_in_mid_word_ends_the_speech() -> None:
    lexicon = Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear)) as caller:
        await caller.speak(lexicon.say("hello there"))
        await sleep(1.0)

    assert caller.all(SpeechStopped) == [SpeechStopped(about(caller.began_at + 2 / 3))]
    assert caller.finals == ["hello there"]


async def test_a_detector_that_fails_is_logged_once_and_the_call_goes_on() -> None:
    class Broken:
        window_s = 0.032

        async def feed(self, pcm: bytes) -> Sequence[float]:
            raise RuntimeError("no")

    with capture_logs() as logs:
        async with line(ScriptedRecognizer([]), Broken()) as caller:
            await caller.be_silent(0.2)

    assert [entry["event"] for entry in logs] == ["voice_activity_failed"]


async def test_a_detector_that_lags_loses_the_oldest_frames_and_says_how_many() -> None:
    class Slow:
        window_s = 0.032

        async def feed(self, pcm: bytes) -> Sequence[float]:
            await sleep(1.0)
            return []

    with capture_logs() as logs:
        async with line(ScriptedRecognizer([]), Slow()) as caller:
            await caller.be_silent(8.0)

    assert caller.hearing.dropped > 100
    assert logs[-1]["event"] == "hearing_missed"
    assert logs[-1]["dropped_frames"] == caller.hearing.dropped


@pytest.mark.parametrize("spoil", [lambda audio: audio[:77], lambda audio: b"", lambda audio: b"\x00" * 160])
async def test_odd_empty_and_deafening_frames_end_no_call(spoil: Callable[[bytes], bytes]) -> None:
    lexicon = Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear)) as caller:
        for _ in range(20):
            await caller.frame(spoil(b"\xff" * FRAME))
        await caller.be_silent(1.0)
        await caller.speak(lexicon.say("hello"))
        await caller.be_silent(1.0)

    assert caller.finals[-1] == "hello"


async def test_hearing_ends_at_once_when_it_is_cancelled() -> None:
    hearing = Hearing(LoudnessActivity().detector(8000), ScriptedRecognizer([]), TELEPHONE, lambda event: None)
    began = current_time()
    async with create_task_group() as group:
        group.start_soon(hearing.run)
        with CancelScope():
            await sleep(1.0)
        group.cancel_scope.cancel()

    assert current_time() - began == pytest.approx(1.0, abs=0.01)
