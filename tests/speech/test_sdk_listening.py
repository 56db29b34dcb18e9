"""The provider's own Python SDK, unmodified: real speech, understood by this server."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Iterator
from typing import Any

import anyio
import cartesia
import pytest
from cartesia import AsyncCartesia, Cartesia
from websockets.exceptions import InvalidStatus

from agentvoice import plugins
from agentvoice.audio import linear_to_mulaw
from agentvoice.speech.convert import resampler
from agentvoice.speech.hearing.ears import Ears
from agentvoice.testing.speech_server import SpeechServer, speech_server

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.sockets,
    pytest.mark.speech,
    pytest.mark.filterwarnings(r"ignore:connect\(\) must be used:DeprecationWarning"),  # how the SDK uses websockets
]

TEXT = "I would like to book a table for four people."
RATE = 16000
AUDIO: Any = {"model": "ink-2", "encoding": "pcm_s16le", "sample_rate": RATE}


@pytest.fixture(scope="module")
def server() -> Iterator[SpeechServer]:
    with speech_server(ears=Ears.by_name("moonshine")) as server:
        yield server


@pytest.fixture(scope="module")
def speech() -> bytes:
    engine = plugins.load("engine", "piper")()
    engine.prepare()
    voice = engine.voices[0].id
    rate = engine.sample_rate(voice, RATE)
    pieces = engine.synthesize(TEXT, voice=voice, speed=1.0, sample_rate=rate)
    pcm = b"".join(piece.pcm for piece in pieces)
    return resampler(rate, RATE)(pcm, True) + bytes(RATE // 5)


@pytest.fixture
def client(server: SpeechServer) -> Iterator[Cartesia]:
    with Cartesia(api_key=server.key, base_url=server.http, websocket_base_url=server.ws, max_retries=0) as client:
        yield client


def frames(audio: bytes) -> list[bytes]:
    return [audio[at : at + 3200] for at in range(0, len(audio), 3200)]


def plain(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def test_what_was_said_is_transcribed_when_it_is_finalized(client: Cartesia, speech: bytes) -> None:
    with client.stt.manual_finalize.websocket(**AUDIO) as socket:
        for frame in frames(speech):
            socket.send_raw(frame)
        socket.send("finalize")
        socket.send("close")
        events: list[Any] = list(socket)
    assert [event.type for event in events if event.type != "transcript"] == ["flush_done", "done"]
    finals = [event.text for event in events if event.type == "transcript" and event.is_final]
    assert plain("".join(finals)) == plain(TEXT)


def test_turns_begin_and_end(client: Cartesia, speech: bytes) -> None:
    with client.stt.auto_finalize.websocket(**AUDIO, keyterm=["four people"]) as socket:
        for frame in frames(speech + bytes(2 * RATE) + speech):
            socket.send_raw(frame)
        socket.send({"type": "config", "turn": {"end_timeout_ms": 1000}})
        socket.send({"type": "close"})
        events: list[Any] = list(socket)
    assert events[0].type == "connected"
    assert len({event.request_id for event in events}) == 1
    assert [event.type for event in events].count("turn.start") == 2
    assert [plain(event.transcript) for event in events if event.type == "turn.end"] == [plain(TEXT)] * 2


def test_a_telephone_is_understood_and_a_recording(client: Cartesia, speech: bytes) -> None:
    phone = linear_to_mulaw(resampler(RATE, 8000)(speech, True))
    said = client.stt.transcribe(file=("call.raw", phone), model="ink-whisper", encoding="pcm_mulaw", sample_rate=8000)
    assert plain(said.text) == plain(TEXT)

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(speech)
    said = client.stt.transcribe(file=("call.wav", file.getvalue()), model="ink-whisper")
    assert plain(said.text) == plain(TEXT)
    assert said.duration == pytest.approx(len(speech) / 2 / RATE, abs=0.01)


def test_what_cannot_be_had_is_refused(client: Cartesia) -> None:
    with pytest.raises(cartesia.BadRequestError, match="no WAV file"):
        client.stt.transcribe(file=("x.mp3", b"ID3"), model="ink-whisper")
    with (
        pytest.raises(InvalidStatus, match="400"),
        client.stt.auto_finalize.websocket(**AUDIO, turn_end_threshold=0.5, turn_eager_end_threshold=0.3),
    ):
        pass


async def test_ten_calls_at_once_are_understood(server: SpeechServer, speech: bytes) -> None:
    heard: list[list[str]] = []
    async with AsyncCartesia(api_key=server.key, base_url=server.http, websocket_base_url=server.ws) as client:

        async def call() -> None:
            async with client.stt.auto_finalize.websocket(**AUDIO) as socket:
                for frame in frames(speech):
                    await socket.send_raw(frame)
                await socket.send({"type": "close"})
                heard.extend([plain(event.transcript) async for event in socket if event.type == "turn.end"])

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(call)
    assert heard == [plain(TEXT)] * 10


def test_a_server_that_only_speaks_says_so() -> None:
    with (
        speech_server() as mute,
        Cartesia(api_key=mute.key, base_url=mute.http, max_retries=0) as client,
        pytest.raises(cartesia.NotFoundError, match="--recognizer moonshine"),
    ):
        client.stt.transcribe(file=("x.wav", b"RIFF"), model="ink-whisper")
