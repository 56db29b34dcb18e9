"""Hearing, in virtual time: what comes in as audio goes out as events, whatever listens."""

from __future__ import annotations

import math
from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import pytest
from anyio import CancelScope, create_memory_object_stream, create_task_group, current_time, sleep, sleep_until
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from structlog.testing import capture_logs

from agentvoice.audio import TELEPHONE, linear_to_mulaw
from agentvoice.commands import JudgePause, UtteranceEnded
from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.events import (
    CallerAudio,
    CallerTurnEnded,
    CallerTurnEvent,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    EndOfTurnJudged,
    Event,
    KeyPressed,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from agentvoice.hearing import Hearing
from agentvoice.interfaces import (
    HEARD_S,
    Following,
    Listening,
    SpeechRecognizer,
    TurnRecognizer,
    VoiceActivity,
    VoiceDetector,
)
from agentvoice.segments import PATIENCE_S, STALLED_S
from agentvoice.testing.hearing import Fault, LoudnessActivity, ScriptedRecognizer
from agentvoice.testing.lexicon import Lexicon
from agentvoice.tones import HIGH, KEYS, LOW
from agentvoice.utterance import HeardWord

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


@dataclass
class With:
    """Voice activity by one detector."""

    its: VoiceDetector

    def prepare(self) -> None:
        """Nothing to load."""

    def detector(self, sample_rate: int) -> VoiceDetector:
        return self.its


@asynccontextmanager
async def line(
    recognizer: SpeechRecognizer | TurnRecognizer, vad: VoiceActivity | None = None, **options: Any
) -> AsyncIterator[Line]:
    far_end: list[Line] = []

    def deliver(event: Event) -> None:
        far_end[0].deliver(event)

    hearing = Hearing(vad or LoudnessActivity(), recognizer, TELEPHONE, deliver, **options)
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
    assert {entry["reason"] for entry in logs} == {"script: does not open"}
    assert not any("exc_info" in entry for entry in logs), "what says what is wrong needs no traceback"


async def test_what_breaks_in_a_recogniser_for_no_reason_of_ours_is_told_with_its_traceback() -> None:
    class Broken:
        def prepare(self) -> None: ...

        def listen(self, sample_rate: int) -> AbstractAsyncContextManager[Listening]:
            raise ZeroDivisionError

    with capture_logs() as logs:
        async with line(Broken()) as caller:
            await caller.be_silent(0.1)

    assert logs[0]["exc_info"]


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
        await caller.be_silent(5.0)

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
        async with line(ScriptedRecognizer([]), With(Broken())) as caller:
            await caller.be_silent(0.2)

    assert [entry["event"] for entry in logs] == ["voice_activity_failed"]


async def test_a_detector_that_lags_loses_the_oldest_frames_and_says_how_many() -> None:
    class Slow:
        window_s = 0.032

        async def feed(self, pcm: bytes) -> Sequence[float]:
            await sleep(1.0)
            return []

    with capture_logs() as logs:
        async with line(ScriptedRecognizer([]), With(Slow())) as caller:
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
    hearing = Hearing(LoudnessActivity(), ScriptedRecognizer([]), TELEPHONE, lambda event: None)
    began = current_time()
    async with create_task_group() as group:
        group.start_soon(hearing.run)
        with CancelScope():
            await sleep(1.0)
        group.cancel_scope.cancel()

    assert current_time() - began == pytest.approx(1.0, abs=0.01)


# ---------------------------------------------------------------------- a recogniser that knows turns


@dataclass
class ScriptedTurns:
    """A `TurnRecognizer` that says what it is told to, and keeps what it was fed."""

    crashes_after_s: float = math.inf
    fed: list[bytes] = field(default_factory=list)
    says: MemoryObjectSendStream[CallerTurnEvent] | None = None
    events: MemoryObjectReceiveStream[CallerTurnEvent] = field(init=False)

    def prepare(self) -> None: ...

    @asynccontextmanager
    async def follow(self, sample_rate: int) -> AsyncIterator[Following]:
        self.says, self.events = create_memory_object_stream[CallerTurnEvent](16)
        self.fed.append(b"")
        with self.says, self.events:
            yield self

    async def feed(self, pcm: bytes) -> None:
        self.fed[-1] += pcm
        if len(self.fed[-1]) >= 16000 * self.crashes_after_s:
            self.crashes_after_s = math.inf
            raise ProviderUnavailable("turns", "crashed")

    def say(self, *events: CallerTurnEvent) -> None:
        assert self.says is not None
        for event in events:
            self.says.send_nowait(event)


async def test_a_recogniser_that_knows_turns_is_given_everything_and_its_word_is_passed_on() -> None:
    turns = ScriptedTurns()
    async with line(turns) as caller:
        await caller.be_silent(1.0)
        turns.say(
            CallerTurnStarted("yes", 0.4),
            Transcript("yes please", final=False, words=(HeardWord("yes", 0.5, 0.6),)),
            CallerTurnLikely("yes please"),
            CallerTurnResumed(),
            CallerTurnEnded("Yes, please.", 0.9, (HeardWord("Yes,", 0.5, 0.6),)),
        )
        await caller.be_silent(0.1)

    assert len(turns.fed[0]) == pytest.approx(1.1 * 16000, abs=700)
    began, partial, likely, resumed, ended = [event for _, event in caller.events]
    assert began == CallerTurnStarted("yes", about(caller.began_at + 0.4))
    assert partial == Transcript(
        "yes please", False, words=(HeardWord("yes", about(caller.began_at + 0.5), about(caller.began_at + 0.6)),)
    )
    assert (likely, resumed) == (CallerTurnLikely("yes please"), CallerTurnResumed())
    assert isinstance(ended, CallerTurnEnded)
    assert ended.words[0].start == about(caller.began_at + 0.5)


async def test_a_turn_whose_beginning_the_recogniser_does_not_date_begins_now() -> None:
    turns = ScriptedTurns()
    async with line(turns) as caller:
        await caller.be_silent(1.0)
        turns.say(CallerTurnStarted("yes"))
        await caller.be_silent(0.1)

    [began] = caller.all(CallerTurnStarted)
    assert began.at == about(caller.began_at + 1.0)


async def test_a_recogniser_that_breaks_in_a_turn_is_given_the_turn_again() -> None:
    turns = ScriptedTurns(crashes_after_s=2.0)
    async with line(turns) as caller:
        await caller.be_silent(1.0)
        turns.say(CallerTurnStarted("a", 0.9))
        await caller.be_silent(2.0)
        turns.say(CallerTurnEnded("A table.", words=(HeardWord("A", 0.0, 0.1),)))
        await caller.be_silent(0.1)

    assert len(turns.fed) == 2
    assert len(turns.fed[1]) == pytest.approx(3.1 * 16000, abs=17_000)
    [ended] = caller.all(CallerTurnEnded)
    assert caller.began_at <= ended.words[0].start <= caller.began_at + 1.0, "its clock is that of what it was given"


async def test_a_recogniser_of_turns_that_makes_nothing_of_long_speech_is_replaced() -> None:
    turns, lexicon = ScriptedTurns(), Lexicon()
    with capture_logs() as logs:
        async with line(turns) as caller:
            await caller.speak(lexicon.say("a table for two please"))
            await caller.be_silent(STALLED_S + 1)

    assert "recognizer_stalled" in [entry["event"] for entry in logs]
    assert len(turns.fed) == 2


async def test_a_cough_of_which_it_makes_nothing_does_not() -> None:
    turns, lexicon = ScriptedTurns(), Lexicon()
    async with line(turns) as caller:
        await caller.speak(lexicon.say("hm"))
        await caller.be_silent(STALLED_S + 1)

    assert len(turns.fed) == 1


# ---------------------------------------------------------------------- a model of turns


@dataclass
class Judge:
    """An `EndOfTurn` that takes its time."""

    takes_s: float = 0.05
    heard: list[tuple[float, int, str]] = field(default_factory=list)
    """Seconds of audio, sample rate, words."""

    def prepare(self) -> None: ...

    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:
        self.heard.append((len(pcm) / 2 / sample_rate, sample_rate, text))
        await sleep(self.takes_s)
        if text == "crash":
            raise RuntimeError("no")
        return 0.8


async def test_a_pause_is_judged_by_the_last_seconds_and_the_words() -> None:
    judge, lexicon = Judge(), Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear), end_of_turn=judge) as caller:
        await caller.be_silent(9.0)
        await caller.speak(lexicon.say("a table"))
        await caller.be_silent(0.4)
        caller.hearing.notice(JudgePause("a table"))
        await caller.be_silent(0.2)

    assert judge.heard == [(about(HEARD_S), 8000, "a table")]
    assert caller.all(EndOfTurnJudged) == [EndOfTurnJudged(0.8)]


