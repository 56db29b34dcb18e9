"""Both recognisers over real sockets, and what Deepgram's own SDK sends to the same stand-in."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from anyio import fail_after, sleep_forever
from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.events import CallerTurnEnded
from agentvoice.testing.lexicon import Lexicon
from agentvoice_deepgram import Deepgram, DeepgramFlux

from .service import Closed, _Endpoint, endpoint

pytestmark = pytest.mark.sockets


@dataclass
class Stand:
    """The stand-in behind a socket of this machine."""

    lexicon: Lexicon = field(default_factory=Lexicon)
    streams: list[_Endpoint] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """What was asked for, and the authorization."""
    url: str = ""
    hangs_up: bool = False
    """Whether it does so as soon as it is sent anything."""
    over: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def finished(self, streams: int) -> list[_Endpoint]:
        """Wait until so many streams are over, and return them."""
        for _ in range(streams):
            assert self.over.acquire(timeout=5)
        return self.streams

    def refuse(self, socket: ServerConnection, request: Any) -> Any:
        key = request.headers.get("Authorization")
        self.requests.append((request.path, key))
        if key == "Token k":
            return None
        busy = key == "Token busy"
        return socket.respond(
            429 if busy else 401, '{"err_msg":"Too Many Requests"}' if busy else "Invalid credentials."
        )

    def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        one = endpoint(socket.request.path, self.lexicon.hear, time.monotonic())
        self.streams.append(one)
        self.say(socket, one.greet())
        try:
            for message in socket:
                self.say(socket, one.take(message, time.monotonic()))
                if self.hangs_up:
                    one.expire()
        except Closed as closed:
            socket.close(closed.code, closed.reason)
        self.over.release()

    def say(self, socket: ServerConnection, answers: list[dict[str, Any]]) -> None:
        for answer in answers:
            with suppress(ConnectionClosed):  # there may be more to read
                socket.send(json.dumps(answer))


@pytest.fixture
def stand() -> Iterator[Stand]:
    stand = Stand()
    with serve(stand.serve, "127.0.0.1", 0, process_request=stand.refuse, close_timeout=0.1) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        stand.url = f"ws://127.0.0.1:{port_of(server)}"
        yield stand
        server.shutdown()
        thread.join(5)


def port_of(server: Server) -> int:
    port: int = server.socket.getsockname()[1]
    return port


Run = Callable[[Callable[[], Any]], None]


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a function in real time."""

    def run(function: Callable[[], Any]) -> None:
        async def bounded() -> None:
            with fail_after(10):
                await function()

        anyio.run(bounded, backend=request.param)

    return run


def test_nova_over_a_socket(stand: Stand, run: Run) -> None:
    speech = stand.lexicon.say("a table for two people tonight")

    async def main() -> None:
        async with Deepgram(api_key="k", url=stand.url).listen(8000) as listening:
            for text in ("a table for two people tonight", ""):
                await listening.feed(speech if text else b"")
                await listening.finalize()
                while not (heard := await listening.transcripts.receive()).final:
                    pass
                assert heard.text == text

    run(main)
    ((path, key),) = stand.requests
    assert path.startswith("/v1/listen?model=nova-3&")
    assert key == "Token k"
    (stream,) = stand.finished(1)
    assert stream.said[-1] == '{"type":"CloseStream"}'


def test_flux_over_a_socket(stand: Stand, run: Run) -> None:
    speech = stand.lexicon.say("a table for two")

    async def main() -> None:
        async with DeepgramFlux(api_key="k", url=stand.url).follow(8000) as following:
            await following.feed(bytes(3200) + speech + bytes(16000))
            async for event in following.events:
                if isinstance(event, CallerTurnEnded):
                    assert event.text == "a table for two"
                    return

    run(main)


@pytest.mark.parametrize("make", [Deepgram, DeepgramFlux])
@pytest.mark.parametrize(
    ("key", "kind", "said"),
    [
        ("wrong", ProviderRejected, "401: check AGENTVOICE_DEEPGRAM_API_KEY: Invalid credentials"),
        ("busy", ProviderUnavailable, "429: too many streams at once: .*Too Many Requests"),
    ],
)
def test_a_refused_handshake_says_what_to_do(
    stand: Stand, run: Run, make: Any, key: str, kind: type[Exception], said: str
) -> None:
    recognizer = make(api_key=key, url=stand.url)

    async def main() -> None:
        with pytest.raises(kind, match=said):
            async with (recognizer.listen if make is Deepgram else recognizer.follow)(8000):
                pass

    run(main)


