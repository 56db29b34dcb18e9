"""What the speech server and the client of the context protocol cost, beside bare ones that do the same work.

    python -m benchmarks.speech_server        # a minute; `chrt -r 5` in front of it on a machine that has other work

Bare is: the same messages with the same audio over the same websockets library, with no contexts, no order and no
checks. Servers run in processes of their own and speak tones, made ahead.
"""

from __future__ import annotations

import argparse
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve as serve_websocket
from websockets.exceptions import ConnectionClosed

from agentvoice import logs
from agentvoice.audio import TELEPHONE, from_linear
from agentvoice.interfaces import SpokenPiece
from agentvoice.speech.limits import Limits
from agentvoice.speech.serve import serve
from agentvoice.speech.tone import ToneEngine
from agentvoice.streams import connect_websocket
from agentvoice.testing.contracts.synthesizer import Listener
from agentvoice.tts.connection import ContextSynthesizer
from agentvoice.tts.governor import Limits as ClientLimits
from agentvoice.voicing import Voicing

from .__main__ import Process, percentile, process

WORDS = "one two three four five six seven eight nine ten".split()
LONG = " ".join(WORDS * 20) + ". "
SHORT = "Yes. "
ROUNDS = 40
REPEATS = 30
CONTEXTS = 64
IDLE = 1000
BATCH = 50


# ---------------------------------------------------------------- servers


def say(text: str) -> list[SpokenPiece]:
    return list(ToneEngine().synthesize(text, voice="tone", speed=1.0, sample_rate=8000))


async def answer(spoken: dict[str, list[SpokenPiece]], socket: ServerConnection) -> None:
    cancelled: set[str] = set()

    async def speak(context_id: str, pieces: list[SpokenPiece]) -> None:
        head = {"context_id": context_id, "status_code": 206, "done": False}
        for piece in pieces:
            if context_id in cancelled:
                return
            words = piece.words
            times = {
                "words": [word.word for word in words],
                "start": [word.start_s for word in words],
                "end": [word.end_s for word in words],
            }
            await socket.send(json.dumps({**head, "type": "timestamps", "word_timestamps": times}))
            data = base64.b64encode(piece.pcm).decode()
            await socket.send(json.dumps({**head, "type": "chunk", "data": data, "step_time": 1.0}))
            await anyio.lowlevel.checkpoint()
        await socket.send(json.dumps({**head, "type": "done", "done": True}))

    with suppress(ConnectionClosed, BaseExceptionGroup):
        async with anyio.create_task_group() as group:
            async for message in socket:
                request = json.loads(message)
                if request.get("cancel"):
                    cancelled.add(request["context_id"])
                elif text := request["transcript"].strip():
                    group.start_soon(speak, request["context_id"], spoken[text])


