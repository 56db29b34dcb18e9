"""Flux, over streams in memory to a stand-in that is strict about what it is sent; and calls that go by its turns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from anyio import fail_after, sleep, sleep_forever

from agentvoice import Agent, Turn, TurnState
from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.events import CallerTurnEnded, CallerTurnEvent, CallerTurnLikely, CallerTurnResumed, CallerTurnStarted
from agentvoice.interfaces import Following
from agentvoice.sources import CallerTurnSource
from agentvoice.testing.contracts.turn_recognizer import check_turn_recognizer
from agentvoice.testing.lexicon import Lexicon
from agentvoice.testing.script import Step, barges_in, pauses, says, waits_for_agent, waits_for_hang_up
from agentvoice.testing.simulate import simulate
from agentvoice.testing.simulated import SimulatedCall
from agentvoice_deepgram import DeepgramFlux

from .service import FluxEndpoint, Service

pytestmark = pytest.mark.anyio


def flux(service: Service, **options: Any) -> DeepgramFlux:
    return DeepgramFlux(api_key="k", connect=service.connect, **options)


async def speak(following: Following, pcm: bytes) -> None:
    """Feed audio in real time."""
    for at in range(0, len(pcm), 320):
        await sleep(0.02)
        await following.feed(pcm[at : at + 320])


async def turn(following: Following) -> list[CallerTurnEvent]:
    """Return all that is said up to the end of a turn."""
    said: list[CallerTurnEvent] = []
    with fail_after(30):
        while not (said and isinstance(said[-1], CallerTurnEnded)):
            said.append(await following.events.receive())
    return said


def kinds(events: list[CallerTurnEvent]) -> list[type]:
    return [type(event) for event in events if not hasattr(event, "final")]


async def test_flux_keeps_the_contract() -> None:
    lexicon = Lexicon()
    await check_turn_recognizer(
        lambda: flux(Service(lexicon.hear)),
        speech=lexicon.say("a table for two please"),
        understood=lambda text: text == "a table for two please",
    )


async def test_a_pause_is_an_eager_end_that_is_taken_back_and_then_the_turn_ends() -> None:
    lexicon = Lexicon()
    async with flux(Service(lexicon.hear)).follow(8000) as following:
        await speak(
            following, bytes(8000) + lexicon.say("a table") + bytes(6400) + lexicon.say("for two") + bytes(16000)
        )
        events = await turn(following)

    assert kinds(events) == [
        CallerTurnStarted,
        CallerTurnLikely,
        CallerTurnResumed,
        CallerTurnLikely,
        CallerTurnEnded,
    ]
    likely, again = [event.text for event in events if isinstance(event, CallerTurnLikely)]
    assert (likely, again) == ("a table", "a table for two")
    *_, ended = events
    assert isinstance(ended, CallerTurnEnded)
    assert ended.text == "a table for two"
    assert [word.word for word in ended.words] == ["a", "table", "for", "two"]
    assert ended.words[0].start == pytest.approx(0.5, abs=0.1)
    assert ended.words[-1].end == pytest.approx(0.5 + 4 / 3 + 0.4, abs=0.1)


async def test_without_eagerness_a_turn_just_ends() -> None:
    lexicon = Lexicon()
    async with flux(Service(lexicon.hear), eager=False).follow(8000) as following:
        await speak(following, lexicon.say("a table") + bytes(6400) + lexicon.say("for two") + bytes(16000))
        assert kinds(await turn(following)) == [CallerTurnStarted, CallerTurnEnded]


async def test_a_line_that_stops_sending_ends_the_turn_and_keeps_the_stream_and_its_times() -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear)
    async with flux(service).follow(8000) as following:
        await sleep(30)
        await speak(following, lexicon.say("a table"))
        assert kinds(await turn(following))[-1] is CallerTurnEnded
        await sleep(30)
        await speak(following, lexicon.say("for two") + bytes(16000))
        *_, ended = await turn(following)

    assert isinstance(ended, CallerTurnEnded)
    assert ended.text == "for two"
    assert ended.words[0].start == pytest.approx(2 / 3, abs=0.15)
    (stream,) = service.streams
    assert all(isinstance(message, bytes) for message in stream.said[:-1]), "Flux knows no KeepAlive"


async def test_audio_is_sent_in_pieces_of_80_ms() -> None:
    lexicon = Lexicon()
    service = Service(lexicon.hear)
    async with flux(service).follow(8000) as following:
        await speak(following, bytes(16000))
    *audio, rest, goodbye = service.streams[0].said
    assert {len(message) for message in audio} == {1280}
    assert goodbye == '{"type":"CloseStream"}'
    assert len(rest) <= 1280


async def test_a_fatal_error_ends_the_stream_and_says_why() -> None:
    service = Service(Lexicon().hear)

    async def follow() -> None:
        async with flux(service).follow(8000):
            await service.lines[0].send('{"type":"KeepAlive"}')
            await sleep_forever()

    with pytest.raises(ProviderUnavailable, match="UNPARSABLE_CLIENT_MESSAGE: there is no KeepAlive here"):
        await follow()


async def test_a_bad_key_is_named() -> None:
    with pytest.raises(ProviderRejected, match="AGENTVOICE_DEEPGRAM_API_KEY"):
        async with flux(Service(Lexicon().hear, key="another")).follow(8000):
            pass


# ------------------------------------------------------------------ whole calls


class Clerk(Agent):
    greeting = "Good evening, how may I help you today?"

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        if "Goodbye" in turn.prompt:
            yield "Goodbye."
            self.call.hang_up()
        else:
            yield f"You said: {turn.prompt} Is that right, or shall I say it all once more?"


class ByTurnsAlone(Clerk):
    sources = (CallerTurnSource(),)


async def conversation(agent: Agent, *steps: Step, **service: Any) -> tuple[SimulatedCall, Service]:
    lexicon = Lexicon()
    deepgram = Service(lexicon.hear, **service)
    script = [waits_for_agent(), *steps, waits_for_agent(), says("Goodbye."), waits_for_hang_up()]
    return await simulate(agent, script, recognizer=flux(deepgram), lexicon=lexicon), deepgram


async def test_a_call_goes_by_the_turns_that_flux_knows() -> None:
    call, _ = await conversation(Clerk(), says("A table for"), pauses(0.55), says("two people."))

    assert [turn.prompt for turn in call.turns if turn.prompt] == ["A table for two people.", "Goodbye."]
    assert next(turn.prompt for turn in call.withdrawn if turn.prompt) == "A table for", "guessed at, without a trace"


async def test_the_start_of_a_turn_is_a_barge_in() -> None:
    call, _ = await conversation(ByTurnsAlone(), says("A table."), barges_in("No wait, a room for four.", after=1.0))

    cut = call.turns[1]
    assert cut.outcome is TurnState.INTERRUPTED
    assert '"in":"BargeIn","kind":"onset","source":"caller_turn","words":"No"' in call.trace
    assert call.stale_frames == 0
    assert call.turns[2].generated.startswith("You said: No wait, a room for four.")


async def test_a_stream_that_is_cut_in_mid_turn_loses_no_word() -> None:
    said = "I would like to book a table for two people tonight."
    call, service = await conversation(Clerk(), says(said), drops_after_s=[6.0])

    assert [turn.prompt for turn in call.turns if turn.prompt] == [said, "Goodbye."]
    assert len(service.streams) == 2
    first = service.streams[0]
    assert isinstance(first, FluxEndpoint)
    assert first.in_turn
