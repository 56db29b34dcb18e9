"""The doors of the speech server on real sockets: handshakes, refusals, HTTP."""

from __future__ import annotations

import io
import json
import socket as sockets
import ssl
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agentvoice.audio import AudioFormat, Encoding
from agentvoice.errors import AssetUnavailable, UsageError
from agentvoice.interfaces import SpokenPiece
from agentvoice.server.serve import Tls
from agentvoice.speech.limits import Limits
from agentvoice.speech.serve import serve
from agentvoice.speech.tone import ToneEngine, seconds
from agentvoice.tts.wire import Done, Failure, Response, parse_response

pytestmark = [pytest.mark.anyio, pytest.mark.sockets]

RAW = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}
PLAIN: dict[str, Any] = {
    "context_id": "a",
    "model_id": "sonic",
    "voice": "tone",
    "transcript": "Hello.",
    "output_format": RAW,
}
VERSION = {"Cartesia-Version": "2026-03-01"}
Serving = Callable[..., Any]


async def ask(socket: ClientConnection, **members: Any) -> list[Response]:
    await socket.send(json.dumps(PLAIN | members))
    replies: list[Response] = []
    while not replies or not isinstance(replies[-1], Done | Failure):
        replies.append(parse_response(await socket.recv()))
    return replies


# ------------------------------------------------------------------ the handshake


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"Authorization": "Bearer sk_car_test"}),
        ("", {"X-API-Key": "sk_car_test"}),
        ("?api_key=sk_car_test", {}),
        ("?access_token={token}", {}),
        ("?api_key=sk_car_test&cartesia_client=js&unknown=1", {"X-Stainless-Lang": "python"}),
    ],
)
async def test_there_are_four_ways_in(server: Any, query: str, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=server.http, headers={"X-API-Key": server.key}) as http:
        token = (await http.post("/access-token", json={"expires_in": 60})).json()["token"]
    url = f"{server.ws}/tts/websocket{query.format(token=token)}"
    async with connect(url, additional_headers=headers) as socket:
        assert socket.response is not None
        assert len(socket.response.headers["X-Request-Id"]) == 36
        assert isinstance((await ask(socket))[-1], Done)


@pytest.mark.parametrize("key", ["", "?api_key=wrong", "?access_token=1.2"])
async def test_a_wrong_key_is_refused_before_the_upgrade(server: Any, key: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.ws}/tts/websocket{key}", additional_headers=VERSION).__aenter__()
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["title"] == "Unauthorized"
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.ws}/tts/websocket{key}").__aenter__()
    assert refused.value.response.body.startswith(b"Unauthorized: ")


async def test_a_wrong_path_is_not_found(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.ws}/tts/socket?api_key={server.key}").__aenter__()
    assert refused.value.response.status_code == 404
    assert not caplog.records, "a refusal is no error of the server"


async def test_the_version_of_the_query_wins(server: Any) -> None:
    url = f"{server.ws}/tts/websocket?api_key={server.key}&cartesia_version=2024-11-13"
    async with connect(url, additional_headers=VERSION) as socket:
        await socket.send(json.dumps(PLAIN | {"voice": "nobody"}))
        assert "error" in json.loads(await socket.recv())


async def test_too_many_sockets_are_refused_with_429(serving: Serving) -> None:
    server = serving(max_contexts=0)
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.ws}/tts/websocket?api_key={server.key}", additional_headers=VERSION).__aenter__()
    assert refused.value.response.status_code == 429
    assert json.loads(refused.value.response.body)["error_code"] == "concurrency_limited"


async def test_an_idle_socket_is_closed_as_the_real_service_does(serving: Serving) -> None:
    server = serving(limits=Limits(idle_s=0.2))
    async with connect(f"{server.ws}/tts/websocket?api_key={server.key}") as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert (socket.close_code, socket.close_reason) == (1000, "connection idle timeout")


