from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest
from anyio import CancelScope, create_task_group, current_time, get_cancelled_exc_class, sleep, wait_all_tasks_blocked
from structlog.testing import capture_logs

from agentvoice.audio import TELEPHONE, linear_to_mulaw
from agentvoice.batch_listening import listen_in_batches
from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.events import CallerAudio, Event, Transcript
from agentvoice.hearing import Hearing
from agentvoice.interfaces import Listening
from agentvoice.testing.contracts.recognizer import check_recognizer
from agentvoice.testing.hearing import LoudnessActivity
from agentvoice.testing.lexicon import Lexicon

pytestmark = pytest.mark.anyio

RATE = 8000


@dataclass
class Acme:
    """Tells how long the audio is that it is given, or what its lexicon hears, after a while."""

    takes_s: Sequence[float] = (0.1,)
    """For each request; the last for all that follow."""
    fails: dict[int, Exception] = field(default_factory=dict)
    lexicon: Lexicon | None = None
    options: dict[str, float] = field(default_factory=dict)
    stubborn: bool = False
    """Whether it goes on when it is cancelled."""
    asked: list[float] = field(default_factory=list)
    """Seconds of audio of each request."""
    cancelled: int = 0
    running: int = 0
    most_running: int = 0

    def prepare(self) -> None:
        """Nothing to load."""

    def listen(self, sample_rate: int) -> AbstractAsyncContextManager[Listening]:
        return listen_in_batches(self.transcribe, sample_rate, **self.options)  # type: ignore[arg-type]

    async def transcribe(self, pcm: bytes, sample_rate: int) -> Transcript:
        number, seconds = len(self.asked), len(pcm) / 2 / sample_rate
        self.asked.append(seconds)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            with CancelScope(shield=self.stubborn):
                await sleep(self.takes_s[min(number, len(self.takes_s) - 1)])
        except get_cancelled_exc_class():
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        if number in self.fails:
            raise self.fails[number]
        return Transcript(self.lexicon.hear(pcm, sample_rate) if self.lexicon else f"{seconds:.1f} s", final=True)


def sound(seconds: float) -> bytes:
    return b"\x00\x10" * round(RATE * seconds)


async def say(listening: Listening, seconds: float) -> None:
    await listening.feed(sound(seconds))
    await listening.finalize()


async def speak(listening: Listening, seconds: float) -> None:
    """Feed speech in real time."""
    for _ in range(round(seconds / 0.02)):
        await sleep(0.02)
        await listening.feed(sound(0.02))


async def heard(listening: Listening, finals: int) -> list[str]:
    """Return all transcripts up to some final one; partial ones end in dots."""
    texts: list[str] = []
    while finals:
        transcript = await listening.transcripts.receive()
        finals -= transcript.final
        texts.append(transcript.text + ("" if transcript.final else " ..."))
    return texts


@pytest.mark.parametrize("options", [{}, {"at_once": 3}, {"partial_every_s": 0.3}])
async def test_it_keeps_the_contract(options: dict[str, float]) -> None:
    lexicon = Lexicon()
    speech = lexicon.say("a table for two")

    await check_recognizer(
        lambda: Acme(lexicon=lexicon, options=options),
        speech=speech,
        understood=lambda text: text == "a table for two",
    )


async def test_a_segment_is_transcribed_at_its_end_and_only_then() -> None:
    acme = Acme()
    async with acme.listen(RATE) as listening:
        await speak(listening, 2.0)
        assert acme.asked == []
        began = current_time()
        await listening.finalize()

        assert await heard(listening, 1) == ["2.0 s"]
        assert current_time() - began == pytest.approx(0.1)


async def test_the_next_segment_is_fed_while_the_last_is_still_being_transcribed() -> None:
    acme = Acme(takes_s=(1.0, 0.1))
    async with acme.listen(RATE) as listening:
        began = current_time()
        await say(listening, 0.5)
        await speak(listening, 0.6)
        await listening.finalize()

        assert await heard(listening, 2) == ["0.5 s", "0.6 s"]
        assert current_time() - began == pytest.approx(1.1)
    assert acme.most_running == 1


async def test_segments_may_be_transcribed_at_once_and_are_answered_in_order() -> None:
    acme = Acme(takes_s=(1.0, 0.1, 0.1), options={"at_once": 2})
    async with acme.listen(RATE) as listening:
        began = current_time()
        for seconds in (0.5, 0.6, 0.7):
            await say(listening, seconds)

        assert await heard(listening, 3) == ["0.5 s", "0.6 s", "0.7 s"]
        assert current_time() - began == pytest.approx(1.0)
    assert acme.most_running == 2


async def test_who_talks_for_a_minute_is_transcribed_meanwhile_and_waits_for_the_last_part_alone() -> None:
    acme = Acme(takes_s=(1.0,), options={"longest_s": 25.0})
    async with acme.listen(RATE) as listening:
        await speak(listening, 60.0)
        assert len(acme.asked) == 2
        began = current_time()
        await listening.finalize()
        (text,) = await heard(listening, 1)

        assert current_time() - began == pytest.approx(1.0)
    assert text.count(" s") == 3
    assert sum(acme.asked) == pytest.approx(60.0)
    assert max(acme.asked) <= 25.0


async def test_partial_transcripts_come_as_the_segment_grows_when_they_are_asked_for() -> None:
    acme = Acme(options={"partial_every_s": 0.5})
    async with acme.listen(RATE) as listening:
        await speak(listening, 1.2)
        await listening.finalize()

        assert await heard(listening, 1) == ["0.5 s ...", "1.0 s ...", "1.2 s"]


