"""The provider's own Python SDK, unmodified, against this server: synchronous and asynchronous."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from typing import Any

import anyio
import cartesia
import pytest
from cartesia import AsyncCartesia, Cartesia

from agentvoice.audio import AudioFormat, Encoding
from agentvoice.speech.tone import seconds

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.sockets,
    pytest.mark.filterwarnings(r"ignore:connect\(\) must be used:DeprecationWarning"),  # how the SDK uses websockets
]

RAW: Any = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000}
FORMAT = AudioFormat(Encoding.S16LE, 16000)
OPTIONS: Any = {"model_id": "sonic-3", "voice": "tone", "output_format": RAW}
TEXT = "Good morning, how may I help you?"


@pytest.fixture
def client(server: Any) -> Iterator[Cartesia]:
    with Cartesia(api_key=server.key, base_url=server.http, websocket_base_url=server.ws, max_retries=0) as client:
        yield client


@pytest.fixture
async def aclient(server: Any) -> AsyncIterator[AsyncCartesia]:
    client = AsyncCartesia(api_key=server.key, base_url=server.http, websocket_base_url=server.ws, max_retries=0)
    async with client:
        yield client


def lasts(text: str) -> float:
    return sum(seconds(word) for word in text.split())


def audio(events: list[Any]) -> bytes:
    return b"".join(event.audio for event in events if event.type == "chunk")


def words(events: list[Any]) -> list[str]:
    return [word for event in events if event.type == "timestamps" for word in event.word_timestamps.words]


def heard(events: list[Any]) -> float:
    return FORMAT.seconds(len(audio(events)))


# ------------------------------------------------------------------ synchronous


def test_sync_single_shot(client: Cartesia) -> None:
    with client.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS, timeout=5)
        context.push(TEXT, continue_=False)
        events: list[Any] = list(context.receive())
    assert heard(events) == pytest.approx(lasts(TEXT), abs=0.001)
    assert events[-1].type == "done"


def test_sync_continuations(client: Cartesia) -> None:
    with client.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS, add_timestamps=True, timeout=5)
        for token in ("Good mor", "ning, how may I ", "help you?"):
            context.push(token)
        context.no_more_inputs()
        events: list[Any] = list(context.receive())
    assert words(events) == TEXT.split()
    assert heard(events) == pytest.approx(lasts(TEXT), abs=0.001)


def test_sync_sentences_without_spaces_are_words_of_their_own(client: Cartesia) -> None:
    with client.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS, add_timestamps=True, max_buffer_delay_ms=0, timeout=5)
        context.push("Hello, world!")
        context.push("How are you?")
        context.no_more_inputs()
        events: list[Any] = list(context.receive())
    assert words(events) == "Hello, world! How are you?".split()
    starts = [t for e in events if e.type == "timestamps" for t in e.word_timestamps.start]
    ends = [t for e in events if e.type == "timestamps" for t in e.word_timestamps.end]
    assert all(a <= b for a, b in zip(starts, ends, strict=True))
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert sum(e.type == "flush_done" for e in events) == 2


def test_sync_flush(client: Cartesia) -> None:
    with client.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS, timeout=5)
        context.push("Good morning")
        context.push("", flush=True)
        context.push("and goodbye")
        context.no_more_inputs()
        events: list[Any] = list(context.receive())
    kinds = [event.type for event in events if event.type != "chunk"]
    assert kinds == ["flush_done", "done"]
    assert next(event for event in events if event.type == "flush_done").flush_id == 1


def test_sync_cancel_then_another_context_on_the_same_socket(client: Cartesia) -> None:
    with client.tts.websocket_connect() as socket:
        first = socket.context(**OPTIONS, timeout=5)
        first.push("A very long story indeed, that nobody wants to hear. " * 5)
        next(iter(first.receive()))
        first.cancel()
        second = socket.context(**OPTIONS, timeout=5)
        second.push("Yes.", continue_=False)
        # What had left before the cancel arrived is for nobody: this SDK hands it to whoever reads.
        events = [event for event in second.receive() if event.context_id == second._context_id]
    assert heard(events) == pytest.approx(lasts("Yes."), abs=0.001)


def test_sync_phonemes_and_both_modes_of_words(client: Cartesia) -> None:
    with client.tts.websocket_connect() as socket:
        for normalized in (False, True):
            context = socket.context(
                **OPTIONS,
                add_timestamps=True,
                add_phoneme_timestamps=True,
                use_normalized_timestamps=normalized,
                timeout=5,
            )
            context.push("Hi there.", continue_=False)
            events: list[Any] = list(context.receive())
            assert words(events) == ["Hi", "there."]
            phonemes = [e.phoneme_timestamps for e in events if e.type == "phoneme_timestamps"]
            assert [p for told in phonemes for p in told.phonemes] == list("hithere")


def test_sync_generation_config_changes_between_pushes(client: Cartesia) -> None:
    with client.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS, timeout=5)
        context.push("Hello! ", generation_config={"speed": 1.0, "emotion": "calm"})
        context.push("Hello! ", generation_config={"speed": 1.5, "volume": 2.0, "emotion": "excited"})
        context.no_more_inputs()
        events: list[Any] = list(context.receive())
    assert heard(events) == pytest.approx(seconds("Hello!") * (1 + 1 / 1.5), abs=0.001)


def test_sync_many_contexts_at_once(client: Cartesia) -> None:
    texts = [f"This is number {n}, of many." for n in range(12)]
    with client.tts.websocket_connect() as socket:
        contexts = [socket.context(**OPTIONS, add_timestamps=True, timeout=5) for _ in texts]
        for context, text in zip(contexts, texts, strict=True):
            context.push(text, continue_=False)
        results: list[list[Any]] = [list(context.receive()) for context in contexts]
    for events, text in zip(results, texts, strict=True):
        assert words(events) == text.split()
        assert heard(events) == pytest.approx(lasts(text), abs=0.001)


def test_sync_errors_end_their_context_and_leave_the_socket(client: Cartesia) -> None:
    with client.tts.websocket_connect() as socket:
        for wrong, code in (
            ({"voice": "nobody"}, "voice_not_found"),
            ({"model_id": "no-such-model"}, "model_not_found"),
            ({"output_format": RAW | {"sample_rate": 40}}, "unsupported_audio_format"),
        ):
            context = socket.context(**OPTIONS | wrong, timeout=5)
            context.push("Hello.")
            context.no_more_inputs()
            [error] = list(context.receive())
            assert error.type == "error"
            assert error.error_code == code
        context = socket.context(**OPTIONS, timeout=5)
        context.push("Hello.", continue_=False)
        assert heard(list(context.receive())) == pytest.approx(lasts("Hello."), abs=0.001)


def test_sync_as_sdk_2_was_used(client: Cartesia) -> None:
    socket = client.tts.websocket()
    socket.connect()
    said: Any = socket.send(**OPTIONS, transcript="Hello there.", stream=False, add_timestamps=True)
    assert said.word_timestamps is not None
    assert said.word_timestamps["words"] == ["Hello", "there."]
    pieces: list[Any] = list(socket.send(**OPTIONS, transcript="Hello there.", stream=True))
    assert b"".join(piece.audio for piece in pieces if piece.audio) == said.audio
    socket.close()


def test_sync_bytes_raw_and_wav(client: Cartesia) -> None:
    raw = client.tts.generate(**OPTIONS, transcript=TEXT).read()
    assert FORMAT.seconds(len(raw)) == pytest.approx(lasts(TEXT), abs=0.001)
    wav = client.tts.generate(**OPTIONS | {"output_format": RAW | {"container": "wav"}}, transcript=TEXT).read()
    assert wav.startswith(b"RIFF\xff\xff\xff\xffWAVEfmt ")
    assert wav.endswith(raw)


def test_sync_events(client: Cartesia) -> None:
    events: list[Any] = list(client.tts.generate_sse(**OPTIONS, transcript=TEXT, add_timestamps=True))
    assert words(events) == TEXT.split()
    data = b"".join(base64.b64decode(event.data) for event in events if event.type == "chunk")
    assert FORMAT.seconds(len(data)) == pytest.approx(lasts(TEXT), abs=0.001)


def test_sync_voices_are_paged_to_their_end(client: Cartesia) -> None:
    assert [voice.id for voice in client.voices.list(limit=1)] == ["tone", "tone-high"]
    assert client.voices.get("tone").name == "Tone"
    with pytest.raises(cartesia.NotFoundError):
        client.voices.get("nobody")


def test_sync_http_errors_have_their_classes(client: Cartesia, server: Any) -> None:
    with pytest.raises(cartesia.NotFoundError, match="no voice 'nobody'"):
        client.tts.generate(**OPTIONS | {"voice": "nobody"}, transcript="Hello.")
    with pytest.raises(cartesia.BadRequestError, match="container"):
        client.tts.generate(**OPTIONS | {"output_format": {"container": "ogg"}}, transcript="Hello.")
    with (
        Cartesia(api_key="wrong", base_url=server.http, max_retries=0) as wrong,
        pytest.raises(cartesia.AuthenticationError),
    ):
        wrong.voices.get("tone")


def test_sync_an_access_token_opens_the_socket(client: Cartesia, server: Any) -> None:
    token = client.access_token.create(grants={"tts": True}, expires_in=60).token
    with (
        Cartesia(token=token, base_url=server.http, websocket_base_url=server.ws) as guest,
        guest.tts.websocket_connect() as socket,
    ):
        context = socket.context(**OPTIONS, timeout=5)
        context.push("Hello.", continue_=False)
        assert heard(list(context.receive())) > 0


# ------------------------------------------------------------------ asynchronous


async def test_async_single_shot(aclient: AsyncCartesia) -> None:
    async with aclient.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS, timeout=5)
        await context.push(TEXT, continue_=False)
        events: list[Any] = [event async for event in context.receive()]
    assert heard(events) == pytest.approx(lasts(TEXT), abs=0.001)


async def test_async_continuations_with_words(aclient: AsyncCartesia) -> None:
    async with aclient.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS, add_timestamps=True, timeout=5)
        for token in ("Good mor", "ning, how may I ", "help you?"):
            await context.push(token)
        await context.no_more_inputs()
        events: list[Any] = [event async for event in context.receive()]
    assert words(events) == TEXT.split()


async def test_async_flush(aclient: AsyncCartesia) -> None:
    async with aclient.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS, timeout=5)
        await context.push("Good morning")
        await context.push("", flush=True)
        await context.no_more_inputs()
        events: list[Any] = [event async for event in context.receive()]
    assert [event.type for event in events if event.type != "chunk"] == ["flush_done", "done"]


async def test_async_cancel_and_go_on(aclient: AsyncCartesia) -> None:
    async with aclient.tts.websocket_connect() as socket:
        first = socket.context(**OPTIONS, timeout=5)
        await first.push("A very long story indeed, that nobody wants to hear. " * 5)
        await first.cancel()
        second = socket.context(**OPTIONS, timeout=5)
        await second.push("Yes.", continue_=False)
        events: list[Any] = [event async for event in second.receive()]
    assert heard(events) == pytest.approx(lasts("Yes."), abs=0.001)


async def test_async_many_contexts_at_once(aclient: AsyncCartesia) -> None:
    texts = [f"This is number {n}, of many." for n in range(24)]
    results: dict[int, list[Any]] = {}
    async with aclient.tts.websocket_connect() as socket:

        async def speak(n: int) -> None:
            context = socket.context(**OPTIONS, add_timestamps=True, timeout=10)
            for word in texts[n].split():
                await context.push(word + " ")
            await context.no_more_inputs()
            results[n] = [event async for event in context.receive()]

        async with anyio.create_task_group() as group:
            for n in range(24):
                group.start_soon(speak, n)
    for n, text in enumerate(texts):
        assert words(results[n]) == text.split()
        assert heard(results[n]) == pytest.approx(lasts(text), abs=0.001)


async def test_async_errors_end_their_context(aclient: AsyncCartesia) -> None:
    async with aclient.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS | {"voice": "nobody"}, timeout=5)
        await context.push("Hello.")
        await context.no_more_inputs()
        events: list[Any] = [event async for event in context.receive()]
    assert [event.type for event in events] == ["error"]


async def test_async_phonemes_and_both_modes_of_words(aclient: AsyncCartesia) -> None:
    async with aclient.tts.websocket_connect() as socket:
        for normalized in (False, True):
            options = {"add_timestamps": True, "add_phoneme_timestamps": True, "use_normalized_timestamps": normalized}
            context = socket.context(**OPTIONS | options, timeout=5)
            await context.push("Hi there.", continue_=False)
            events: list[Any] = [event async for event in context.receive()]
            assert words(events) == ["Hi", "there."]
            phonemes = [event.phoneme_timestamps for event in events if event.type == "phoneme_timestamps"]
            assert [sound for told in phonemes for sound in told.phonemes] == list("hithere")


async def test_async_http_errors_have_their_classes(aclient: AsyncCartesia, server: Any) -> None:
    with pytest.raises(cartesia.NotFoundError, match="no voice 'nobody'"):
        await aclient.tts.generate(**OPTIONS | {"voice": "nobody"}, transcript="Hello.")
    with pytest.raises(cartesia.BadRequestError, match="container"):
        await aclient.tts.generate_sse(**OPTIONS | {"output_format": RAW | {"container": "wav"}}, transcript="Hello.")
    async with AsyncCartesia(api_key="wrong", base_url=server.http, max_retries=0) as wrong:
        with pytest.raises(cartesia.AuthenticationError):
            await wrong.voices.get("tone")


async def test_async_bytes_events_and_voices(aclient: AsyncCartesia) -> None:
    raw = await (await aclient.tts.generate(**OPTIONS, transcript=TEXT)).read()
    assert FORMAT.seconds(len(raw)) == pytest.approx(lasts(TEXT), abs=0.001)
    stream = await aclient.tts.generate_sse(**OPTIONS, transcript=TEXT)
    assert [event.type async for event in stream][-1] == "done"
    assert [voice.id async for voice in aclient.voices.list(limit=1)] == ["tone", "tone-high"]


async def test_async_word_times_never_run_back(aclient: AsyncCartesia) -> None:
    async with aclient.tts.websocket_connect() as socket:
        context = socket.context(**OPTIONS, add_timestamps=True, timeout=5)
        await context.push("One two. Three four. ")
        await context.push("Five six.", continue_=False)
        events: list[Any] = [event async for event in context.receive()]
    starts = [t for e in events if e.type == "timestamps" for t in e.word_timestamps.start]
    assert all(a <= b for a, b in pairwise(starts))