async def test_a_message_of_a_megabyte_ends_its_socket_and_not_the_server(server: Any) -> None:
    url = f"{server.ws}/tts/websocket?api_key={server.key}"
    async with connect(url) as socket:
        with pytest.raises(ConnectionClosed):  # noqa: PT012
            await socket.send("x" * (1 << 20 | 1))
            await socket.recv()
        assert socket.close_code == 1009
    async with connect(url) as socket:
        assert isinstance((await ask(socket))[-1], Done)


async def test_nonsense_is_answered_and_the_socket_lives(server: Any) -> None:
    async with connect(f"{server.ws}/tts/websocket?api_key={server.key}", additional_headers=VERSION) as socket:
        for nonsense in ("no json", b"\x00\xff", "[]", '{"context_id": 5}', "[" * 100_000):
            await socket.send(nonsense)
            assert isinstance(parse_response(await socket.recv()), Failure)
        assert isinstance((await ask(socket))[-1], Done)


async def test_a_connection_that_breaks_on_purpose_breaks_without_a_word(serving: Serving) -> None:
    server = serving(faults=["drop:bytes=500"])
    async with connect(f"{server.ws}/tts/websocket?api_key={server.key}") as socket:
        with pytest.raises(ConnectionClosed) as broken:  # noqa: PT012
            await socket.send(json.dumps(PLAIN))
            while isinstance(await socket.recv(), str):
                pass
    assert socket.close_code == 1006
    assert broken.value.rcvd is None


async def test_a_client_that_does_not_read_costs_some_megabytes_at_most(serving: Serving) -> None:
    class Counting(ToneEngine):
        made = 0

        def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:
            for _ in range(20_000 if text == "For ever." else 1):
                self.made += 16000
                yield SpokenPiece(bytes(16000))

    engine = Counting()
    server = serving(engine)
    url = f"{server.ws}/tts/websocket?api_key={server.key}"
    async with connect(url, max_queue=1) as deaf, connect(url) as other:
        await deaf.send(json.dumps(PLAIN | {"transcript": "For ever."}))
        before = -1
        with anyio.fail_after(10):
            while engine.made != before:  # until it makes no more
                before = engine.made
                await anyio.sleep(0.2)
        assert 0 < engine.made < 8_000_000 * 2  # two bytes here are one on the wire
        assert isinstance((await ask(other))[-1], Done)
        deaf.transport.abort()


async def test_pings_are_answered(server: Any) -> None:
    async with connect(f"{server.ws}/tts/websocket?api_key={server.key}") as socket:
        with anyio.fail_after(2):
            await (await socket.ping())


