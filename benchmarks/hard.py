"""agentvoice among parts that misbehave: a model that never ends, or hogs the loop, and a recogniser that stalls.

Key 1 makes the agent answer; key 0, or the caller's voice, interrupts it. In the end it tells when each call handed a
`clear` to its line.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from time import perf_counter

import anyio
from anyio import create_memory_object_stream, current_time
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectSendStream

from agentvoice import Agent, Turn, logs
from agentvoice.audio import TELEPHONE
from agentvoice.call import Call
from agentvoice.endpointing import Endpointing
from agentvoice.events import Event, SpeechStarted, SpeechStopped, Transcript
from agentvoice.hearing import Hearing
from agentvoice.interfaces import Listening, Transport, VoiceActivity
from agentvoice.interruption import Policy
from agentvoice.manners import Manners
from agentvoice.server.app import create_app
from agentvoice.server.serve import serve_app
from agentvoice.sources import KeySource, TranscriptSource, VoiceActivitySource
from agentvoice.streams import connect_websocket
from agentvoice.testing.hearing import LoudnessActivity
from agentvoice.tts.connection import ContextSynthesizer

from .speech import WORDS

STALL_S = 1.5
"""For so long the recogniser takes no audio, and for so long it then thinks."""
HOG_S = 0.003
"""For so long the model keeps the loop to itself, as parsing or tokenising does..."""
HOG_EVERY_S = 0.25
"""...and so often. A hundred calls of which every second one does it keep a seventh of the loop."""
MIN_SPEECH_S = 0.1


class Hard(Agent):
    sources = (KeySource("0"), VoiceActivitySource(), TranscriptSource())
    manners = Manners(
        interruption=Policy(min_speech_s=MIN_SPEECH_S), endpointing=Endpointing(silence_s=0.02), speculate=False
    )
    hogs = False

    async def on_dtmf(self, key: str) -> None:
        if key == "1":  # as if the caller had said something
            now = current_time()
            for event in (SpeechStarted(now), SpeechStopped(now), Transcript("Go ahead.", final=True)):
                self.call.deliver(event)

    async def reply(self, turn: Turn) -> AsyncIterator[str]:  # noqa: ARG002
        yield WORDS + ". "
        while self.hogs:
            time.sleep(HOG_S)  # noqa: ASYNC251 - on purpose
            await anyio.sleep(HOG_EVERY_S)
        await anyio.sleep_forever()


class Hog(Hard):
    hogs = True


class Stalled:
    """A recogniser that takes nothing for a while, and then has understood nothing."""

    def prepare(self) -> None:
        pass

    @asynccontextmanager
    async def listen(self, _: int) -> AsyncIterator[Listening]:
        send, receive = create_memory_object_stream[Transcript](8)
        with send, receive:
            yield StalledListening(send, receive)


class StalledListening:
    def __init__(self, send: MemoryObjectSendStream[Transcript], receive: ObjectReceiveStream[Transcript]) -> None:
        self.transcripts = receive
        self._send = send
        self._fresh = True

    async def feed(self, _: bytes) -> None:
        if self._fresh:
            self._fresh = False
            await anyio.sleep(STALL_S)

    async def finalize(self) -> None:
        self._fresh = True
        await anyio.sleep(STALL_S)
        await self._send.send(Transcript("", final=True))


class Host:
    def __init__(self, synthesizer: ContextSynthesizer) -> None:
        self._synthesizer = synthesizer
        self._activity: VoiceActivity = LoudnessActivity()
        self._recognizer = Stalled()
        self.cleared: dict[str, list[float]] = defaultdict(list)

    async def take(self, transport: Transport, *, call_id: str, **_: object) -> None:
        clear, cleared = transport.clear, self.cleared[call_id]

        def clear_and_note() -> None:
            cleared.append(perf_counter())
            clear()

        transport.clear = clear_and_note  # type: ignore[method-assign]
        agent = Hog() if len(self.cleared) % 2 else Hard()
        await Call(call_id, agent, transport, self._synthesizer, self._ears).run()

    def _ears(self, deliver: Callable[[Event], None]) -> Hearing:
        return Hearing(self._activity, self._recognizer, TELEPHONE, deliver)


async def main(speech: str) -> None:
    logs.configure(level="error", format="json")
    async with ContextSynthesizer(partial(connect_websocket, speech)) as synthesizer:
        host = Host(synthesizer)
        try:
            await serve_app(create_app(host), on_ready=lambda port: print(port, flush=True))
        finally:
            print(json.dumps(host.cleared), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        anyio.run(main, sys.argv[1], backend_options={"use_uvloop": True})
