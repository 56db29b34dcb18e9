"""Both recognition sockets, in memory: audio goes in at once, and counts as long as it lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from anyio import create_task_group, fail_after, sleep

from agentvoice.speech.decisions import Close
from agentvoice.speech.hearing.ears import Ears
from agentvoice.speech.hearing.parameters import Listen, Turns
from agentvoice.speech.hearing.sessions import Dictation, Session, TurnTaking
from agentvoice.speech.hearing.sockets import IDLE_S, serve_hearing
from agentvoice.streams import memory_pair
from agentvoice.stt.messages import (
    Connected,
    Done,
    FlushDone,
    Heard,
    Strange,
    TurnEagerEnd,
    TurnEnd,
    TurnResume,
    TurnStart,
    TurnUpdate,
    Words,
    parse_heard,
)
from agentvoice.testing.hearing import Fault, LoudnessActivity, ScriptedRecognizer
from agentvoice.testing.lexicon import Lexicon
from agentvoice.tts.messages import Failure

pytestmark = pytest.mark.anyio

RATE = 16000
ORDER = Listen("ink-2", "pcm_s16le", RATE)


class Client:
    """Whoever speaks to the server."""

    def __init__(self, stream: Any, lexicon: Lexicon) -> None:
        self._stream = stream
        self._lexicon = lexicon
        self.ended: Close | None = None

    async def say(self, *what: str | float) -> None:
        """Say texts, and be silent for seconds in between."""
        for each in what:
            silence = bytes(2 * round(each * RATE)) if isinstance(each, float) else b""
            await self._stream.send(silence or self._lexicon.say(str(each), sample_rate=RATE))

    async def tell(self, message: str) -> None:
        await self._stream.send(message)

    async def until(self, kind: type) -> list[Heard | Strange]:
        heard: list[Heard | Strange] = []
        with fail_after(60):
            while not (heard and isinstance(heard[-1], kind)):
                heard.append(parse_heard(await self._stream.receive()))
        return heard


@asynccontextmanager
async def served(session: Session, **faults: Any) -> AsyncIterator[Client]:
    lexicon = Lexicon()
    ears = Ears("script", ScriptedRecognizer(lexicon.hear, **faults), LoudnessActivity())
    mine, yours = memory_pair()
    client = Client(mine, lexicon)

    async def serve() -> None:
        client.ended = await serve_hearing(yours, ears, ORDER, session, request_id="r", version="2026-08-14")
        await yours.aclose()

    with fail_after(600):
        async with create_task_group() as group:
            group.start_soon(serve)
            yield client
            await mine.aclose()


def final(heard: list[Heard | Strange]) -> str:
    return "".join(each.text for each in heard if isinstance(each, Words) and each.is_final)


def without_updates(heard: list[Heard | Strange]) -> list[Heard | Strange]:
    return [each for each in heard if not isinstance(each, TurnUpdate)]


# ------------------------------------------------------------------ the client says what is final


async def test_what_was_said_is_final_before_the_flush_is_confirmed() -> None:
    async with served(Dictation(ORDER)) as client:
        await client.say(0.5, "a table for two")
        await client.tell("finalize")
        heard = await client.until(FlushDone)
    assert final(heard) == "a table for two"
    assert any(isinstance(each, Words) and not each.is_final for each in heard), "words come while they are spoken"


async def test_final_words_follow_each_other_verbatim() -> None:
    async with served(Dictation(ORDER)) as client:
        await client.say("a table", 1.0, "for two", 1.0)
        await client.tell("finalize")
        await client.say("please")
        await client.tell("done")
        heard = await client.until(Done)
    assert final(heard) == "a table for two please"


async def test_each_finalize_is_answered_and_with_final_words_though_nobody_spoke() -> None:
    async with served(Dictation(ORDER)) as client:
        await client.say(0.5)
        for _ in range(2):
            await client.tell("finalize")
            assert await client.until(FlushDone) == [Words("", is_final=True), FlushDone()]


async def test_a_closed_socket_has_said_everything() -> None:
    async with served(Dictation(ORDER)) as client:
        await client.say("good evening")
        await client.tell("close")
        assert final(await client.until(Done)) == "good evening"
    assert client.ended == Close(1000, "")


async def test_a_word_that_means_nothing_is_answered_and_the_socket_stays() -> None:
    async with served(Dictation(ORDER)) as client:
        await client.tell("finalise")
        [error] = await client.until(Failure)
        assert isinstance(error, Failure)
        assert (error.status_code, "finalize" in error.message) == (400, True)
        await client.tell("close")
        assert await client.until(Done) == [Done()]


async def test_a_recogniser_that_breaks_is_told_of() -> None:
    async with served(Dictation(ORDER), faults={0: Fault(crashes=True)}) as client:
        await client.say("a table for two")
        [*_, error] = await client.until(Failure)
    assert isinstance(error, Failure)
    assert "crashed" in error.message
    assert client.ended is not None
    assert client.ended.code == 1011


async def test_a_client_that_says_nothing_for_minutes_is_sent_away() -> None:
    async with served(Dictation(ORDER)) as client:
        await sleep(IDLE_S - 1)
        assert client.ended is None
        await sleep(2)
        assert client.ended == Close(1000, "connection idle timeout")


# ------------------------------------------------------------------ turns


async def test_a_turn_starts_and_ends_and_the_next_is_another() -> None:
    async with served(TurnTaking(Turns())) as client:
        await client.say("good evening", 2.0, "a table for two", 2.0)
        first, second = await client.until(TurnEnd), await client.until(TurnEnd)
    assert without_updates(first) == [
        Connected(),
        TurnStart(),
        TurnEagerEnd("good evening"),
        TurnEnd("good evening"),
    ]
    assert without_updates(second)[0] == TurnStart()
    assert second[-1] == TurnEnd("a table for two")


async def test_a_pause_within_a_turn_is_an_eager_end_that_is_taken_back() -> None:
    async with served(TurnTaking(Turns())) as client:
        await client.say("a table", 0.4, "for two", 2.0)
        heard = await client.until(TurnEnd)
    assert without_updates(heard)[1:] == [
        TurnStart(),
        TurnEagerEnd("a table"),
        TurnResume(),
        TurnEagerEnd("a table for two"),
        TurnEnd("a table for two"),
    ]


async def test_words_of_a_turn_are_never_revised() -> None:
    async with served(TurnTaking(Turns())) as client:
        await client.say("I would like a table for two people by the window", 0.4, "at seven", 2.0)
        heard = await client.until(TurnEnd)
    updates = [each.transcript for each in heard if isinstance(each, TurnUpdate)]
    assert len(updates) > 3
    assert all(after.startswith(before) for before, after in pairwise(updates))


async def test_a_turn_stays_open_as_long_as_no_audio_comes() -> None:
    async with served(TurnTaking(Turns())) as client:
        await client.say("good evening")
        await client.until(TurnStart)
        await sleep(60)
        await client.say(1.0)
        assert (await client.until(TurnEnd))[-1] == TurnEnd("good evening")


async def test_what_is_under_way_is_ended_by_close() -> None:
    async with served(TurnTaking(Turns())) as client:
        await client.say("good evening")
        await client.tell('{"type":"close"}')
        assert (await client.until(TurnEnd))[-1] == TurnEnd("good evening")
    assert client.ended == Close(1000, "")


async def test_a_higher_end_threshold_ends_turns_sooner_from_the_next_one_on() -> None:
    async with served(TurnTaking(Turns())) as client:
        await client.say("a table", 0.35, "for two", 1.0)
        assert (await client.until(TurnEnd))[-1] == TurnEnd("a table for two")
        await client.tell('{"type":"config","turn":{"eager_end_threshold":0.6,"end_threshold":0.5}}')
        await client.say("a table", 0.35, "for two", 1.0)
        assert (await client.until(TurnEnd))[-1] == TurnEnd("a table")


async def test_thresholds_out_of_order_are_refused_and_the_old_ones_stay() -> None:
    async with served(TurnTaking(Turns())) as client:
        await client.tell('{"type":"config","turn":{"end_threshold":0.5}}')
        [*_, error] = await client.until(Failure)
        assert isinstance(error, Failure)
        assert "thresholds fall" in error.message
        await client.say("a table", 0.35, "for two", 1.0)
        assert (await client.until(TurnEnd))[-1] == TurnEnd("a table for two")


async def test_noise_in_which_nothing_is_understood_is_a_turn_without_words() -> None:
    session = TurnTaking(Turns())
    async with served(session) as client:
        await client._stream.send(b"\x00\x40\x00\xc0" * 4000 + bytes(2 * RATE * 7))
        heard = await client.until(TurnEnd)
    assert without_updates(heard) == [Connected(), TurnStart(), TurnEnd("")]