async def test_it_works_over_tls(serving: Serving, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    await anyio.run_process([*command.split(), *names], stderr=subprocess.DEVNULL)
    server = serving(tls=Tls(cert, key))
    trust = ssl.create_default_context(cafile=cert)
    url = f"wss://localhost:{server.port}/tts/websocket?api_key={server.key}"
    async with connect(url, ssl=trust, host="127.0.0.1") as socket:
        assert isinstance((await ask(socket))[-1], Done)


# ------------------------------------------------------------------ web pages

HERE, ELSEWHERE = "http://localhost:5173", "https://example.com"


async def preflight(server: Any, origin: str) -> httpx.Response:
    wants = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    async with httpx.AsyncClient(base_url=server.http) as browser:
        return await browser.options("/tts/bytes", headers={"Origin": origin} | wants)


async def test_with_a_key_pages_from_everywhere_may_ask(server: Any) -> None:
    asked = await preflight(server, ELSEWHERE)
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == ELSEWHERE
    assert asked.headers["access-control-allow-headers"] == "authorization,content-type"
    async with httpx.AsyncClient(base_url=server.http, headers={"Origin": ELSEWHERE}) as browser:
        assert (await browser.post("/tts/bytes", json=PLAIN)).status_code == 401
        answer = await browser.post("/tts/bytes", json=PLAIN, headers={"Authorization": f"Bearer {server.key}"})
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE
    assert "x-request-id" in answer.headers["access-control-expose-headers"]


async def test_a_browser_speaks_with_a_token_in_the_address_alone(server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.http, headers={"X-API-Key": server.key}) as http:
        token = (await http.post("/access-token", json={"grants": {"tts": True}})).json()["token"]
    query = f"cartesia_version=2026-03-01&access_token={token}&cartesia_client=cartesia-js/4.2.0"
    async with connect(f"{server.ws}/tts/websocket?{query}", origin=ELSEWHERE) as socket:  # type: ignore[arg-type]
        assert isinstance((await ask(socket))[-1], Done)


async def test_without_a_key_only_pages_of_this_machine_and_named_ones_may(serving: Serving) -> None:
    server = serving(api_key=None, allow_origins=["https://named.example"])
    for origin, status in ((HERE, 200), ("https://named.example", 200), (ELSEWHERE, 400), ("null", 400)):
        assert (await preflight(server, origin)).status_code == status
    async with httpx.AsyncClient(base_url=server.http) as browser:
        assert (await browser.post("/tts/bytes", json=PLAIN, headers={"Origin": HERE})).status_code == 200
        refused = await browser.post("/tts/bytes", json=PLAIN, headers={"Origin": ELSEWHERE} | VERSION)
    assert refused.status_code == 403
    assert "start it with --allow-origin https://example.com" in refused.json()["message"]
    async with connect(f"{server.ws}/tts/websocket", origin=HERE) as socket:  # type: ignore[arg-type]
        assert isinstance((await ask(socket))[-1], Done)
    with pytest.raises(InvalidStatus) as shut:
        await connect(f"{server.ws}/tts/websocket", origin=ELSEWHERE).__aenter__()  # type: ignore[arg-type]
    assert shut.value.response.status_code == 403


# ------------------------------------------------------------------ HTTP


@pytest.fixture
async def http(server: Any) -> Any:
    headers = {"X-API-Key": server.key} | VERSION
    async with httpx.AsyncClient(base_url=server.http, headers=headers) as client:
        yield client


async def test_one_text_is_a_stream_of_audio(http: httpx.AsyncClient) -> None:
    answer = await http.post("/tts/bytes", json=PLAIN)
    assert answer.status_code == 200
    assert len(answer.content) / 8000 == pytest.approx(seconds("Hello."), abs=0.001)
    assert len(answer.headers["x-request-id"]) == 36


@pytest.mark.parametrize(("encoding", "kind"), [("pcm_s16le", 1), ("pcm_f32le", 3), ("pcm_alaw", 6), ("pcm_mulaw", 7)])
async def test_a_wav_has_a_header_without_a_length(http: httpx.AsyncClient, encoding: str, kind: int) -> None:
    output = {"container": "wav", "encoding": encoding, "sample_rate": 8000}
    answer = await http.post("/tts/bytes", json=PLAIN | {"output_format": output})
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.content[4:8] == b"\xff\xff\xff\xff"
    assert int.from_bytes(answer.content[20:22], "little") == kind
    audio = AudioFormat(Encoding(encoding), 8000)
    assert audio.seconds(len(answer.content) - 44) == pytest.approx(seconds("Hello."), abs=0.001)


async def test_mp3_is_spoken_where_an_encoder_is_installed(http: httpx.AsyncClient) -> None:
    output = {"container": "mp3", "sample_rate": 24000, "bit_rate": 64000}
    answer = await http.post("/tts/bytes", json=PLAIN | {"output_format": output})
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.content[0] == 0xFF  # a frame's sync word
    assert answer.content[1] & 0xE0 == 0xE0
    assert len(answer.content) * 8 / 64000 == pytest.approx(seconds("Hello."), abs=0.15)
    answer = await http.post("/tts/bytes", json=PLAIN | {"output_format": output | {"bit_rate": 5}})
    assert "bit_rate must be one of" in answer.json()["message"]


async def test_without_an_encoder_mp3_is_an_unsupported_format(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lameenc", None)
    output = {"container": "mp3", "sample_rate": 24000, "bit_rate": 64000}
    answer = await http.post("/tts/bytes", json=PLAIN | {"output_format": output})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "unsupported_audio_format")


async def test_a_preview_that_cannot_be_made_says_so(serving: Serving) -> None:
    server = serving(max_contexts=0)
    async with httpx.AsyncClient(base_url=server.http, headers={"X-API-Key": server.key}) as http:
        assert (await http.get("/voices/tone/preview")).status_code == 429


@pytest.mark.parametrize("path", ["/tts/bytes", "/tts/sse"])
async def test_an_answer_that_breaks_off_on_purpose_is_not_whole(serving: Serving, path: str) -> None:
    server = serving(faults=["drop:bytes=1"])
    async with httpx.AsyncClient(base_url=server.http, headers={"X-API-Key": server.key}) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(path, json=PLAIN)
        assert (await http.get("/voices/tone/preview")).status_code == 200  # that is nobody's conversation
        assert (await http.get("/health")).json()["contexts"] == 0


async def test_events_are_named_by_their_type(http: httpx.AsyncClient) -> None:
    answer = await http.post("/tts/sse", json=PLAIN | {"add_timestamps": True, "context_id": "mine"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [block.split("\n", 1) for block in answer.text.strip().split("\n\n")]
    assert [name for name, _ in events][-1] == "event: done"
    assert "event: timestamps" in [name for name, _ in events]
    assert all(json.loads(data.removeprefix("data: "))["context_id"] == "mine" for _, data in events)


@pytest.mark.parametrize("path", ["/tts/bytes", "/tts/sse"])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (PLAIN | {"voice": "nobody"}, 404, "voice_not_found"),
        (PLAIN | {"model_id": "no-such"}, 404, "model_not_found"),
        (PLAIN | {"output_format": RAW | {"sample_rate": 40}}, 400, "unsupported_audio_format"),
        (PLAIN | {"output_format": {"container": "ogg"}}, 400, "unsupported_audio_format"),
        (PLAIN | {"output_format": None}, 400, "unsupported_audio_format"),
        (PLAIN | {"transcript": "..."}, 400, None),
        (PLAIN | {"transcript": ""}, 400, None),
        ([], 400, None),
        ({"cancel": True, "context_id": "a"}, 400, None),
    ],
)
async def test_what_cannot_be_spoken_is_an_error_of_http(
    http: httpx.AsyncClient, path: str, body: object, status: int, code: str | None
) -> None:
    answer = await http.post(path, json=body)
    assert answer.status_code == status
    assert answer.json()["error_code"] == code
    assert answer.json()["request_id"]
    old = await http.post(path, json=body, headers={"Cartesia-Version": "2025-04-16"})
    assert old.headers["content-type"].startswith("text/plain")
    assert ": " in old.text


async def test_bodies_that_are_no_json_or_too_large_are_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post("/tts/bytes", content=b"{")).status_code == 400
    assert (await http.post("/tts/bytes", content=b" " * (1 << 20 | 1))).status_code == 413
    assert (await http.post("/access-token", content=b"{")).status_code == 400


