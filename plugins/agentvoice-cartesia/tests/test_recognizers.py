"""Both recognisers, against a stand-in that words it as the documents do, and against the project's own server."""

from __future__ import annotations

from typing import Any

import pytest
from anyio import create_task_group, current_time, fail_after, sleep

from agentvoice.audio import AudioFormat, Encoding
from agentvoice.errors import ProviderRejected, ProviderUnavailable, UsageError
from agentvoice.events import (
    CallerAudio,
    CallerTurnEnded,
    CallerTurnEvent,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    Event,
    Transcript,
)
from agentvoice.hearing import Hearing
from agentvoice.interfaces import Following, Listening
from agentvoice.plugins import load
from agentvoice.speech.hearing.ears import Ears
from agentvoice.testing.contracts.recognizer import check_recognizer
from agentvoice.testing.contracts.turn_recognizer import check_turn_recognizer
from agentvoice.testing.hearing import LoudnessActivity, ScriptedRecognizer
from agentvoice.testing.lexicon import Lexicon
from agentvoice.testing.speech_server import KEY, speech_server
from agentvoice_cartesia import CartesiaListener, CartesiaTurns
from agentvoice_cartesia._dictation import LATE_S, Dictation
from agentvoice_cartesia._turns import Turns

from .ink import Ink

pytestmark = pytest.mark.anyio

TEXT = "a table for two please"
LINE = AudioFormat(Encoding.S16LE, 8000)


async def speak(to: Listening | Following, pcm: bytes) -> None:
    for at in range(0, len(pcm), 320):
        await sleep(0.02)
        await to.feed(pcm[at : at + 320])


async def final(listening: Listening) -> Transcript:
    with fail_after(30):
        while not (transcript := await listening.transcripts.receive()).final:
            pass
    return transcript


async def turn(following: Following) -> list[CallerTurnEvent]:
    said: list[CallerTurnEvent] = []
    with fail_after(30):
        while not (said and isinstance(said[-1], CallerTurnEnded)):
            said.append(await following.events.receive())
    return said


# ------------------------------------------------------------------ segments


@pytest.mark.parametrize("older", [False, True])
async def test_segments_keep_the_contract_in_the_words_of_both_years(older: bool) -> None:  # noqa: FBT001 - a parameter of the test
    lexicon = Lexicon()
    ink = Ink(lexicon.hear, older=older)
    await check_recognizer(
        lambda: CartesiaListener(api_key="k", connect=ink.connect),
        speech=lexicon.say(TEXT),
        understood=lambda text: text == TEXT,
    )


async def test_the_service_is_told_what_it_has_to_know() -> None:
    ink = Ink(Lexicon().hear)
    recognizer = CartesiaListener(api_key="k", keyterms=["Acme Corp", "zone"], connect=ink.connect, url="http://here")
    async with recognizer.listen(16000):
        pass
    [(path, query, said)] = ink.sockets
    assert path == "/stt/websocket"
    assert query == {
        "model": ["ink-2"],
        "encoding": ["pcm_s16le"],
        "sample_rate": ["16000"],
        "language": ["en"],
        "keyterm": ["Acme Corp", "zone"],
    }
    assert said[-1:] == ["close"]


async def test_a_socket_is_kept_alive_between_segments() -> None:
    ink = Ink(Lexicon().hear)
    async with CartesiaListener(api_key="k", connect=ink.connect).listen(8000):
        await sleep(61)
    assert sum(isinstance(message, bytes) for message in ink.sockets[0][2]) == 6


