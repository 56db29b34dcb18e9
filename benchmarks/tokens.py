"""How long a call keeps a token, and how long it takes to ask the model, over real sockets and in real time.

    python -m benchmarks.tokens                  # 1, 50 and 100 calls, 15 seconds each
    python -m benchmarks.tokens --calls 10

Every six seconds each call has its caller say something, and the model answer with thirty tokens a second. Each token
holds the time at which it was yielded, and ends a sentence, so that nothing has to wait for more; the stub of a speech
provider, a process of its own, notes when it arrives there. The end of an utterance is when its silence has lasted, to
the millisecond, whenever the loop gets round to noticing.
"""

from __future__ import annotations

import argparse
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from time import perf_counter, perf_counter_ns

import anyio
from anyio import current_time
from websockets.asyncio.server import ServerConnection, serve

from agentvoice import Agent, Turn, logs
from agentvoice.call import Call
from agentvoice.endpointing import Endpointing
from agentvoice.events import SpeechStarted, SpeechStopped, Transcript
from agentvoice.interfaces import Transport
from agentvoice.manners import Manners
from agentvoice.server.app import create_app
from agentvoice.server.serve import serve_app
from agentvoice.streams import connect_websocket
from agentvoice.tts.connection import ContextSynthesizer

from .__main__ import percentile, process
from .framework import deaf
from .load import load

SILENCE_S = 0.1
NOISE = b64encode(b"\x20\xa0" * 400).decode()
TOKENS = 60
TOKEN_S = 1 / 30

asked: list[float] = []
"""Seconds from the end of an utterance to the model's request."""


class Clock(Agent):
    """Is asked by a key, and says what time it is."""

    sources = ()
    manners = Manners(endpointing=Endpointing(silence_s=SILENCE_S), speculate=False)

    async def on_dtmf(self, key: str) -> None:
        if key == "1":
            self.stopped_at = current_time()
            for event in (
                SpeechStarted(self.stopped_at),
                SpeechStopped(self.stopped_at),
                Transcript("What time is it?", final=True),
            ):
                self.call.deliver(event)

    async def reply(self, turn: Turn) -> AsyncIterator[str]:  # noqa: ARG002
        asked.append(current_time() - self.stopped_at - SILENCE_S)
        yield "A"
        for _ in range(TOKENS):
            yield f"nd now it is {perf_counter_ns()} so. A"
            await anyio.sleep(TOKEN_S)


class Host:
    def __init__(self, synthesizer: ContextSynthesizer) -> None:
        self._synthesizer = synthesizer
        self._calls = 0

    async def take(self, transport: Transport, *, call_id: str, **_: object) -> None:
        self._calls += 1
        await Call(f"{call_id}-{self._calls}", Clock(), transport, self._synthesizer, deaf).run()


async def agents(speech: str) -> None:
    logs.configure(level="error", format="json")
    async with ContextSynthesizer(partial(connect_websocket, speech)) as synthesizer:
        try:
            await serve_app(create_app(Host(synthesizer)), on_ready=lambda port: print(port, flush=True))
        finally:
            print(json.dumps(asked), flush=True)


async def listener() -> None:
    """Be a provider that makes a short noise in the end, and notes how old the times are that it is told."""
    ages: list[float] = []

    async def note(socket: ServerConnection) -> None:
        async for message in socket:
            now = perf_counter()
            request = json.loads(message)
            ages.extend(now - int(stamp) / 1e9 for stamp in re.findall(r"\d{9,}", request.get("transcript", "")))
            if not request.get("continue", True):
                head = {"context_id": request["context_id"], "status_code": 200}
                await socket.send(json.dumps({**head, "type": "chunk", "data": NOISE, "done": False}))
                await socket.send(json.dumps({**head, "type": "done", "done": True}))

    try:
        async with serve(note, "127.0.0.1", 0, compression=None) as server:
            print(next(iter(server.sockets)).getsockname()[1], flush=True)
            await anyio.sleep_forever()
    finally:
        print(json.dumps(ages), flush=True)


def measure(calls: int, seconds: float) -> None:
    with process("benchmarks.tokens", "--listen") as speech:
        with process("benchmarks.tokens", "--agents", f"ws://127.0.0.1:{speech.port}/") as server:
            url = f"ws://127.0.0.1:{server.port}/twilio/media"
            anyio.run(partial(load, url, calls, seconds), backend_options={"use_uvloop": True})
        requests = json.loads(server.last_words)
    tokens = json.loads(speech.last_words)
    print(f"\n{calls} calls at once, {seconds:.0f} s{'':24}p50        p99      count")
    for name, values in (
        ("token to its text on the speech socket, ms", tokens),
        ("end of utterance to the model's request, ms", requests),
    ):
        low, high = 1e3 * percentile(values, 0.5), 1e3 * percentile(values, 0.99)
        print(f"  {name:44}{low:7.2f}    {high:7.2f}    {len(values):7}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tokens", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 50, 100], help="how many at once")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each lasts")
    parser.add_argument("--agents", help=argparse.SUPPRESS)
    parser.add_argument("--listen", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    with suppress(KeyboardInterrupt):
        if wanted.listen:
            anyio.run(listener)
        elif wanted.agents:
            anyio.run(agents, wanted.agents, backend_options={"use_uvloop": True})
        else:
            for calls in wanted.calls:
                measure(calls, wanted.seconds)


if __name__ == "__main__":
    main()
