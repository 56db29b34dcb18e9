"""Stub speech: a server of the context protocol that answers any text with four seconds of tone, at once.

It is the same for the relay and for agentvoice, and runs in a process of its own. With `--stubborn` it ignores cancels.
"""

from __future__ import annotations

import base64
import json
import sys
from contextlib import suppress

import anyio
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

SECONDS = 4.0
CHUNK = 1600  # 200 ms of mu-law, 8 kHz
FASTER = 4  # than real time
STUBBORN = "--stubborn" in sys.argv
WORDS = "one two three four five six seven eight nine ten eleven twelve"


async def answer(socket: ServerConnection) -> None:
    cancelled: set[str] = set()

    async def speak(context_id: str) -> None:
        words = WORDS.split()
        each = SECONDS / len(words)
        times = {
            "words": words,
            "start": [i * each for i in range(len(words))],
            "end": [(i + 1) * each for i in range(len(words))],
        }
        head = {"context_id": context_id, "status_code": 206, "done": False}
        await socket.send(json.dumps({**head, "type": "timestamps", "word_timestamps": times}))
        data = base64.b64encode(b"\x20\xa0" * (CHUNK // 2)).decode()
        for _ in range(round(SECONDS * 8000 / CHUNK)):
            if context_id in cancelled:
                return
            await socket.send(json.dumps({**head, "type": "chunk", "data": data, "step_time": 1.0}))
            await anyio.sleep(CHUNK / 8000 / FASTER)
        await socket.send(json.dumps({**head, "type": "done", "done": True}))

    try:
        async with anyio.create_task_group() as group:
            async for message in socket:
                request = json.loads(message)
                if request.get("cancel"):
                    if STUBBORN:
                        continue
                    cancelled.add(request["context_id"])
                elif request["transcript"].strip():
                    group.start_soon(speak, request["context_id"])
    except* ConnectionClosed:
        pass


async def main() -> None:
    async with serve(answer, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await anyio.sleep_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        anyio.run(main)