async def test_a_partial_transcript_is_begun_when_the_one_before_it_is_done() -> None:
    acme = Acme(takes_s=(0.7,), options={"partial_every_s": 0.5})
    async with acme.listen(RATE) as listening:
        await speak(listening, 2.0)

        assert acme.asked == pytest.approx([0.5, 1.2, 1.9], abs=0.03)
    assert acme.most_running == 1


async def test_a_partial_transcript_under_way_is_dropped_for_the_final_one() -> None:
    acme = Acme(takes_s=(5.0, 0.1), options={"partial_every_s": 0.5})
    async with acme.listen(RATE) as listening:
        await speak(listening, 0.8)
        began = current_time()
        await listening.finalize()

        assert await heard(listening, 1) == ["0.8 s"]
        assert current_time() - began == pytest.approx(0.1)
    assert acme.cancelled == 1


async def test_a_partial_transcript_that_cannot_be_stopped_is_not_told_of_the_next_segment() -> None:
    acme = Acme(takes_s=(0.3, 0.0), stubborn=True, options={"partial_every_s": 0.5})
    async with acme.listen(RATE) as listening:
        await speak(listening, 0.7)
        await listening.finalize()
        await speak(listening, 0.4)
        await listening.finalize()

        assert await heard(listening, 2) == ["0.7 s", "0.4 s"]


async def test_a_partial_transcript_under_way_gives_way_to_a_part_that_will_not_change() -> None:
    acme = Acme(takes_s=(1.5, 0.1), options={"partial_every_s": 2.0, "longest_s": 3.0})
    async with acme.listen(RATE) as listening:
        await speak(listening, 3.2)
        await listening.finalize()

        assert await heard(listening, 1) == ["3.0 s 0.2 s"]
    assert acme.asked[0] == pytest.approx(2.0)
    assert acme.cancelled == 1


async def test_a_partial_transcript_without_words_is_not_told() -> None:
    acme = Acme(lexicon=Lexicon(), options={"partial_every_s": 0.5})
    async with acme.listen(RATE) as listening:
        await speak(listening, 1.2)
        await listening.finalize()

        assert await heard(listening, 1) == [""]
    assert len(acme.asked) == 3


async def test_partial_transcripts_that_nobody_reads_hold_nothing_up() -> None:
    acme = Acme(takes_s=(0.0,), options={"partial_every_s": 0.02})
    async with acme.listen(RATE) as listening:
        await speak(listening, 4.0)
        await listening.finalize()

        assert len(acme.asked) > 190
        assert (await heard(listening, 1))[-1] == "4.0 s"


async def test_who_reads_late_misses_no_final_transcript() -> None:
    async with Acme().listen(RATE) as listening:
        for _ in range(70):
            await listening.finalize()
        await wait_all_tasks_blocked()
        await say(listening, 0.5)

        assert await heard(listening, 71) == [*[""] * 70, "0.5 s"]


async def test_a_failure_ends_the_listening_as_what_it_is() -> None:
    for error in (ProviderUnavailable("acme", "overloaded"), ProviderRejected("acme", "wrong key")):
        acme = Acme(takes_s=(0.1, 9.0), fails={0: error}, options={"at_once": 2})
        with pytest.raises(type(error)) as raised:  # noqa: PT012 - where it is raised is the point
            async with acme.listen(RATE) as listening:
                await say(listening, 0.5)
                await say(listening, 0.5)
                await sleep(5)
        assert raised.value is error
        assert acme.cancelled == 1


async def test_a_mistake_of_the_user_of_listening_is_not_hidden() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with Acme().listen(RATE):
            raise KeyError("mine")
    assert raised.group_contains(KeyError)


async def test_leaving_cancels_at_once() -> None:
    acme = Acme(takes_s=(60.0,), options={"partial_every_s": 0.5})
    async with acme.listen(RATE) as listening:
        await say(listening, 0.5)
        await wait_all_tasks_blocked()
        began = current_time()
    assert current_time() == began
    assert acme.cancelled == 1


async def test_what_waits_for_a_recogniser_that_is_too_slow_is_bounded_and_told() -> None:
    acme = Acme(takes_s=(1.0,), options={"kept_s": 3.0})
    with capture_logs() as logs:
        async with acme.listen(RATE) as listening:
            for _ in range(6):
                await say(listening, 1.0)

            assert await heard(listening, 6) == ["", "", "", "1.0 s", "1.0 s", "1.0 s"]
    assert logs == [{"event": "recognizer_too_slow", "log_level": "warning", "lost_s": 3.0}]


async def test_hearing_opens_it_again_after_a_failure_and_feeds_the_segment_anew() -> None:
    lexicon = Lexicon()
    speech = lexicon.say("a table for two")
    acme = Acme(lexicon=lexicon, fails={0: ProviderUnavailable("acme", "overloaded")})
    events: list[Event] = []
    hearing = Hearing(LoudnessActivity(), acme, TELEPHONE, events.append)
    audio = linear_to_mulaw(speech + bytes(2 * RATE))
    with CancelScope() as scope:
        async with create_task_group() as group:
            group.start_soon(hearing.run)
            for number, at in enumerate(range(0, len(audio), 160)):
                await sleep(0.02)
                hearing.feed(CallerAudio(audio[at : at + 160], 160 * number))
            scope.cancel()

    finals = [event.text for event in events if isinstance(event, Transcript) and event.final]
    assert finals == ["a table for two"]
    assert len(acme.asked) == 2
