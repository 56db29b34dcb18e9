"""Cartesia's plugin, against the project's own speech server."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from agentvoice.errors import ProviderRejected, ProviderUnavailable, UsageError
from agentvoice.interfaces import Voice
from agentvoice.plugins import load
from agentvoice.testing.contracts.synthesizer import check_synthesizer
from agentvoice.testing.speech_server import KEY, speech_server
from agentvoice.voicing import Voicing
from agentvoice_cartesia import Cartesia

VOICING = Voicing("tone")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the tone engine in a thread, on any free port."""
    with speech_server() as server:
        yield server.http


@pytest.mark.sockets
async def test_it_keeps_the_contract(url: str) -> None:
    await check_synthesizer(lambda: Cartesia(url=url, api_key=KEY, voicing=Voicing("tone", language="en")))


@pytest.mark.sockets
async def test_it_is_found_by_name_and_reads_the_environment(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARTESIA_API_KEY", KEY)
    monkeypatch.setenv("CARTESIA_VOICE", "tone")
    monkeypatch.setenv("CARTESIA_BASE_URL", url + "/")
    await check_synthesizer(load("synthesizer", "cartesia"))


@pytest.mark.sockets
async def test_an_access_token_will_do(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": KEY}) as client:
        answer = await client.post("/access-token", json={"grants": {"tts": True}, "expires_in": 60})
    async with Cartesia(url=url, access_token=answer.json()["token"], voicing=VOICING) as tts:
        assert await tts.voices()


@pytest.mark.sockets
async def test_a_wrong_key_is_rejected(url: str) -> None:
    tts = Cartesia(url=url, api_key="wrong", voicing=VOICING)
    with pytest.raises(ProviderRejected, match=r"^cartesia: .*check the API key"):
        async with tts:
            pass
    with pytest.raises(ProviderRejected, match="check the API key"):
        await tts.voices()


@pytest.mark.sockets
async def test_it_lists_the_voices(url: str) -> None:
    voices = await Cartesia(url=url, api_key=KEY, voicing=VOICING).voices()
    assert voices[0] == Voice("tone", "Tone", "en", "Each word a tone, for tests.")
    assert await Cartesia(url=url, api_key=KEY, voicing=VOICING).voices(language="xx") == []


@pytest.mark.parametrize("missing", ["CARTESIA_API_KEY", "CARTESIA_VOICE"])
def test_what_is_missing_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARTESIA_API_KEY", KEY)
    monkeypatch.setenv("CARTESIA_VOICE", "tone")
    monkeypatch.delenv(missing)
    with pytest.raises(UsageError, match=missing):
        Cartesia()


class Pages:
    """Answers requests for voices, one page after the other."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(dict(request.url.params))
        if not self.answers:
            raise httpx.ConnectError("nobody there")
        return self.answers.pop(0)


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> Pages:
    pages = Pages(*answers)
    client = partial(httpx.AsyncClient, transport=httpx.MockTransport(pages))
    monkeypatch.setattr("agentvoice_cartesia._voices.httpx.AsyncClient", client)
    return pages


async def test_all_pages_of_voices_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = answering(
        monkeypatch,
        httpx.Response(200, json={"data": [{"id": "a", "name": "A", "language": "en"}], "has_more": True}),
        httpx.Response(200, json={"data": [{"id": "b"}], "has_more": True}),
        httpx.Response(200, json={"data": [], "has_more": True}),
    )
    voices = await Cartesia(api_key=KEY, voicing=VOICING).voices(language="en")

    assert [voice.id for voice in voices] == ["a", "b"]
    assert [asked.get("starting_after") for asked in pages.asked] == [None, "a", "b"]
    assert {asked["language"] for asked in pages.asked} == {"en"}


async def test_voices_that_cannot_be_had_are_an_error_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    tts = Cartesia(api_key=KEY, voicing=VOICING)
    answering(monkeypatch, httpx.Response(503, text="busy"), httpx.Response(200, text="<html>"))
    with pytest.raises(ProviderUnavailable, match="503"):
        await tts.voices()
    with pytest.raises(ProviderUnavailable, match="makes no sense"):
        await tts.voices()
    with pytest.raises(ProviderUnavailable, match="cannot list the voices"):
        await tts.voices()
