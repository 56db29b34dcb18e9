"""ElevenLabs' plugin, against a stand-in that speaks their words and does not stop when a context is closed."""

import json
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest
from anyio import EndOfStream, fail_after, sleep

from agentvoice.audio import TELEPHONE, AudioFormat, Encoding
from agentvoice.errors import ProviderRejected, ProviderUnavailable, UsageError
from agentvoice.events import ContextDone, ContextFailed
from agentvoice.interfaces import MessageStream, Voice
from agentvoice.plugins import load
from agentvoice.testing.contracts.synthesizer import Listener, check_synthesizer
from agentvoice.testing.tts import ScriptedSpeech
from agentvoice.tts.governor import Limits
from agentvoice.tts.wire import (
    Cancel,
    Chunk,
    Done,
    Failure,
    Generate,
    Timestamps,
    Unknown,
    parse_response,
    render_request,
)
from agentvoice.voicing import Voicing
from agentvoice_elevenlabs import ElevenLabs
from agentvoice_elevenlabs._dialect import MultiContext
from agentvoice_elevenlabs._synthesizer import LIMITS

CAP = 5
REFUSAL = (
    "Maximum simultaneous contexts per WebSocket connection exceeded (5). "
    "Please close an existing context before opening a new one."
)
VOICING = Voicing("v")


class StandIn:
    """Their end of a socket, on top of a scripted voice, as their reference has it and users report it.

    A sixth context costs the socket, and so do voice settings in any message but the first. A closed context goes on
    with what it was told to flush. Times count from the beginning of each chunk.
    """

    def __init__(self, stream: MessageStream, service: "Service") -> None:
        self.stream = stream
        self.service = service
        self.live: set[str] = set()
        self.sent_s: dict[str, float] = {}
        self.words: dict[str, list[tuple[str, float, float]]] = {}
        self.heard = 0
        self.refused = self.told = False

    async def send(self, message: str) -> None:
        said = json.loads(message)
        self.service.said.append(said)
        context_id = said["context_id"]
        self.live.add(context_id)
        self.service.most = max(self.service.most, len(self.live))
        self.refused |= len(self.live) > CAP or ("voice_settings" in said and self.heard > 0)
        self.heard += 1
        text = said.get("text", "")
        assert text.endswith(" ") or "text" not in said
        if text.strip():
            assert said["flush"] is True
            await self.pass_on(Generate(context_id=context_id, transcript=text, continue_=True))
        if said.get("close_context"):
            await self.pass_on(Generate(context_id=context_id, transcript="", continue_=False))

    async def pass_on(self, request: Generate) -> None:
        spoken = bool(request.transcript)
        request = Generate(
            context_id=request.context_id,
            transcript=request.transcript,
            continue_=request.continue_,
            model_id="m" if spoken else None,
            voice_id="v" if spoken else None,
            output=TELEPHONE,
        )
        await self.stream.send(render_request(request))

    async def receive(self) -> str:
        while True:
            if self.refused and self.told:
                raise EndOfStream("1008 (policy violation)")
            if self.refused:
                self.told, self.service.refusals = True, self.service.refusals + 1
                return json.dumps({"message": REFUSAL, "error": "max_active_conversations", "code": 1008})
            if (answer := self.translate(await self.stream.receive())) is not None:
                return json.dumps(answer)

    def translate(self, message: str | bytes) -> dict[str, Any] | None:
        match parse_response(message):
            case Timestamps(context_id, words):
                self.words.setdefault(context_id, []).extend(words)
            case Chunk(context_id, audio):
                at = self.sent_s.get(context_id, 0.0)
                self.sent_s[context_id] = at + TELEPHONE.seconds(len(audio))
                return {
                    "audio": b64encode(audio).decode(),
                    "alignment": self.align(self.words.pop(context_id, []), at),
                    "contextId": context_id,
                }
            case Done(context_id):
                self.live.discard(context_id)
                return {"isFinal": True, "contextId": context_id}
        return None

    @staticmethod
    def align(words: list[tuple[str, float, float]], at: float) -> dict[str, Any] | None:
        chars, starts, lasts = [], [], []
        for word, start, end in words:
            each = (end - start) / len(word)
            for number, character in enumerate(word + " "):
                chars.append(character)
                starts.append(round((start - at + number * each) * 1000))
                lasts.append(round(each * 1000) if character != " " else 0)
        return {"chars": chars, "charStartTimesMs": starts, "charDurationsMs": lasts} if words else None

    async def aclose(self) -> None:
        await self.stream.aclose()


class Service:
    def __init__(self, **speech: Any) -> None:
        self.speech = ScriptedSpeech(**speech)
        self.said: list[dict[str, Any]] = []
        self.most = 0
        self.refusals = 0

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[MessageStream, None]:
        async with self.speech.connect() as stream:
            yield StandIn(stream, self)


