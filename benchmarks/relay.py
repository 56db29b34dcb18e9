"""The floor: a bare relay between a carrier and a speech socket, with no framework and no decisions.

Key 1 makes it ask for speech, key 0 makes it clear the line and cancel; what comes back is passed on at once. In the
end it tells when it decided to clear, call by call.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from contextlib import suppress
from time import perf_counter

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


class Relay:
    def __init__(self, speech: ClientConnection) -> None:
        self.speech = speech
        self.lines: dict[str, ServerConnection] = {}
        self.contexts = 0
        self.decided: dict[str, list[float]] = defaultdict(list)

    async def pass_on(self) -> None:
        async for message in self.speech:
            response = json.loads(message)
            line = self.lines.get(response["context_id"])
            if line is not None and response["type"] == "chunk":
                with suppress(ConnectionClosed):
                    await line.send(json.dumps({"event": "media", "media": {"payload": response["data"]}}))

    async def call(self, line: ServerConnection) -> None:
        context_id = call = ""
        with suppress(ConnectionClosed):
            async for message in line:
                event = json.loads(message)
                if event["event"] == "start":
                    call = event["start"]["callSid"]
                if event["event"] != "dtmf":
                    continue
                self.lines.pop(context_id, None)
                if event["dtmf"]["digit"] == "0":
                    self.decided[call].append(perf_counter())
                    await line.send('{"event":"clear"}')
                    await self.speech.send(json.dumps({"context_id": context_id, "cancel": True}))
                    continue
                self.contexts += 1
                context_id = f"c{self.contexts}"
                self.lines[context_id] = line
                request = {"context_id": context_id, "transcript": "Go on.", "continue": False, "model_id": "sonic"}
                await self.speech.send(json.dumps(request))


async def main(speech: str) -> None:
    async with connect(speech, compression=None, proxy=None) as socket:
        relay = Relay(socket)
        async with serve(relay.call, "127.0.0.1", 0, compression=None) as server, anyio.create_task_group() as group:
            group.start_soon(relay.pass_on)
            print(next(iter(server.sockets)).getsockname()[1], flush=True)
            try:
                await anyio.sleep_forever()
            finally:
                print(json.dumps(relay.decided), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        anyio.run(main, sys.argv[1], backend_options={"use_uvloop": True})