async def test_http_counts_against_the_same_limit(serving: Serving) -> None:
    server = serving(max_contexts=1)
    async with (
        connect(f"{server.ws}/tts/websocket?api_key={server.key}") as socket,
        httpx.AsyncClient(base_url=server.http, headers={"X-API-Key": server.key}) as http,
    ):
        await socket.send(json.dumps(PLAIN | {"continue": True}))
        await socket.recv()
        assert (await http.post("/tts/bytes", json=PLAIN)).status_code == 429
        await socket.send(json.dumps({"context_id": "a", "cancel": True}))
        with anyio.fail_after(2):
            while (await http.post("/tts/bytes", json=PLAIN)).status_code != 200:
                pass


async def test_a_listener_that_leaves_stops_the_speech(http: httpx.AsyncClient) -> None:
    book = PLAIN | {"transcript": "A book that goes on and on. " * 4000}
    async with http.stream("POST", "/tts/bytes", json=book) as answer:
        async for _ in answer.aiter_bytes():
            break
    with anyio.fail_after(5):
        while (await http.get("/health")).json()["contexts"]:
            pass


async def test_voices_and_their_previews(http: httpx.AsyncClient) -> None:
    voices = (await http.get("/voices?limit=1")).json()
    assert (voices["data"][0]["id"], voices["has_more"], voices["next_page"]) == ("tone", True, "tone")
    assert (await http.get("/voices/tone")).json()["name"] == "Tone"
    assert (await http.get("/voices/nobody")).json()["title"] == "Not found"
    preview = await http.get(voices["data"][0]["preview_file_url"])
    assert preview.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(preview.content)) as file:
        assert file.getframerate() == 24000
        text = "Hello, I am Tone. This is how I sound."
        assert file.getnframes() / 24000 == pytest.approx(sum(map(seconds, text.split())), abs=0.001)
    assert (await http.get("/voices/tone/preview")).content == preview.content
    assert (await http.get("/voices/nobody/preview")).status_code == 404