async def test_a_model_hears_nothing_of_the_utterance_before() -> None:
    judge, lexicon = Judge(), Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear), end_of_turn=judge) as caller:
        await caller.speak(lexicon.say("a table for two"))
        caller.hearing.notice(UtteranceEnded("a table for two", 0.0, 1.0))
        await caller.be_silent(1.0)
        caller.hearing.notice(JudgePause("yes"))
        await caller.be_silent(0.1)

    assert judge.heard == [(about(1.0), 8000, "yes")]


async def test_what_a_model_thinks_of_a_pause_that_is_over_is_not_said() -> None:
    judge, lexicon = Judge(takes_s=1.0), Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear), end_of_turn=judge) as caller:
        await caller.speak(lexicon.say("a table"))
        await caller.be_silent(0.4)
        caller.hearing.notice(JudgePause("a table"))
        await caller.be_silent(0.1)
        await caller.speak(lexicon.say("for two people"))
        caller.hearing.notice(JudgePause("a table"))
        await caller.be_silent(2.0)

    assert len(judge.heard) == 1, "while the caller speaks there is no pause to judge"
    assert caller.all(EndOfTurnJudged) == []


async def test_a_model_of_turns_that_fails_is_logged_once_and_the_call_goes_on() -> None:
    judge = Judge()
    with capture_logs() as logs:
        async with line(ScriptedRecognizer([]), end_of_turn=judge) as caller:
            for _ in range(3):
                await caller.be_silent(0.2)
                caller.hearing.notice(JudgePause("crash"))
            await caller.be_silent(0.2)

    assert [entry["event"] for entry in logs] == ["end_of_turn_failed"]