async def bare_server() -> None:
    spoken = {
        text.strip(): [SpokenPiece(from_linear(p.pcm, TELEPHONE.encoding), p.words) for p in say(text)]
        for text in (LONG, SHORT)
    }
    async with serve_websocket(partial(answer, spoken), "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await anyio.sleep_forever()


async def our_server() -> None:
    limits = Limits(expiry_s=120)
    await serve(
        ToneEngine(), port=0, max_contexts=2 * IDLE, limits=limits, on_ready=lambda port: print(port, flush=True)
    )


# ---------------------------------------------------------------- clients


def request(context_id: str, text: str, *, more: bool = False) -> str:
    return json.dumps(
        {
            "context_id": context_id,
            "transcript": text,
            "continue": more,
            "model_id": "sonic-3",
            "voice": {"mode": "id", "id": "tone"},
            "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
            "add_timestamps": True,
            "max_buffer_delay_ms": 0,
        }
    )


def address(server: Process) -> str:
    return f"ws://127.0.0.1:{server.port}/tts/websocket?cartesia_version=2026-03-01"


def connected(server: Process) -> connect:
    return connect(address(server), compression=None, proxy=None, max_size=None)


async def until(socket: ClientConnection, context_id: str, *kinds: str) -> None:
    """Read on until a context gets a message of one of these types."""
    async for message in socket:
        response: dict[str, Any] = json.loads(message)
        if response["type"] == "error":
            raise RuntimeError(response)
        if response["type"] == "chunk":
            base64.b64decode(response["data"])
        if response["context_id"] == context_id and response["type"] in kinds:
            return


async def bare_client(server: Process) -> float:
    """Hear long texts one after another; return CPU seconds."""
    async with connected(server) as socket:
        began = time.process_time()
        for number in range(ROUNDS):
            await socket.send(request(f"b{number}", LONG))
            await until(socket, f"b{number}", "done")
        return time.process_time() - began


@asynccontextmanager
async def our_client(server: Process) -> AsyncIterator[ContextSynthesizer]:
    limits = ClientLimits(per_socket=2 * CONTEXTS, sockets=1)
    async with ContextSynthesizer(
        partial(connect_websocket, address(server)), voicing=Voicing("tone"), limits=limits
    ) as tts:
        yield tts


async def client_cpu(server: Process) -> float:
    """The same, with agentvoice's client."""
    async with our_client(server) as tts:
        began = time.process_time()
        for number in range(ROUNDS):
            listener = Listener(f"o{number}")
            tts.open(listener.context_id, audio=TELEPHONE, deliver=listener)
            tts.send(listener.context_id, LONG)
            tts.finish(listener.context_id)
            await listener.ended.wait()
        return time.process_time() - began


async def after(server: Process, how: str) -> list[float]:
    """Return seconds to the first audio of a "yes": on a warm socket, a cold one, or after a barge-in."""
    found: list[float] = []
    async with connected(server) as warm:
        for number in range(REPEATS):
            name = f"{how}{number}"
            if how == "cold":
                began = time.perf_counter()
                async with connected(server) as socket:
                    await socket.send(request(name, SHORT))
                    await until(socket, name, "chunk")
                    found.append(time.perf_counter() - began)
                continue
            if how == "barge-in":
                await warm.send(request(f"old{number}", LONG))
                await until(warm, f"old{number}", "chunk")
            began = time.perf_counter()
            if how == "barge-in":
                await warm.send(json.dumps({"context_id": f"old{number}", "cancel": True}))
            await warm.send(request(name, SHORT))
            await until(warm, name, "chunk")
            found.append(time.perf_counter() - began)
            await until(warm, name, "done")
    return found


async def crowd(server: Process) -> tuple[list[float], float]:
    """63 chapters, then a "yes", on one socket: seconds to its first audio, and until all has been spoken."""
    delays = []
    took = 0.0
    for _ in range(3):
        async with connected(server) as socket:
            began = time.perf_counter()
            for number in range(CONTEXTS - 1):
                await socket.send(request(f"long{number}", LONG))
            await until(socket, "long0", "chunk")
            asked = time.perf_counter()
            await socket.send(request("short", SHORT))
            done = 0
            async for message in socket:
                response = json.loads(message)
                if response["type"] == "chunk" and response["context_id"] == "short":
                    delays.append(time.perf_counter() - asked)
                done += response["type"] == "done"
                if done == CONTEXTS:
                    break
            took = time.perf_counter() - began
    return delays, took


async def idle(server: Process) -> float:
    """Return kB that each context costs that has spoken, and waits for more."""
    async with connected(server) as socket:
        await socket.send(request("first", SHORT, more=True))
        await until(socket, "first", "chunk")
        before = server.memory_mb
        for start in range(0, IDLE, BATCH):
            silent = {f"idle{number}" for number in range(start, start + BATCH)}
            for context_id in sorted(silent):
                await socket.send(request(context_id, SHORT, more=True))
            while silent:
                response = json.loads(await socket.recv())
                if response["type"] == "chunk":
                    silent.discard(response["context_id"])
        return (server.memory_mb - before) * 1024 / IDLE


# ---------------------------------------------------------------- the table


def row(name: str, bare: float | None, ours: float, unit: str) -> None:
    low = f"{bare:10.2f}" if bare is not None else "         -"
    ratio = f"{ours / bare:8.2f}" if bare else "       -"
    print(f"  {name:44}{low}{ours:10.2f}  {unit:4}{ratio}", flush=True)


def run(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    return anyio.run(function, *arguments, backend_options={"use_uvloop": True})


def main() -> None:
    logs.configure(level="warning", format="json")
    chunks = ROUNDS * len(LONG.split())
    print(f"{'':46}      bare      ours         ratio")
    with process("benchmarks.speech_server", "bare") as bare, process("benchmarks.speech_server", "ours") as ours:
        for server in (bare, ours):
            run(bare_client, server)  # warm
        cpu = bare.cpu_s
        least = run(bare_client, bare)
        floor = bare.cpu_s - cpu
        cpu = ours.cpu_s
        run(bare_client, ours)
        row("server, CPU a chunk (with the engine's)", floor / chunks * 1e6, (ours.cpu_s - cpu) / chunks * 1e6, "us")
        row("client, CPU a chunk", least / chunks * 1e6, run(client_cpu, bare) / chunks * 1e6, "us")
        for how in ("warm", "cold", "barge-in"):
            low, high = run(after, bare, how), run(after, ours, how)
            for share in (0.5, 0.99):
                name = f"first audio, {how}, p{share * 100:.0f}"
                row(name, percentile(low, share) * 1e3, percentile(high, share) * 1e3, "ms")
        low_delays, low_took = run(crowd, bare)
        high_delays, high_took = run(crowd, ours)
        row(f"a yes behind {CONTEXTS - 1} chapters, worst of 3", max(low_delays) * 1e3, max(high_delays) * 1e3, "ms")
        row(f"all {CONTEXTS} contexts spoken", low_took * 1e3, high_took * 1e3, "ms")
        row(f"memory of an idle context (of {IDLE})", run(idle, bare), run(idle, ours), "kB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speech_server", description=__doc__.splitlines()[0])
    parser.add_argument("serve", nargs="?", choices=("bare", "ours"), help=argparse.SUPPRESS)
    which = parser.parse_args().serve
    with suppress(KeyboardInterrupt):
        if which:
            run(bare_server if which == "bare" else our_server)
        else:
            main()
