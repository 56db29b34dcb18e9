"""The recogniser against an endpoint on this machine that understands the forms it is sent."""

from __future__ import annotations

import io
import json
import time
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import fail_after

from agentvoice.errors import ProviderError, ProviderRejected, ProviderUnavailable, UsageError
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening
from agentvoice.plugins import load
from agentvoice.testing.contracts.recognizer import check_recognizer
from agentvoice.testing.http import Answer, Answers, Request, Server, serve
from agentvoice.testing.lexicon import Lexicon
from agentvoice_openai import OpenAI, OpenAIRecognizer

pytestmark = [pytest.mark.anyio, pytest.mark.sockets]

RATE = 8000
JSON = {"content-type": "application/json"}
LEXICON = Lexicon()
SPEECH = LEXICON.say("a table for two")


def form(request: Request) -> dict[str, list[bytes]]:
    """Return the fields of a form that was sent, read by the standard library's parser of MIME."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    fields: dict[str, list[bytes]] = {}
    for part in message_from_bytes(head + request.body).get_payload():
        assert isinstance(part, Message)
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        fields.setdefault(str(name), []).append(payload)
        if name == "file":
            assert part.get_filename() == "speech.wav"
            assert part.get_content_type() == "audio/wav"
    return fields


def answer(body: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer([json.dumps(body).encode()], status, JSON)


def understanding(request: Request) -> Answer:
    """Answer as an endpoint would that hears what the lexicon says."""
    if request.method == "GET":
        return answer({"object": "list", "data": []})
    (file,) = form(request)["file"]
    with wave.open(io.BytesIO(file)) as audio:
        return answer({"text": LEXICON.hear(audio.readframes(audio.getnframes()), audio.getframerate())})


def refusing(*refusals: Answer) -> Answers:
    """Refuse what is asked at first, and understand the rest; whoever only connects is welcome."""
    left = list(refusals)

    def reply(request: Request) -> Answer:
        return left.pop(0) if request.method == "POST" and left else understanding(request)

    return reply


def posts(server: Server) -> list[dict[str, list[bytes]]]:
    return [form(request) for request in server.requests if request.method == "POST"]


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("BASE_URL", "API_KEY", "MODEL", "STT_BASE_URL", "STT_API_KEY", "STT_MODEL"):
        monkeypatch.delenv(f"AGENTVOICE_OPENAI_{name}", raising=False)


@asynccontextmanager
async def asking(*answers: Answers, **options: Any) -> AsyncIterator[tuple[OpenAIRecognizer, Server]]:
    async with serve(*answers) as server:
        recognizer = OpenAIRecognizer(
            **{"model": "whisper-1", "base_url": f"{server.url}/v1", "api_key": "secret", **options}
        )
        yield recognizer, server
        await recognizer.aclose()


async def hear(listening: Listening, speech: bytes = SPEECH) -> Transcript:
    await listening.feed(speech)
    await listening.finalize()
    with fail_after(5):
        return await listening.transcripts.receive()


async def test_it_keeps_the_contract() -> None:
    async with asking(understanding) as (recognizer, _):
        await check_recognizer(lambda: recognizer, speech=SPEECH, understood=lambda text: text == "a table for two")


async def test_it_asks_as_the_endpoint_wants_it() -> None:
    async with (
        asking(understanding, language="en", prompt="Trattoria") as (recognizer, server),
        recognizer.listen(RATE) as listening,
    ):
        assert await hear(listening) == Transcript("a table for two", final=True, language="en")

    request = next(request for request in server.requests if request.method == "POST")
    fields = form(request)
    assert request.path == "/v1/audio/transcriptions"
    assert request.headers["authorization"] == "Bearer secret"
    with wave.open(io.BytesIO(fields.pop("file")[0])) as audio:
        assert audio.getparams()[:3] == (1, 2, RATE)
        assert audio.readframes(audio.getnframes()) == SPEECH
    assert fields == {
        "model": [b"whisper-1"],
        "response_format": [b"verbose_json"],
        "timestamp_granularities[]": [b"word", b"segment"],
        "language": [b"en"],
        "prompt": [b"Trattoria"],
    }


async def test_the_connection_is_opened_when_a_call_begins_and_kept() -> None:
    greeted = anyio.Event()

    def greeting(request: Request) -> Answer:
        greeted.set()
        return understanding(request)

    async with asking(greeting) as (recognizer, server), recognizer.listen(RATE) as listening:
        with fail_after(5):
            await greeted.wait()
        assert server.requests[0].path == "/v1/models"
        for _ in range(5):
            await hear(listening)

        assert server.connections <= 2, "the first segment may come before the greeting is over"


async def test_the_next_segment_does_not_wait_for_the_last_to_be_understood() -> None:
    both = anyio.Event()
    segments: list[Request] = []

    def slow(request: Request) -> Answer:
        if request.method == "GET":
            return understanding(request)
        segments.append(request)
        if len(segments) == 2:
            both.set()
        return Answer([60.0], headers=JSON)

    async with asking(slow) as (recognizer, _), recognizer.listen(RATE) as listening:
        for _ in range(2):
            await listening.feed(SPEECH)
            await listening.finalize()
        with fail_after(5):
            await both.wait()


async def test_a_model_that_knows_no_times_is_asked_without_from_then_on() -> None:
    said = "response_format 'verbose_json' is not compatible with model 'm'. Use 'json' or 'text' instead."
    refusal = answer({"error": {"message": said, "code": "unsupported_value"}}, 400)
    async with (
        asking(refusing(refusal), model="m", words=True) as (recognizer, server),
        recognizer.listen(RATE) as listening,
    ):
        assert (await hear(listening)).text == "a table for two"
        assert (await hear(listening)).text == "a table for two"

    assert [fields["response_format"] for fields in posts(server)] == [[b"verbose_json"], [b"json"], [b"json"]]


async def test_what_is_too_short_for_the_endpoint_says_nothing() -> None:
    said = "Audio file is too short. Minimum audio length is 0.1 seconds."
    refusal = answer({"error": {"message": said, "code": "audio_too_short", "param": "file"}}, 400)
    async with asking(refusing(refusal)) as (recognizer, _), recognizer.listen(RATE) as listening:
        assert await hear(listening) == Transcript("", final=True)
        assert (await hear(listening)).text == "a table for two"


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (answer({"error": {"message": "bad key"}}, 401), ProviderRejected, "AGENTVOICE_OPENAI_STT_API_KEY.*; bad key"),
        (answer({}, 404), ProviderRejected, "check AGENTVOICE_OPENAI_STT_MODEL and AGENTVOICE_OPENAI_STT_BASE_URL"),
        (answer({"error": {"message": "Invalid language 'xx'"}}, 400), ProviderRejected, "Invalid language 'xx'"),
        (answer({"error": {"code": "insufficient_quota"}}, 429), ProviderRejected, "429"),
        (Answer([b"{}"], 429, {"retry-after": "7"}), ProviderUnavailable, "too many requests; {}; it asks to wait 7 s"),
        (answer({"error": {"message": "overloaded"}}, 503), ProviderUnavailable, "answers 503; overloaded"),
        (Answer([b"<html>"]), ProviderUnavailable, "its answer makes no sense"),
        (answer({"segments": []}), ProviderUnavailable, "its answer makes no sense: there is no text in it"),
        (answer({"text": "a", "words": [{"start": "?"}]}), ProviderUnavailable, "its answer makes no sense"),
        (Answer([b'{"text": '], breaks=True), ProviderUnavailable, "broke off"),
    ],
)
async def test_what_can_go_wrong_is_told_as_what_it_is(reply: Answer, kind: type[ProviderError], says: str) -> None:
    def everything(request: Request) -> Answer:
        return reply if request.method == "POST" else understanding(request)

    async with asking(everything) as (recognizer, _):
        with pytest.raises(kind, match=f"^openai: .*{says}"):
            async with recognizer.listen(RATE) as listening:
                await hear(listening)


async def test_nobody_there_may_pass() -> None:
    with pytest.raises(ProviderUnavailable, match=r"^openai: nobody answers at http://127.0.0.1:9$"):
        async with OpenAIRecognizer(model="m", base_url="http://127.0.0.1:9").listen(RATE) as listening:
            await hear(listening)


async def test_a_wrong_key_is_told_when_the_call_begins() -> None:
    async with asking(answer({"error": {"message": "bad key"}}, 401)) as (recognizer, server):
        with pytest.raises(ProviderRejected, match="bad key"):
            async with recognizer.listen(RATE) as listening:
                await listening.transcripts.receive()
    assert [request.method for request in server.requests] == ["GET"]


async def test_who_leaves_closes_the_connection_at_once() -> None:
    asked = anyio.Event()

    def never(request: Request) -> Answer:
        if request.method == "GET":
            return understanding(request)
        asked.set()
        return Answer([60.0], headers=JSON)

    async with asking(never) as (recognizer, server):
        async with recognizer.listen(RATE) as listening:
            await listening.feed(SPEECH)
            await listening.finalize()
            with fail_after(5):
                await asked.wait()
            left_at = time.perf_counter()
        request = next(request for request in server.requests if request.method == "POST")
        with fail_after(0.5):
            await request.left.wait()
    print(f"leaving to closed connection {1000 * (time.perf_counter() - left_at):.1f} ms")  # noqa: T201


# ------------------------------------------------------------------ settings


def test_it_is_found_by_its_name() -> None:
    assert load("recognizer", "openai") is OpenAIRecognizer


def test_what_has_to_be_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="AGENTVOICE_OPENAI_STT_MODEL"):
        OpenAIRecognizer()
    monkeypatch.setenv("AGENTVOICE_OPENAI_STT_MODEL", "gpt-transcribe")
    with pytest.raises(UsageError, match="AGENTVOICE_OPENAI_API_KEY, or another AGENTVOICE_OPENAI_STT_BASE_URL"):
        OpenAIRecognizer()
    monkeypatch.setenv("AGENTVOICE_OPENAI_API_KEY", "secret")
    OpenAIRecognizer()
    monkeypatch.setenv("AGENTVOICE_OPENAI_STT_BASE_URL", "localhost:8000")
    with pytest.raises(UsageError, match="AGENTVOICE_OPENAI_STT_BASE_URL='localhost:8000'"):
        OpenAIRecognizer()


def test_the_settings_of_the_recogniser_and_of_the_model_get_along(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MODEL": "m", "STT_MODEL": "whisper-1", "API_KEY": "secret", "STT_WORDS": "false"}.items():
        monkeypatch.setenv(f"AGENTVOICE_OPENAI_{name}", value)
    OpenAI()
    OpenAIRecognizer()


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"BASE_URL": "{url}", "API_KEY": "general"}, "Bearer general"),
        ({"BASE_URL": "{url}", "API_KEY": "general", "STT_API_KEY": "own"}, "Bearer own"),
        ({"STT_BASE_URL": "{url}", "API_KEY": "general", "STT_API_KEY": "own"}, "Bearer own"),
        ({"STT_BASE_URL": "{url}", "API_KEY": "general"}, None),
    ],
)
async def test_a_key_is_shown_only_to_the_endpoint_it_is_for(
    settings: dict[str, str], shown: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(understanding) as server:
        for name, value in {"STT_MODEL": "m", **settings}.items():
            monkeypatch.setenv(f"AGENTVOICE_OPENAI_{name}", value.format(url=server.url))
        recognizer = OpenAIRecognizer()
        async with recognizer.listen(RATE) as listening:
            await hear(listening)
        await recognizer.aclose()

    assert {request.headers.get("authorization") for request in server.requests} == {shown}