async def test_ears_without_a_model_do_not_judge() -> None:
    async with line(ScriptedRecognizer([])) as caller:
        assert not caller.hearing.judges
    async with line(ScriptedRecognizer([]), end_of_turn=Judge()) as caller:
        assert caller.hearing.judges


async def test_a_slow_recogniser_without_partial_transcripts_loses_no_words() -> None:
    lexicon = Lexicon()
    async with line(ScriptedRecognizer(lexicon.hear, latency_s=3.0, partial_every_s=math.inf)) as caller:
        await caller.speak(lexicon.say("a table for two"))
        await caller.be_silent(4.0)

    assert caller.finals == ["a table for two"]


# ---------------------------------------------------------------------- keys


async def test_keys_are_heard_where_the_carrier_reports_none() -> None:
    async with line(ScriptedRecognizer([]), hears_keys=True) as caller:
        await caller.be_silent(0.2)
        for key in "4#":
            await caller.speak(key_tone(key, 0.1))
            await caller.be_silent(0.1)

    assert [pressed.key for pressed in caller.all(KeyPressed)] == ["4", "#"]
    assert caller.when(KeyPressed) <= 0.2 + 0.1, "it need not be let go"


async def test_where_the_carrier_reports_keys_tones_are_mere_sound() -> None:
    async with line(ScriptedRecognizer([])) as caller:
        await caller.speak(key_tone("4", 0.1))
        await caller.be_silent(0.1)

    assert caller.all(KeyPressed) == []


def key_tone(key: str, seconds: float) -> bytes:
    row = next(number for number, keys in enumerate(KEYS) if key in keys)
    pair = (LOW[row], HIGH[KEYS[row].index(key)])
    samples = (
        sum(6000 * math.sin(math.tau * hertz * n / 8000) for hertz in pair) for n in range(round(8000 * seconds))
    )
    return array("h", map(round, samples)).tobytes()
