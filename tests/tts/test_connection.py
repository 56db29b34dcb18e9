"""The sockets of the context protocol, against a provider in memory: on asyncio and trio, in virtual time."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import anyio
import pytest
from anyio import EndOfStream, current_time, fail_after, sleep

from agentvoice.audio import TELEPHONE, AudioFormat, Encoding
from agentvoice.errors import ProviderRejected, ProviderUnavailable, UsageError
from agentvoice.events import AudioReceived, ContextDone, ContextFailed, PhonemesReceived
from agentvoice.interfaces import MessageStream
from agentvoice.streams import memory_pair
from agentvoice.testing.contracts.synthesizer import Listener, check_synthesizer
from agentvoice.testing.tts import ScriptedSpeech, SpeechFault
from agentvoice.tts.connection import ContextSynthesizer
from agentvoice.tts.governor import Limits
from agentvoice.tts.wire import Cancel, Done, Failure, Generate, GenerationConfig, render_response
from agentvoice.voicing import Voicing

pytestmark = pytest.mark.anyio

TEXT = "Good evening, this is the Blue Fig. "


def synthesizer(speech: ScriptedSpeech, **options: Any) -> ContextSynthesizer:
    return ContextSynthesizer(speech.connect, voicing=Voicing("anna", language="en"), random=Random(1), **options)


def say(tts: ContextSynthesizer, context_id: str, text: str = TEXT, *, finish: bool = True) -> Listener:
    listener = Listener(context_id)
    tts.open(context_id, audio=TELEPHONE, deliver=listener)
    tts.send(context_id, text)
    if finish:
        tts.finish(context_id)
    return listener


async def end_of(listener: Listener) -> object:
    with fail_after(60):
        await listener.ended.wait()
    return listener.events[-1]


@pytest.mark.parametrize(
    "speech",
    [
        {},
        {"faults": {6: SpeechFault(ignores_cancel=True)}},
        {"faults": {6: SpeechFault(done_after_cancel=True)}},
        {"faults": {number: SpeechFault(nonsense=True) for number in range(20)}},
        {"jitter_s": 0.1, "seed": 3},
        {"expires_s": 1.0},
    ],
)
async def test_it_keeps_the_contract(speech: dict[str, Any]) -> None:
    await check_synthesizer(lambda: synthesizer(ScriptedSpeech(**speech)))


@pytest.mark.parametrize("encoding", list(Encoding))
async def test_it_asks_for_the_format_of_the_line(encoding: Encoding) -> None:
    await check_synthesizer(lambda: synthesizer(ScriptedSpeech()), audio=AudioFormat(encoding, 16000))


async def test_without_word_times_there_are_none() -> None:
    await check_synthesizer(lambda: synthesizer(ScriptedSpeech(word_times=False)), word_times=False)


async def test_the_client_splits_and_the_server_does_not_wait() -> None:
    speech = ScriptedSpeech()
    async with synthesizer(speech, model="m") as tts:
        await end_of(say(tts, "a"))

    (request,) = speech.contexts[0].requests
    assert (request.max_buffer_delay_ms, request.add_timestamps, request.continue_) == (0, True, False)
    assert (request.model_id, request.voice_id, request.language) == ("m", "anna", "en")
    assert request.output == TELEPHONE


async def test_a_turn_may_have_a_voice_of_its_own() -> None:
    speech = ScriptedSpeech()
    async with synthesizer(speech) as tts:
        listener = Listener("other")
        tts.open("other", audio=TELEPHONE, deliver=listener, voicing=Voicing("bob", speed=0.9))
        tts.send("other", TEXT)
        tts.finish("other")
        await end_of(listener)
        await end_of(say(tts, "usual"))

    other, usual = (speech.named(name).request for name in ("other", "usual"))
    assert (other.voice_id, other.language, other.generation) == ("bob", "en", GenerationConfig(speed=0.9))
    assert (usual.voice_id, usual.language, usual.generation) == ("anna", "en", None)


@pytest.mark.parametrize("wanted", [True, False])
async def test_phonemes_are_asked_for_when_wanted(*, wanted: bool) -> None:
    speech = ScriptedSpeech()
    async with synthesizer(speech, phonemes=wanted) as tts:
        listener = say(tts, "a")
        await end_of(listener)

    heard = [event for event in listener.events if isinstance(event, PhonemesReceived)]
    assert speech.named("a").request.add_phoneme_timestamps is wanted
    assert bool(heard) is wanted
    assert all(start <= end for event in heard for _, start, end in event.phonemes)


async def test_the_socket_is_open_before_the_first_word() -> None:
    speech = ScriptedSpeech(handshake_s=0.15, latency_s=0.1)
    async with synthesizer(speech) as tts:
        began = current_time()
        listener = say(tts, "a")
        await listener.audible.wait()
        assert current_time() - began < 0.12


async def test_many_interruptions_cost_one_handshake_and_a_cancel_each() -> None:
    speech, after = ScriptedSpeech(handshake_s=0.15, latency_s=0.1), []
    async with synthesizer(speech) as tts:
        for turn in range(20):
            began = current_time()
            listener = say(tts, f"t{turn}", TEXT * 20)
            await listener.audible.wait()
            after.append(current_time() - began)
            tts.cancel(f"t{turn}")
        await sleep(0.1)

    assert speech.handshakes == 1
    assert [request.context_id for request in speech.requests if isinstance(request, Cancel)] == [
        f"t{turn}" for turn in range(20)
    ]
    assert max(after) <= min(after) + 0.001, "first audio after a barge-in = first audio on a warm socket"


async def test_nothing_of_a_cancelled_context_is_delivered_however_much_the_provider_talks() -> None:
    speech = ScriptedSpeech(faults={0: SpeechFault(ignores_cancel=True)}, real_time_factor=0.5)
    async with synthesizer(speech) as tts:
        cut = say(tts, "cut", TEXT * 5)
        await cut.audible.wait()
        tts.cancel("cut")
        known = len(cut.events)
        assert await end_of(say(tts, "next")) == ContextDone("next")
        await sleep(20)

        assert len(cut.events) == known
        assert speech.named("cut").done_at is not None
        assert tts.counts["late"] > 10


async def test_a_dropped_socket_is_made_again_and_its_contexts_fail_so_that_they_may_go_on() -> None:
    speech = ScriptedSpeech(faults={0: SpeechFault(drops_after_s=0.5)})
    async with synthesizer(speech) as tts:
        first, second = say(tts, "first"), say(tts, "second", finish=False)
        for listener in (first, second):
            failed = await end_of(listener)
            assert isinstance(failed, ContextFailed)
            assert failed.retryable
        assert first.audio

        assert await end_of(say(tts, "successor")) == ContextDone("successor")
    assert speech.handshakes == 2


async def test_an_idle_close_is_silent_and_the_next_turn_finds_a_warm_socket() -> None:
    speech = ScriptedSpeech(idle_s=300, handshake_s=0.15)
    async with synthesizer(speech) as tts:
        assert await end_of(say(tts, "a")) == ContextDone("a")
        await sleep(1000)
        began = current_time()
        listener = say(tts, "b")
        assert await end_of(listener) == ContextDone("b")
        assert current_time() - began < 1
    assert speech.handshakes == 4


async def test_after_an_idle_close_the_socket_is_back_at_once_however_often_that_happens() -> None:
    speech = ScriptedSpeech(idle_s=10)
    async with synthesizer(speech):
        await sleep(1000)
    assert speech.handshakes == 100


async def test_text_waits_for_a_socket_that_is_down() -> None:
    speech = ScriptedSpeech(refusals=[None, ProviderUnavailable("speech", "busy")] + [None] * 9)
    async with synthesizer(speech) as tts:
        await speech.drop()
        await sleep(0.01)
        assert await end_of(say(tts, "a")) == ContextDone("a")
    assert speech.handshakes == 2


async def test_text_does_not_wait_for_ever() -> None:
    down = ProviderUnavailable("speech", "cannot connect: nobody there")
    speech = ScriptedSpeech(refusals=[None] + [down] * 1000)
    async with synthesizer(speech, limits=Limits(wait_s=5)) as tts:
        await speech.drop()
        await sleep(1)
        began = current_time()
        listener = say(tts, "a")
        assert await end_of(listener) == ContextFailed(
            "a", "no place at the provider for 5 s (no connection: cannot connect: nobody there)", retryable=False
        )
        assert current_time() - began == pytest.approx(5)


async def test_attempts_to_connect_become_rare() -> None:
    speech = ScriptedSpeech(refusals=[None] + [ProviderUnavailable("speech", "down")] * 10000)
    async with synthesizer(speech) as tts:
        await speech.drop()
        await sleep(600)
        assert tts.counts["sockets"] == 1
    left = len(speech._refusals)
    assert 10000 - left < 150


async def test_a_provider_that_hangs_up_on_everybody_is_not_stormed() -> None:
    speech = ScriptedSpeech(idle_s=0.01)
    async with synthesizer(speech):
        await sleep(600)
    assert speech.handshakes < 150


async def test_a_key_that_is_revoked_is_told_to_those_who_wait() -> None:
    rejected = ProviderRejected("speech", "check the API key")
    speech = ScriptedSpeech(refusals=[None] + [rejected] * 1000, handshake_s=0.1)
    async with synthesizer(speech) as tts:
        await speech.drop()
        await sleep(0.05)
        began = current_time()
        assert await end_of(say(tts, "a")) == ContextFailed("a", "check the API key", retryable=False)
        assert current_time() - began < 0.2


@pytest.mark.parametrize("kind", [ProviderRejected, ProviderUnavailable])
async def test_who_opens_is_told_when_there_is_no_connection(kind: type[ProviderRejected]) -> None:
    speech = ScriptedSpeech(refusals=[kind("speech", "no")])
    with pytest.raises(kind, match="speech: no"):
        async with synthesizer(speech):
            pass  # pragma: no cover


async def test_no_server_is_an_error_of_one_line() -> None:
    @asynccontextmanager
    async def connect() -> AsyncGenerator[MessageStream, None]:
        await refuse()
        yield Odd()

    async def refuse() -> None:
        raise OSError("Connection refused")

    with pytest.raises(ProviderUnavailable, match=r"^acme: cannot connect: Connection refused$"):
        async with ContextSynthesizer(connect, provider="acme"):
            pass  # pragma: no cover


async def test_an_error_in_the_block_comes_out_as_itself() -> None:
    with pytest.raises(ZeroDivisionError):
        async with synthesizer(ScriptedSpeech()):
            raise ZeroDivisionError


async def test_a_stall_is_noticed_and_the_socket_replaced_when_all_of_it_is_silent() -> None:
    speech = ScriptedSpeech(faults={0: SpeechFault(stalls_after_s=0.3)})
    async with synthesizer(speech, limits=Limits(stall_s=3)) as tts:
        listener = say(tts, "a")
        assert await end_of(listener) == ContextFailed("a", "the provider said nothing for 3 s", retryable=True)
        assert await end_of(say(tts, "b")) == ContextDone("b")
    assert speech.handshakes == 2


async def test_an_error_of_one_context_is_no_concern_of_another() -> None:
    failure = Failure("", 404, "Voice not found", "no voice of that name", "voice_not_found")
    speech = ScriptedSpeech(faults={0: SpeechFault(fails=failure)})
    async with synthesizer(speech) as tts:
        bad, good = say(tts, "bad"), say(tts, "good")
        assert await end_of(bad) == ContextFailed("bad", "Voice not found: no voice of that name", retryable=False)
        assert await end_of(good) == ContextDone("good")
    assert speech.handshakes == 1


async def test_an_error_without_a_context_loses_no_turn() -> None:
    failure = Failure(None, 500, "Internal error", "oops")
    speech = ScriptedSpeech(faults={0: SpeechFault(fails=failure)})
    async with synthesizer(speech) as tts:
        assert await end_of(say(tts, "a")) == ContextFailed("a", "Internal error: oops", retryable=True)
        assert await end_of(say(tts, "b")) == ContextDone("b")
    assert speech.handshakes == 1


async def test_a_context_that_never_ends_ends() -> None:
    speech = ScriptedSpeech(faults={0: SpeechFault(never_done=True)})
    async with synthesizer(speech) as tts:
        failed = await end_of(say(tts, "a"))
        assert isinstance(failed, ContextFailed)


async def test_a_full_socket_is_joined_by_a_second_one() -> None:
    speech = ScriptedSpeech(real_time_factor=1)
    async with synthesizer(speech, limits=Limits(per_socket=2, sockets=2)) as tts:
        await sleep(1)
        assert speech.handshakes == 1
        listeners = [say(tts, f"c{number}") for number in range(4)]
        for listener in listeners:
            assert await end_of(listener) == ContextDone(listener.context_id)
        assert sorted(context.socket for context in speech.contexts) == [0, 0, 1, 1]
    assert speech.handshakes == 2


async def test_a_slow_call_delays_no_other() -> None:
    speech = ScriptedSpeech()
    async with synthesizer(speech) as tts:
        say(tts, "chapter", TEXT * 500, finish=False)
        for _ in range(200):
            tts.send("chapter", TEXT)
        await sleep(0.01)
        began = current_time()
        await end_of(say(tts, "yes", "Yes. "))
        assert current_time() - began < 0.5


async def test_an_expired_context_is_reported_done_so_that_its_turn_goes_on_in_another() -> None:
    speech = ScriptedSpeech(expires_s=1)
    async with synthesizer(speech) as tts:
        listener = say(tts, "a", finish=False)
        assert await end_of(listener) == ContextDone("a")


async def test_leaving_takes_no_time_and_ends_what_lives() -> None:
    speech = ScriptedSpeech(real_time_factor=1)
    async with synthesizer(speech) as tts:
        listener = say(tts, "a", TEXT * 100)
        await listener.audible.wait()
        left = current_time()
    assert current_time() - left < 1
    assert isinstance(listener.events[-1], ContextFailed)
    assert not speech.connections


async def test_it_can_be_cancelled_from_outside() -> None:
    speech = ScriptedSpeech()
    with anyio.move_on_after(1) as scope:
        async with synthesizer(speech) as tts:
            say(tts, "a")
            await sleep(100)
    assert scope.cancelled_caught
    assert not speech.connections


async def test_who_never_spoke_is_told_of_the_end_too() -> None:
    async with synthesizer(ScriptedSpeech()) as tts:
        listener = Listener("a")
        tts.open("a", audio=TELEPHONE, deliver=listener)
    assert listener.events == [ContextFailed("a", "speech was shut down", retryable=False)]


async def test_a_place_is_free_again_soon_after_an_early_end() -> None:
    client, server = memory_pair()

    @asynccontextmanager
    async def connect() -> AsyncGenerator[MessageStream, None]:
        yield client

    limits = Limits(total=1, linger_s=0.5)
    async with ContextSynthesizer(connect, limits=limits) as tts:
        first, second = say(tts, "a"), say(tts, "b")
        assert '"a"' in await server.receive()
        await server.send(render_response(Done("a")))  # without a sound
        assert isinstance(await end_of(first), ContextFailed)
        assert "cancel" in await server.receive()
        began = current_time()
        assert '"b"' in await server.receive()
        assert current_time() - began == pytest.approx(0.5)
        assert not second.events
        await client.aclose()
        await server.aclose()


class Odd:
    """A stream that says odd things, and cannot be written to."""

    def __init__(self, *messages: str | bytes) -> None:
        self.messages = list(messages)

    async def send(self, message: str) -> None:
        raise anyio.BrokenResourceError

    async def receive(self) -> str | bytes:
        if not self.messages:
            await sleep(1)
            raise EndOfStream
        return self.messages.pop(0)

    async def aclose(self) -> None:
        pass


async def test_odd_messages_do_no_harm_and_a_broken_pipe_is_a_lost_socket() -> None:
    streams = [Odd(b"\xff\x00", "{", "null", "[]", '{"type":"chunk"}', '{"type":"weather","context_id":"a"}')]

    @asynccontextmanager
    async def connect() -> AsyncGenerator[MessageStream, None]:
        yield streams.pop() if streams else Odd()

    async with ContextSynthesizer(connect, random=Random(1)) as tts:
        await sleep(0.1)
        assert tts.counts["unknown"] == 6
        assert tts.counts["foreign"] == 1
        listener = say(tts, "a")
        assert await end_of(listener) == ContextFailed("a", "connection lost", retryable=True)


async def test_a_protocol_that_has_moved_on_is_understood_as_far_as_it_can_be() -> None:
    @asynccontextmanager
    async def connect() -> AsyncGenerator[MessageStream, None]:
        client, server = memory_pair()
        await server.send('{"type":"chunk","context_id":"x","data":"AP8=","watermark":1}')
        await server.send('{"type":"weather","context_id":"x"}')
        yield client

    async with ContextSynthesizer(connect, random=Random(1)) as tts:
        await sleep(0.1)
        assert (tts.counts["Chunk"], tts.counts["UnknownMember"], tts.counts["unknown"]) == (1, 1, 1)


async def test_a_mistake_of_ours_is_not_taken_for_a_provider_that_refuses() -> None:
    attempts = iter([Odd(), None])

    @asynccontextmanager
    async def connect() -> AsyncGenerator[MessageStream, None]:
        stream = next(attempts)
        if stream is None:
            raise UsageError("no client for this event loop")
        yield stream

    with pytest.raises(ExceptionGroup) as caught:
        async with ContextSynthesizer(connect, random=Random(1)):
            await sleep(5)
    assert caught.group_contains(UsageError, match="no client")


async def test_the_words_of_the_wire_are_the_words_that_were_sent() -> None:
    speech, pieces = ScriptedSpeech(), ["Well, ", "I think so. ", "… ", "Yes.", " And no!"]
    async with synthesizer(speech) as tts:
        listener = Listener("a")
        tts.open("a", audio=TELEPHONE, deliver=listener)
        for piece in pieces:
            tts.send("a", piece)
            await sleep(0.02)
        tts.finish("a")
        await end_of(listener)

    assert speech.contexts[0].text == "".join(pieces)
    assert all(isinstance(request, Generate) for request in speech.requests)
    assert any(isinstance(event, AudioReceived) for event in listener.events)
