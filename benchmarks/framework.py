"""agentvoice on the same work: key 1 makes the agent speak, key 0 interrupts it. Nobody listens to the caller."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import anyio

from agentvoice import Agent, logs
from agentvoice.call import Call
from agentvoice.commands import Command
from agentvoice.events import CallerAudio, Event
from agentvoice.interfaces import Transport
from agentvoice.server.app import create_app
from agentvoice.server.serve import serve_app
from agentvoice.sources import KeySource
from agentvoice.streams import connect_websocket
from agentvoice.tts.connection import ContextSynthesizer

from .speech import WORDS


class Speaker(Agent):
    sources = (KeySource("0"),)

    async def on_dtmf(self, key: str) -> None:
        if key == "1":
            await self.call.say(WORDS)


class Deaf:
    judges = False

    def feed(self, event: CallerAudio) -> None:
        pass

    def notice(self, decided: Command) -> None:
        pass

    async def run(self) -> None:
        await anyio.sleep_forever()


def deaf(_: Callable[[Event], None]) -> Deaf:
    return Deaf()


class Host:
    def __init__(self, synthesizer: ContextSynthesizer) -> None:
        self._synthesizer = synthesizer
        self._calls = 0

    async def take(self, transport: Transport, *, call_id: str, **_: object) -> None:
        self._calls += 1
        await Call(f"{call_id}-{self._calls}", Speaker(), transport, self._synthesizer, deaf).run()


async def main(speech: str) -> None:
    logs.configure(level="warning", format="json")
    async with ContextSynthesizer(partial(connect_websocket, speech)) as synthesizer:
        await serve_app(create_app(Host(synthesizer)), on_ready=lambda port: print(port, flush=True))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        anyio.run(main, sys.argv[1], backend_options={"use_uvloop": True})
