"""Nova, over streams in memory to a stand-in that is strict about what it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from anyio import create_task_group, current_time, fail_after, sleep, sleep_until
from structlog.testing import capture_logs

from agentvoice.audio import TELEPHONE, linear_to_mulaw
from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.events import CallerAudio, Event, Transcript
from agentvoice.hearing import Hearing
from agentvoice.interfaces import Listening
from agentvoice.testing.contracts.recognizer import check_recognizer
from agentvoice.testing.hearing import LoudnessActivity
from agentvoice.testing.lexicon import Lexicon
from agentvoice_deepgram import Deepgram
from agentvoice_deepgram._nova import ANSWER_S

from .service import Service

pytestmark = pytest.mark.anyio

LONG = "I would like to book a table for two people tonight at seven by the window if you have one"


def deepgram(service: Service, **options: Any) -> Deepgram:
    return Deepgram(api_key="k", connect=service.connect, **options)


async def speak(listening: Listening, pcm: bytes) -> None:
    """Feed speech in real time."""
    for at in range(0, len(pcm), 320):
        await sleep(0.02)
        await listening.feed(pcm[at : at + 320])


async def transcripts(listening: Listening) -> list[Transcript]:
    """Return all that is said up to the next final transcript."""
    said: list[Transcript] = []
    with fail_after(30):
        while not (said and said[-1].final):
            said.append(await listening.transcripts.receive())
    return said


async def test_nova_keeps_the_contract() -> None:
    lexicon = Lexicon()
    speech = lexicon.say(LONG)
    await check_recognizer(lambda: deepgram(Service(lexicon.hear)), speech=speech, understood=lambda text: text == LONG)


async def test_a_long_segment_comes_word_by_word_and_in_several_pieces_and_is_whole_in_the_end() -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear)
    async with deepgram(service).listen(8000) as listening:
        await speak(listening, bytes(4800) + lexicon.say(LONG) + bytes(4800))
        ended = current_time()
        await listening.finalize()
        *partials, final = await transcripts(listening)

    assert final.text == LONG
    assert current_time() - ended == pytest.approx(service.latency_s)
    assert len(partials) > 10
    assert all(LONG.startswith(partial.text) for partial in partials)
    assert [word.word for word in final.words] == LONG.split()
    assert final.words[0].start == pytest.approx(0.3, abs=0.05)
    assert final.words[-1].end == pytest.approx(0.3 + len(LONG.split()) / 3, abs=0.1)


async def test_the_words_of_each_segment_count_from_its_own_first_sample() -> None:
    lexicon = Lexicon()
    async with deepgram(Service(lexicon.hear)).listen(8000) as listening:
        firsts = []
        for _ in range(3):
            await sleep(7)
            await speak(listening, bytes(3200) + lexicon.say("good evening") + bytes(3200))
            await listening.finalize()
            firsts.append((await transcripts(listening))[-1].words[0].start)
    assert firsts == pytest.approx([0.2] * 3, abs=0.05)


async def test_a_stream_is_kept_alive_while_nobody_speaks() -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear)
    async with deepgram(service).listen(8000) as listening:
        await sleep(61)
        await speak(listening, lexicon.say("good evening"))
        await listening.finalize()
        assert (await transcripts(listening))[-1].text == "good evening"

    (stream,) = service.streams
    assert stream.said.count('{"type":"KeepAlive"}') == 15
    assert isinstance(stream.said[0], bytes), "before there was audio, keeping alive does not count"
    assert stream.said[-1] == '{"type":"CloseStream"}'


async def test_a_segment_is_finalised_when_it_ends_and_not_before() -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear)
    async with deepgram(service).listen(8000) as listening:
        for _ in range(2):
            await speak(listening, lexicon.say("good evening"))
            assert service.streams[0].said[-1] != '{"type":"Finalize"}'
            await listening.finalize()
            await transcripts(listening)
            assert service.streams[0].said[-1] == '{"type":"Finalize"}'


async def test_a_segment_too_short_for_the_service_to_answer_has_its_answer_and_costs_the_next_nothing() -> None:
    lexicon = Lexicon()
    async with deepgram(Service(lexicon.hear)).listen(8000) as listening:
        await listening.feed(bytes(2400))
        await listening.finalize()
        await transcripts(listening)  # the silence that a stream begins with is part of what was answered
        await listening.feed(bytes(800))
        await listening.finalize()
        await listening.feed(lexicon.say("good evening"))
        await listening.finalize()
        began = current_time()
        assert [(await transcripts(listening))[-1].text for _ in range(2)] == ["", "good evening"]
    assert current_time() - began < 0.5


@pytest.mark.parametrize("latency_s", [0.1, 0.5])
async def test_what_was_heard_is_the_final_a_second_after_a_service_that_answers_nothing_spoke(
    latency_s: float,
) -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear, latency_s=latency_s, answers=False)
    async with deepgram(service).listen(8000) as listening:
        await speak(listening, lexicon.say("good evening"))
        spoke = current_time() + max(0.0, latency_s - 0.2)  # what it said 0.2 s ago is heard by then
        await listening.finalize()
        final = (await transcripts(listening))[-1]

    assert final.text == "good"
    assert current_time() - spoke == pytest.approx(ANSWER_S, abs=0.1)


@pytest.mark.parametrize(
    ("status", "said", "kind", "hint"),
    [
        (401, "Invalid credentials.", ProviderRejected, "check AGENTVOICE_DEEPGRAM_API_KEY: Invalid credentials"),
        (403, "Forbidden", ProviderRejected, "AGENTVOICE_DEEPGRAM_API_KEY"),
        (402, "", ProviderRejected, "credit"),
        (400, "No such model/language/tier combination found.", ProviderRejected, "settings.*No such model"),
        (404, "", ProviderRejected, "AGENTVOICE_DEEPGRAM_URL"),
        (429, "Too Many Requests", ProviderUnavailable, "too many streams"),
        (503, "Please try again later", ProviderUnavailable, "try again later"),
    ],
)
async def test_a_refusal_says_whether_it_helps_to_try_again_and_what_to_look_at(
    status: int, said: str, kind: type[Exception], hint: str
) -> None:
    recognizer = deepgram(Service(Lexicon().hear, refuses=[(status, said)]))
    with pytest.raises(kind, match=hint):
        async with recognizer.listen(8000):
            pass


async def test_a_stream_that_is_cut_ends_listening_and_says_why() -> None:
    lexicon = Lexicon()
    with pytest.raises(ProviderUnavailable, match="the connection was cut"):
        async with deepgram(Service(lexicon.hear, drops_after_s=[1.0])).listen(8000) as listening:
            await speak(listening, lexicon.say(LONG))


# ------------------------------------------------------------------ through hearing


class Caller:
    """Speaks in real time to `Hearing`."""

    def __init__(self, hearing: Hearing, heard: list[Event]) -> None:
        self._hearing = hearing
        self._began = current_time()
        self._frames = 0
        self.heard = heard

    async def say(self, pcm: bytes) -> None:
        audio = linear_to_mulaw(pcm)
        for at in range(0, len(audio), 160):
            self._frames += 1
            await sleep_until(self._began + self._frames * 0.02)
            frame = audio[at : at + 160].ljust(160, b"\xff")
            self._hearing.feed(CallerAudio(frame, (self._frames - 1) * 160))

    @property
    def finals(self) -> list[str]:
        return [event.text for event in self.heard if isinstance(event, Transcript) and event.final]


@asynccontextmanager
async def caller(recognizer: Any) -> AsyncIterator[Caller]:
    heard: list[Event] = []
    hearing = Hearing(LoudnessActivity(), recognizer, TELEPHONE, heard.append)
    async with create_task_group() as group:
        group.start_soon(hearing.run)
        yield Caller(hearing, heard)
        group.cancel_scope.cancel()


SILENCE = bytes(16000)


@pytest.mark.parametrize("cut_after_s", [0.2, 1.0, 4.0])
async def test_a_socket_that_drops_in_mid_segment_loses_no_word(cut_after_s: float) -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear, drops_after_s=[cut_after_s])
    async with caller(deepgram(service)) as one:
        await one.say(SILENCE + lexicon.say(LONG) + SILENCE + lexicon.say("by the window") + SILENCE)

    assert one.finals == [LONG, "by the window"]
    assert len(service.streams) == 2


async def test_one_that_drops_while_the_last_words_are_awaited_loses_none_either() -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear, latency_s=0.5)
    async with caller(deepgram(service)) as one:
        await one.say(SILENCE + lexicon.say("good evening") + bytes(9600))
        assert service.streams[0].said[-1] == '{"type":"Finalize"}'
        assert one.finals == []
        service.lines[0].cut()
        await one.say(SILENCE + SILENCE)

    assert one.finals == ["good evening"]
    assert len(service.streams) == 2


async def test_a_line_that_is_quiet_costs_no_stream_and_no_word() -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear)
    async with caller(deepgram(service)) as one:
        await one.say(SILENCE * 30 + lexicon.say("good evening") + SILENCE)

    assert one.finals == ["good evening"]
    assert len(service.streams) == 1
    assert service.streams[0].at < 3, "silence is not sent, nor paid for"


async def test_a_bad_key_is_asked_with_once_and_named() -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear, key="another")
    with capture_logs() as logs:
        async with caller(deepgram(service)) as one:
            await one.say(SILENCE + lexicon.say("good evening") + SILENCE * 10)

    assert service.asked == 1
    assert "".join(one.finals) == ""
    (failed,) = [line for line in logs if line["event"] == "recognizer_failed"]
    assert failed["log_level"] == "error"
