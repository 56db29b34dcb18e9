"""The client of the context protocol against the project's own speech server, over real sockets, on both loops."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import pytest
from anyio import fail_after

from agentvoice.audio import TELEPHONE, AudioFormat, Encoding
from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.events import ContextDone, ContextFailed
from agentvoice.speech.limits import Limits as ServerLimits
from agentvoice.streams import connect_websocket
from agentvoice.testing.contracts.synthesizer import Listener, check_synthesizer
from agentvoice.testing.speech_server import KEY, speech_server
from agentvoice.tts.connection import ContextSynthesizer
from agentvoice.tts.governor import Limits
from agentvoice.voicing import Voicing

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the tone engine in a thread, on any free port."""
    with speech_server() as server:
        yield server.socket


@pytest.fixture
def idle_url() -> Iterator[str]:
    """The same, but impatient."""
    with speech_server(limits=ServerLimits(idle_s=0.6, expiry_s=0.3)) as server:
        yield server.socket


Run = Callable[[Callable[[], Awaitable[None]]], None]


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    def run(function: Callable[[], Awaitable[None]]) -> None:
        async def bounded() -> None:
            with fail_after(20):
                await function()

        anyio.run(bounded, backend=request.param)

    return run


def synthesizer(url: str, *, key: str = KEY, voice: str = "tone", **options: Any) -> ContextSynthesizer:
    headers = {"X-API-Key": key, "Cartesia-Version": "2026-03-01"}
    return ContextSynthesizer(partial(connect_websocket, url, headers=headers), voicing=Voicing(voice), **options)


def say(tts: ContextSynthesizer, context_id: str, text: str = "Good evening. ", *, finish: bool = True) -> Listener:
    listener = Listener(context_id)
    tts.open(context_id, audio=TELEPHONE, deliver=listener)
    tts.send(context_id, text)
    if finish:
        tts.finish(context_id)
    return listener


@pytest.mark.parametrize("audio", [TELEPHONE, AudioFormat(Encoding.S16LE, 24000)])
def test_it_keeps_the_contract(url: str, run: Run, audio: AudioFormat) -> None:
    run(lambda: check_synthesizer(lambda: synthesizer(url), audio=audio))


def test_a_wrong_key_is_rejected_in_one_line(url: str, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ProviderRejected, match=r"^speech: .*status 401: check the API key.*$") as rejected:
            async with synthesizer(url, key="wrong"):
                pass
        assert "\n" not in str(rejected.value)

    run(main)


def test_a_wrong_path_is_rejected_in_one_line(url: str, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ProviderRejected, match="404: check the URL"):
            async with synthesizer(url.replace("/tts/", "/tss/")):
                pass

    run(main)


def test_no_server_is_unavailable(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ProviderUnavailable, match=r"^speech: cannot connect: .+$"):
            async with synthesizer("ws://127.0.0.1:9/tts/websocket"):
                pass

    run(main)


def test_an_unknown_voice_fails_its_context_for_good(url: str, run: Run) -> None:
    async def main() -> None:
        async with synthesizer(url, voice="nobody") as tts:
            bad = say(tts, "bad")
            await bad.ended.wait()
            assert isinstance(bad.events[-1], ContextFailed)
            assert not bad.events[-1].retryable

    run(main)


def test_a_hundred_contexts_share_two_sockets(url: str, run: Run) -> None:
    async def main() -> None:
        async with synthesizer(url, limits=Limits(per_socket=64, sockets=2)) as tts:
            listeners = [say(tts, f"c{number}") for number in range(100)]
            for listener in listeners:
                await listener.ended.wait()
                assert listener.events[-1] == ContextDone(listener.context_id)
                assert [word for word, _, _ in listener.words] == ["Good", "evening."]
            assert tts.counts["sockets"] == 2

    run(main)


def test_an_idle_close_is_silent(idle_url: str, run: Run) -> None:
    async def main() -> None:
        async with synthesizer(idle_url) as tts:
            await anyio.sleep(1)
            assert tts.counts["sockets"] >= 2
            listener = say(tts, "a")
            await listener.ended.wait()
            assert listener.events[-1] == ContextDone("a")

    run(main)


def test_a_slow_model_may_let_its_context_expire(idle_url: str, run: Run) -> None:
    async def main() -> None:
        async with synthesizer(idle_url) as tts:
            listener = say(tts, "a", finish=False)
            await listener.ended.wait()
            assert listener.events[-1] == ContextDone("a")

    run(main)