def synthesizer(service: Service, **options: Any) -> ElevenLabs:
    return ElevenLabs(api_key="k", voicing=VOICING, connect=service.connect, **options)


async def test_it_keeps_the_contract() -> None:
    service = Service()
    await check_synthesizer(lambda: synthesizer(service))
    assert service.most <= CAP


async def test_voice_settings_are_said_once_a_socket_since_more_would_cost_it() -> None:
    service = Service()
    await check_synthesizer(lambda: synthesizer(service, voice_settings={"stability": 0.5}))
    assert service.refusals == 0
    assert sum("voice_settings" in said for said in service.said) == service.speech.handshakes


async def test_a_turn_in_another_voice_fails_and_says_why() -> None:
    async with synthesizer(Service()) as tts:
        listener = Listener("other")
        tts.open("other", audio=TELEPHONE, deliver=listener, voicing=Voicing("w"))
        (failed,) = listener.events
        assert isinstance(failed, ContextFailed)
        assert not failed.retryable
        assert "speak with voice v; make another synthesizer for w" in failed.reason

        same = Listener("same")
        tts.open("same", audio=TELEPHONE, deliver=same, voicing=Voicing("v", speed=1.1))
        tts.send("same", "Good evening. ")
        tts.finish("same")
        with fail_after(10):
            await same.ended.wait()
        assert same.events[-1] == ContextDone("same")


def test_a_speed_that_is_none_of_theirs_is_refused() -> None:
    with pytest.raises(UsageError, match=r"from 0\.7 to 1\.2, and not at 1\.5"):
        ElevenLabs(api_key="k", voicing=Voicing("v", speed=1.5))
    ElevenLabs(api_key="k", voicing=Voicing("v", speed=1.2))


def test_breaks_are_let_through() -> None:
    assert MultiContext.markup.points == {"break"}
    assert "enable_ssml_parsing=true" in ElevenLabs(api_key="k", voicing=VOICING).socket_url


async def test_rapid_interruptions_do_not_cost_the_socket() -> None:
    service = Service(real_time_factor=1, chunk_s=1.0)  # a second of silence is no sign that a context is over
    async with synthesizer(service, limits=replace(LIMITS, sockets=1, total=5)) as tts:
        for turn in range(20):
            listener = Listener(f"t{turn}")
            tts.open(listener.context_id, audio=TELEPHONE, deliver=listener)
            tts.send(listener.context_id, "Good evening, this is the Blue Fig. How may I help you? " * 2)
            with fail_after(10):
                await listener.audible.wait()
            tts.cancel(listener.context_id)
        await sleep(60)
        assert tts.counts["late"] > 0
        assert tts.counts["sockets"] == 1
    assert service.most <= CAP
    assert service.refusals == 0


async def test_a_socket_that_was_lost_to_the_cap_is_made_again() -> None:
    service = Service(real_time_factor=1)
    async with synthesizer(service, limits=Limits(per_socket=99)) as tts:
        listeners = [Listener(f"t{number}") for number in range(CAP + 1)]
        for listener in listeners:
            tts.open(listener.context_id, audio=TELEPHONE, deliver=listener)
            tts.send(listener.context_id, "Good evening, this is the Blue Fig. ")
        for listener in listeners:
            with fail_after(10):
                await listener.ended.wait()
            failed = listener.events[-1]
            assert isinstance(failed, ContextFailed)
            assert failed.retryable

        successor = Listener("successor")
        tts.open("successor", audio=TELEPHONE, deliver=successor)
        tts.send("successor", "Good evening. ")
        tts.finish("successor")
        with fail_after(10):
            await successor.ended.wait()
        assert successor.events[-1] == ContextDone("successor")


async def test_another_format_than_that_of_the_sockets_is_refused() -> None:
    async with synthesizer(Service()) as tts:
        with pytest.raises(UsageError, match="make another"):
            tts.open("a", audio=AudioFormat(Encoding.S16LE, 24000), deliver=print)


# ------------------------------------------------------------------ the dialect


def request(text: str, *, more: bool = True, **options: Any) -> Generate:
    return Generate(context_id="a", transcript=text, continue_=more, **options)