def test_nobody_there_may_pass(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ProviderUnavailable, match="cannot connect"):
            async with Deepgram(api_key="k", url="ws://127.0.0.1:9").listen(8000):
                pass

    run(main)


def test_a_service_that_hangs_up_says_why(stand: Stand, run: Run) -> None:
    stand.hangs_up = True

    async def main() -> None:
        async with Deepgram(api_key="k", url=stand.url).listen(8000):
            await sleep_forever()

    with pytest.raises(ProviderUnavailable, match=r"it has hung up: received 1011 .* NET-0001"):
        run(main)


# ------------------------------------------------------------------ Deepgram's own SDK


def sdk(stand: Stand) -> DeepgramClient:
    here = DeepgramClientEnvironment(base=stand.url, production=stand.url, agent=stand.url, agent_rest=stand.url)
    return DeepgramClient(api_key="k", environment=here)


def query(path: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(path).query)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's own business
def test_nova_is_spoken_to_as_deepgrams_own_sdk_does(stand: Stand, run: Run) -> None:
    speech = stand.lexicon.say("a table for two")
    options: dict[str, Any] = {"model": "nova-3", "language": "en", "encoding": "linear16", "sample_rate": 8000}
    options |= {"channels": 1, "interim_results": True, "punctuate": True, "endpointing": False}
    options |= {"keyterm": ["Blue Fig", "Anna"]}
    with sdk(stand).listen.v1.connect(**options) as theirs:
        for at in range(0, len(speech), 1280):
            theirs.send_media(speech[at : at + 1280])
        theirs.send_finalize()
        theirs.send_keep_alive()
        while not getattr(heard := theirs.recv(), "from_finalize", False):
            pass
        theirs.send_close_stream()
    assert heard.channel.alternatives[0].transcript == "a table for two"

    async def main() -> None:
        async with Deepgram(api_key="k", url=stand.url, keyterms=["Blue Fig", "Anna"]).listen(8000) as listening:
            await listening.feed(speech)
            await listening.finalize()
            while not (await listening.transcripts.receive()).final:
                pass

    run(main)
    (their_path, their_key), (our_path, our_key) = stand.requests
    assert urlsplit(our_path).path == urlsplit(their_path).path
    assert query(our_path) == query(their_path)
    assert our_key == their_key
    words = [[message for message in stream.said if isinstance(message, str)] for stream in stand.finished(2)]
    assert [json.loads(message) for message in words[0]] == [
        {"type": t} for t in ("Finalize", "KeepAlive", "CloseStream")
    ]
    assert [json.loads(message) for message in words[1]] == [{"type": t} for t in ("Finalize", "CloseStream")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's own business
def test_flux_is_spoken_to_as_deepgrams_own_sdk_does(stand: Stand, run: Run) -> None:
    speech = stand.lexicon.say("a table for two") + bytes(16000)
    options: dict[str, Any] = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": 8000}
    options |= {"eager_eot_threshold": 0.5, "eot_threshold": 0.8, "eot_timeout_ms": 3000, "keyterm": ["Anna", "Fig"]}
    with sdk(stand).listen.v2.connect(**options) as theirs:
        for at in range(0, len(speech), 1280):
            theirs.send_media(speech[at : at + 1280])
        while getattr(heard := theirs.recv(), "event", "") != "EndOfTurn":
            pass
        theirs.send_close_stream()
    assert heard.transcript == "a table for two"

    async def main() -> None:
        ours = DeepgramFlux(
            api_key="k", url=stand.url, eot_threshold=0.8, eot_timeout_ms=3000, keyterms=["Anna", "Fig"]
        )
        async with ours.follow(8000) as following:
            await following.feed(speech)
            while not isinstance(await following.events.receive(), CallerTurnEnded):
                pass

    run(main)
    (their_path, _), (our_path, _) = stand.requests
    assert urlsplit(our_path).path == urlsplit(their_path).path
    assert query(our_path) == query(their_path)
    assert [json.loads(str(stream.said[-1])) for stream in stand.finished(2)] == [{"type": "CloseStream"}] * 2