@pytest.mark.parametrize("seconds", [0, -1, 3601, "long"])
async def test_a_token_lives_an_hour_at_most(http: httpx.AsyncClient, seconds: object) -> None:
    assert (await http.post("/access-token", json={"expires_in": seconds})).status_code == 400


async def test_a_token_expires(http: httpx.AsyncClient, server: Any) -> None:
    token = (await http.post("/access-token", json={"expires_in": 0.05})).json()["token"]
    await anyio.sleep(0.06)
    with pytest.raises(InvalidStatus):
        await connect(f"{server.ws}/tts/websocket?access_token={token}").__aenter__()


async def test_everything_but_what_watches_needs_the_key(server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.http) as stranger:
        for path in ("/voices", "/voices/tone"):
            assert (await stranger.get(path)).status_code == 401
        assert (await stranger.get("/voices/tone/preview")).status_code == 200  # `<audio>` has no key to show
        for path in ("/tts/bytes", "/tts/sse", "/access-token"):
            assert (await stranger.post(path, json=PLAIN)).status_code == 401
        assert (await stranger.get("/")).json()["ok"] is True
        assert (await stranger.get("/health")).json()["ok"] is True
        assert "agentvoice_speech_contexts 0" in (await stranger.get("/metrics")).text
        assert (await stranger.get("/nope")).status_code == 404
        assert (await stranger.get("/tts/bytes")).status_code == 405


# ------------------------------------------------------------------ starting


async def test_a_port_in_use_is_one_line() -> None:
    with sockets.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="in use"):
        await serve(ToneEngine(), port=taken.getsockname()[1])


async def test_more_than_this_machine_needs_a_key_or_a_word() -> None:
    with pytest.raises(UsageError, match="give it a key with --api-key"):
        await serve(ToneEngine(), host="0.0.0.0")


async def test_being_open_to_all_can_be_asked_for() -> None:
    ready = anyio.Event()
    async with anyio.create_task_group() as group:

        async def run() -> None:
            await serve(ToneEngine(), host="0.0.0.0", port=0, open_to_all=True, on_ready=lambda _: ready.set())

        group.start_soon(run)
        with anyio.fail_after(5):
            await ready.wait()
        group.cancel_scope.cancel()


async def test_a_voice_that_cannot_be_had_is_said_before_anything_listens() -> None:
    class Missing(ToneEngine):
        def prepare(self) -> None:
            raise AssetUnavailable("no voice; try again with a network")

    with pytest.raises(AssetUnavailable, match="try again"):
        await serve(Missing(), port=0)