@pytest.mark.parametrize("recognizer", [CartesiaListener, CartesiaTurns])
async def test_a_dropped_socket_loses_no_word(recognizer: Any) -> None:
    lexicon, heard = Lexicon(), list[Event]()
    ink = Ink(lexicon.hear, cut_after=8000)
    made = recognizer(api_key="k", connect=ink.connect)
    hearing = Hearing(LoudnessActivity(), made, LINE, heard.append)
    audio = bytes(8000) + lexicon.say(TEXT) + bytes(24000)
    async with create_task_group() as group:
        group.start_soon(hearing.run)
        for at in range(0, len(audio), 320):
            await sleep(0.02)
            hearing.feed(CallerAudio(audio[at : at + 320], at // 2))
        await sleep(1)
        group.cancel_scope.cancel()
    texts = [event.text for event in heard if isinstance(event, Transcript) and event.final]
    texts += [event.text for event in heard if isinstance(event, CallerTurnEnded)]
    assert texts == [TEXT]
    assert len(ink.sockets) == 2


def test_final_words_that_come_late_are_waited_for_but_not_for_ever() -> None:
    dictation = Dictation(8000)
    dictation.feed(b"\1" * 320)
    assert dictation.finalize() == []
    assert dictation.receive('{"type":"flush_done"}', now=1.0) == []
    assert dictation.deadline == 1.0 + LATE_S
    [late] = dictation.receive('{"type":"transcript","text":"yes","is_final":true}', now=1.2)
    assert (late.text, late.final) == ("yes", True)

    dictation.feed(b"\1" * 320)
    dictation.finalize()
    dictation.receive('{"type":"flush_done"}', now=2.0)
    [nothing] = dictation.handle_timer(now=2.0 + LATE_S)
    assert (nothing.text, nothing.final) == ("", True)


def test_a_final_text_that_repeats_those_before_it_is_not_said_twice() -> None:
    dictation = Dictation(8000)
    dictation.feed(b"\1" * 320)
    for text in ("a table", "a table for two"):
        [said] = dictation.receive(f'{{"type":"transcript","text":"{text}","is_final":true}}', now=0.0)
        assert said.text == text
    [said] = dictation.receive('{"type":"transcript","text":" please","is_final":true}', now=0.0)
    assert said.text == "a table for two please"


def test_words_count_from_the_first_sample_of_their_segment() -> None:
    dictation = Dictation(8000)
    dictation.feed(bytes(16000))
    dictation.finalize()
    dictation.feed(bytes(16000))
    dictation.finalize()
    word = '"words":[{"word":"yes","start":1.25,"end":1.5}]'
    dictation.receive('{"type":"transcript","text":"","is_final":true}', now=0.0)
    dictation.receive('{"type":"flush_done"}', now=0.0)
    dictation.receive('{"type":"transcript","text":"yes","is_final":true,' + word + "}", now=0.0)
    [said] = [each for each in dictation.receive('{"type":"flush_done"}', now=0.0) if each.final]
    assert (said.words[0].start, said.words[0].end) == (0.25, 0.5)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ('{"type":"error","status_code":401,"title":"Unauthorized","message":"key"}', ProviderRejected),
        ('{"type":"error","status_code":429,"title":"Busy","message":"later"}', ProviderUnavailable),
        ('{"type":"error","message":"it broke"}', ProviderUnavailable),
    ],
)
def test_errors_say_whether_it_helps_to_try_again(error: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        Dictation(8000).receive(error, now=0.0)
    with pytest.raises(kind):
        Turns(8000, language="en").receive(error, now=0.0)


# ------------------------------------------------------------------ turns


async def test_turns_keep_the_contract() -> None:
    lexicon = Lexicon()
    ink = Ink(lexicon.hear)
    await check_turn_recognizer(
        lambda: CartesiaTurns(api_key="k", connect=ink.connect),
        speech=lexicon.say(TEXT),
        understood=lambda text: text == TEXT,
    )


async def test_a_pause_is_an_eager_end_that_is_taken_back() -> None:
    lexicon = Lexicon()
    ink = Ink(lexicon.hear)
    async with CartesiaTurns(api_key="k", connect=ink.connect).follow(8000) as following:
        await speak(following, lexicon.say("a table") + bytes(6400) + lexicon.say("for two") + bytes(16000))
        events = await turn(following)
    assert [type(event) for event in events if not isinstance(event, Transcript)] == [
        CallerTurnStarted,
        CallerTurnLikely,
        CallerTurnResumed,
        CallerTurnLikely,
        CallerTurnEnded,
    ]
    assert isinstance(events[-1], CallerTurnEnded)
    assert events[-1].text == "a table for two"


async def test_a_line_that_stops_in_the_middle_of_a_turn_is_taken_for_silent() -> None:
    lexicon = Lexicon()
    ink = Ink(lexicon.hear)
    async with CartesiaTurns(api_key="k", connect=ink.connect).follow(8000) as following:
        await speak(following, lexicon.say("good evening"))
        fell_silent = current_time()
        *_, ended = await turn(following)
        assert current_time() - fell_silent < 2
    assert isinstance(ended, CallerTurnEnded)
    assert ended.text == "good evening"


async def test_thresholds_are_handed_on_and_checked() -> None:
    ink = Ink(Lexicon().hear)
    async with CartesiaTurns(api_key="k", connect=ink.connect, end=0.3, end_timeout_s=1.0).follow(8000):
        pass
    query = ink.sockets[0][1]
    assert (query["turn_end_threshold"], query["turn_end_timeout_ms"]) == (["0.3"], ["1000.0"])
    assert "turn_start_threshold" not in query
    with pytest.raises(UsageError, match="thresholds fall"):
        CartesiaTurns(api_key="k", end=0.5)


# ------------------------------------------------------------------ the project's own server


@pytest.mark.sockets
async def test_both_understand_the_projects_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    lexicon = Lexicon()
    speech = lexicon.say(TEXT, sample_rate=8000)
    ears = Ears("script", ScriptedRecognizer(lexicon.hear), LoudnessActivity())
    with speech_server(ears=ears) as server:
        monkeypatch.setenv("CARTESIA_API_KEY", KEY)
        monkeypatch.setenv("CARTESIA_BASE_URL", server.http)
        async with load("recognizer", "cartesia")().listen(8000) as listening:
            for _ in range(2):
                await listening.feed(bytes(1600) + speech)
                await listening.finalize()
                assert (await final(listening)).text == TEXT
        async with load("recognizer", "cartesia-turns")().follow(8000) as following:
            await following.feed(bytes(1600) + speech)
            *_, ended = await turn(following)  # the silence that ends it is put in
            assert isinstance(ended, CallerTurnEnded)
            assert ended.text == TEXT
        with pytest.raises(ProviderRejected, match="401"):
            async with CartesiaListener(api_key="wrong").listen(8000):
                pass
        with pytest.raises(ProviderRejected, match="no model"):
            async with CartesiaTurns(model="nova").follow(8000):
                pass