def test_our_words_in_theirs() -> None:
    dialect = MultiContext(TELEPHONE, {"stability": 0.5, "speed": 1.1})

    def render(request: Generate | Cancel) -> list[dict[str, Any]]:
        return [json.loads(message) for message in dialect.render(request)]

    assert render(request("Hello.")) == [
        {"context_id": "a", "text": " ", "voice_settings": {"stability": 0.5, "speed": 1.1}},
        {"context_id": "a", "text": "Hello. ", "flush": True},
    ]
    assert render(request("Bye. ", more=False)) == [
        {"context_id": "a", "text": "Bye. ", "flush": True},
        {"context_id": "a", "close_context": True},
    ]
    assert render(request("", more=False)) == [{"context_id": "a", "close_context": True}]
    assert render(Cancel("a")) == [{"context_id": "a", "close_context": True}]


def say(**members: Any) -> str:
    return json.dumps({"contextId": "a", **members})


def aligned(text: str, each_ms: int = 100) -> dict[str, Any]:
    times = [each_ms * at for at in range(len(text))]
    return {"chars": list(text), "charStartTimesMs": times, "charDurationsMs": [each_ms] * len(text)}


def test_their_characters_become_words_that_count_from_the_start_of_the_context() -> None:
    dialect = MultiContext(TELEPHONE)
    audio, second = b64encode(bytes(8000)).decode(), bytes(8000)

    assert dialect.parse(say(audio=audio, alignment=aligned("Hi yo"))) == [
        Timestamps("a", (("Hi", 0.0, 0.2),)),
        Chunk("a", second),
    ]
    assert dialect.parse(say(audio=audio, normalizedAlignment=aligned("u bye"))) == [
        Timestamps("a", (("you", 0.3, 1.1),)),
        Chunk("a", second),
    ]
    assert dialect.parse(say(isFinal=True)) == [Timestamps("a", (("bye", 1.2, 1.5),)), Done("a")]
    assert dialect.parse(say(isFinal=True)) == [Done("a")]


@pytest.mark.parametrize("odd", ["{", b"\xff", "[]", '{"audio":"AAAA"}', '{"audio":1,"contextId":"a"}'])
def test_what_makes_no_sense_is_unknown(odd: str | bytes) -> None:
    (response,) = MultiContext(TELEPHONE).parse(odd)
    assert isinstance(response, Unknown)


def test_a_message_without_anything_is_unknown_but_a_sign_of_life() -> None:
    assert MultiContext(TELEPHONE).parse(say(audio="")) == [Unknown("a", None, len(say(audio="")))]


def test_their_errors_are_failures() -> None:
    error = {"message": "Close one first.", "error": "max_active_conversations", "code": 1008}
    (failure,) = MultiContext(TELEPHONE).parse(json.dumps(error))
    assert failure == Failure(None, 429, "max_active_conversations", "Close one first.", "max_active_conversations")


# ------------------------------------------------------------------ where, and who


def test_the_url_says_what_cannot_change() -> None:
    url = ElevenLabs(api_key="k", voicing=Voicing("a/b", language="en")).socket_url
    assert url.startswith("wss://api.elevenlabs.io/v1/text-to-speech/a%2Fb/multi-stream-input?")
    for part in ("output_format=ulaw_8000", "model_id=eleven_flash_v2_5", "language_code=en", "sync_alignment=true"):
        assert part in url


@pytest.mark.parametrize("missing", ["ELEVENLABS_API_KEY", "ELEVENLABS_VOICE_ID"])
def test_what_is_missing_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "k")
    monkeypatch.setenv("ELEVENLABS_VOICE_ID", "v")
    assert load("synthesizer", "elevenlabs")()
    monkeypatch.delenv(missing)
    with pytest.raises(UsageError, match=missing):
        ElevenLabs()


def test_a_format_that_is_none_of_theirs_is_refused() -> None:
    with pytest.raises(UsageError, match="ulaw_8000"):
        ElevenLabs(api_key="k", voicing=VOICING, audio=AudioFormat(Encoding.F32LE, 8000))


async def test_it_lists_the_voices(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"voices": [{"voice_id": "v1", "name": "Ann", "labels": {"language": "en"}}, {"voice_id": "v2"}]}
    answers = [
        httpx.Response(200, json=listed),
        httpx.Response(401, text="no"),
        httpx.Response(200, text="<html>"),
    ]

    def answer(_: httpx.Request) -> httpx.Response:
        if not answers:
            raise httpx.ConnectError("nobody there")
        return answers.pop(0)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(
        "agentvoice_elevenlabs._synthesizer.httpx.AsyncClient", partial(httpx.AsyncClient, transport=transport)
    )
    tts = ElevenLabs(api_key="k", voicing=VOICING)

    assert await tts.voices() == [Voice("v1", "Ann", "en"), Voice("v2", "", "")]
    with pytest.raises(ProviderRejected, match="check the API key"):
        await tts.voices()
    with pytest.raises(ProviderUnavailable, match="makes no sense"):
        await tts.voices()
    with pytest.raises(ProviderUnavailable, match="cannot list"):
        await tts.voices()
