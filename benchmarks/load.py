"""Many carriers in one process: real-time mu-law in both directions, keys that ask and interrupt, and a stopwatch."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter

import anyio
from anyio import current_time, sleep_until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

FRAME_S = 0.02
CYCLE_S = 6.0
"""Every call asks for four seconds of speech this often."""
INTERRUPT_S = 2.5
"""Every second time it interrupts, so long after it asked."""
HOLE_S = 0.02


@dataclass
class Times:
    """What was measured, in seconds."""

    first_audio: list[float] = field(default_factory=list)
    silence: list[float] = field(default_factory=list)
    holes: int = 0
    stale: int = 0


SID = "MZ0"


def press(key: str) -> str:
    return json.dumps({"event": "dtmf", "streamSid": SID, "dtmf": {"digit": key}})


def frames() -> Iterator[str]:
    """A minute of a caller's silence, as messages made ahead."""
    silence = b64encode(b"\xff" * 160).decode()
    for number in range(3000):
        yield json.dumps(
            {
                "event": "media",
                "streamSid": SID,
                "media": {"payload": silence, "timestamp": str(number * 20), "chunk": str(number + 1)},
            }
        )


FRAMES = list(frames())


class Carrier:
    def __init__(self, times: Times, number: int) -> None:
        self.times = times
        self.number = number
        self.asked_at = self.cut_at = 0.0
        self.dry_at: float | None = None
        self.cleared = False

    async def call(self, url: str, seconds: float) -> None:
        async with connect(url, compression=None, proxy=None) as line, anyio.create_task_group() as group:
            await line.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
            start = {"streamSid": SID, "callSid": f"CA{self.number}", "tracks": ["inbound"]}
            await line.send(json.dumps({"event": "start", "streamSid": SID, "start": start}))
            group.start_soon(self.listen, line)
            await self.talk(line, seconds)
            group.cancel_scope.cancel()

    async def talk(self, line: ClientConnection, seconds: float) -> None:
        began = current_time() + 0.02 * (self.number % 50) / 50  # not all in the same instant
        cycle = round(CYCLE_S / FRAME_S)
        offset = 13 * self.number % 100
        for number in range(round(seconds / FRAME_S)):
            await sleep_until(began + number * FRAME_S)
            await line.send(FRAMES[number % len(FRAMES)])
            turn, place = divmod(number - offset, cycle)
            if place == 0 and turn >= 0:
                self.asked_at, self.dry_at, self.cleared = perf_counter(), None, False
                await line.send(press("1"))
            elif place == round(INTERRUPT_S / FRAME_S) and turn >= 0 and turn % 2:
                self.cut_at = perf_counter()
                await line.send(press("0"))

    async def listen(self, line: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for message in line:
                now = perf_counter()
                event = json.loads(message)
                match event["event"]:
                    case "media":
                        self.hear(len(event["media"]["payload"]) * 3 // 4 / 8000, now)
                    case "mark":
                        await line.send(message)  # at once: the clock of the far end is not what is measured here
                    case "clear":
                        self.clear_heard(now)
                        self.cleared = True

    def clear_heard(self, now: float) -> None:
        self.times.silence.append(now - self.cut_at)

    def hear(self, seconds: float, now: float) -> None:
        if self.cleared:
            self.times.stale += 1
        elif self.dry_at is None:
            self.times.first_audio.append(now - self.asked_at)
            self.dry_at = now + seconds
        else:
            self.times.holes += now - self.dry_at > HOLE_S
            self.dry_at = max(now, self.dry_at) + seconds


async def load(url: str, calls: int, seconds: float) -> Times:
    """Hold so many calls at once for so long."""
    times = Times()
    async with anyio.create_task_group() as group:
        for number in range(calls):
            group.start_soon(Carrier(times, number).call, url, seconds)
    return times
