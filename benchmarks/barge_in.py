"""How soon the line is silent when everything around misbehaves, over real sockets and in real time.

    python -m benchmarks.barge_in                   # 1, 50 and 100 calls, 20 seconds each: under three minutes
    python -m benchmarks.barge_in --calls 10 --seconds 9

The model never ends, and in every second call hogs the loop for 3 ms at a time; the recogniser stalls for 1.5 s; the
voice ignores cancels, and streams four times faster than real time. Every call asks every two seconds, and interrupts
half a second later, by a key or by its voice in turn.

The far ends are a process of their own, the voice another: with two cores they take from each other what is measured,
and `far end late` says how much. The bare relay does the same work with none of the parts, by key alone.
"""

from __future__ import annotations

import argparse
import json
import math
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

import anyio
from anyio import current_time, sleep_until
from websockets.asyncio.client import ClientConnection

from .__main__ import percentile, process
from .load import FRAME_S, FRAMES, SID, Carrier, Times, press

CYCLE_S = 2.0
INTERRUPT_S = 0.5
"""While the voice still streams: it takes a second."""
VOICE_S = 0.3
"""How long the caller speaks."""
STALE_S = 1.2
"""Audio that comes so soon after a `clear` is of what was cut. Later the agent may take it up again, which is meant."""
LOUD = b64encode(b"\x10\x90" * 80).decode()


@dataclass
class Interruptions(Times):
    """What was measured besides, in seconds; by call, in order, where it says so."""

    by_key: list[float] = field(default_factory=list)
    by_voice: list[float] = field(default_factory=list)
    arrived: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When each `clear` arrived, by call."""
    late: list[float] = field(default_factory=list)
    unanswered: int = 0
    """Interruptions after which no `clear` came."""


class Interrupter(Carrier):
    """One call: asks, and interrupts by a key or by voice in turn."""

    def __init__(self, times: Interruptions, number: int, *, speaks: bool) -> None:
        super().__init__(times, number)
        self.measured = times
        self.speaks = speaks
        self.pending: list[float] | None = None
        self.cleared_at = -math.inf

    async def talk(self, line: ClientConnection, seconds: float) -> None:
        cycle, offset = round(CYCLE_S / FRAME_S), 11 * self.number % round(CYCLE_S / FRAME_S)
        began = current_time() + FRAME_S * (self.number % 50) / 50  # not all in the same instant
        for number in range(round(seconds / FRAME_S)):
            await sleep_until(began + number * FRAME_S)
            self.measured.late.append(current_time() - began - number * FRAME_S)
            turn, place = divmod(number - offset, cycle)
            spoken = (place - round(INTERRUPT_S / FRAME_S)) * FRAME_S
            voiced = self.speaks and turn % 2 == 1
            await line.send(self.frame(number, loud=voiced and turn >= 0 and 0 <= spoken < VOICE_S))
            if turn < 0:
                continue
            if place == 0:
                self.measured.unanswered += self.pending is not None
                self.asked_at, self.dry_at, self.cleared, self.pending = perf_counter(), None, False, None
                await line.send(press("1"))
            elif spoken == 0 and self.dry_at is not None:
                self.cut_at = perf_counter()
                self.pending = self.measured.by_voice if voiced else self.measured.by_key
                if not voiced:
                    await line.send(press("0"))

    def frame(self, number: int, *, loud: bool) -> str:
        if not loud:
            return FRAMES[number % len(FRAMES)]
        media = {"payload": LOUD, "timestamp": str(number * 20), "chunk": str(number + 1)}
        return json.dumps({"event": "media", "streamSid": SID, "media": media})

    def clear_heard(self, now: float) -> None:
        self.cleared_at = now
        self.measured.arrived[f"CA{self.number}"].append(now)
        if self.pending is not None:
            self.pending.append(now - self.cut_at)
            self.pending = None

    def hear(self, seconds: float, now: float) -> None:
        if not self.cleared or now < self.cleared_at + STALE_S:
            super().hear(seconds, now)


async def load(url: str, calls: int, seconds: float, *, speaks: bool) -> Interruptions:
    """Hold so many calls at once for so long."""
    times = Interruptions()
    async with anyio.create_task_group() as group:
        for number in range(calls):
            group.start_soon(Interrupter(times, number, speaks=speaks).call, url, seconds)
    return times


def measure(
    module: str, path: str, calls: int, seconds: float, *, speaks: bool
) -> tuple[Interruptions, list[float], float]:
    """Return what the far ends saw, how long each `clear` took from its decision to them, and the share of a core."""
    with (
        process("benchmarks.speech", "--stubborn") as speech,
        process(module, f"ws://127.0.0.1:{speech.port}/tts/websocket") as server,
    ):
        idle = server.cpu_s
        times = anyio.run(
            partial(load, f"ws://127.0.0.1:{server.port}{path}", calls, seconds, speaks=speaks),
            backend_options={"use_uvloop": True},
        )
        busy = (server.cpu_s - idle) / seconds
    return times, on_the_way(json.loads(server.last_words), times.arrived), busy


def on_the_way(decided: Mapping[str, Sequence[float]], arrived: Mapping[str, Sequence[float]]) -> list[float]:
    """Return how long each `clear` took to arrive; the last of a call may have been sent after it hung up."""
    pairs = (pair for call, left in decided.items() for pair in zip(left, arrived.get(call, ()), strict=False))
    return [there - here for here, there in pairs]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.barge_in", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 50, 100], help="how many at once")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each lasts")
    wanted = parser.parse_args()
    for calls in wanted.calls:
        floor, floor_way, floor_busy = measure("benchmarks.relay", "/", calls, wanted.seconds, speaks=False)
        ours, way, busy = measure("benchmarks.hard", "/twilio/media", calls, wanted.seconds, speaks=True)
        print(f"\n{calls} calls, {wanted.seconds:.0f} s{'':26}bare relay   agentvoice   ratio")
        for name, low, high in (
            ("decision to clear at the far end, ms", floor_way, way),
            ("key to clear, ms", floor.by_key, ours.by_key),
            ("voice to clear, ms", [], ours.by_voice),
            ("far end late, ms", floor.late, ours.late),
        ):
            for share in (0.5, 0.99):
                print(row(f"{name}, p{100 * share:.0f}", 1e3 * percentile(low, share), 1e3 * percentile(high, share)))
        print(row("CPU, share of a core, %", 100 * floor_busy, 100 * busy))
        for name, few, many in (
            ("interruptions", len(floor.by_key), len(ours.by_key) + len(ours.by_voice)),
            ("without a clear", floor.unanswered, ours.unanswered),
            ("stale audio messages", floor.stale, ours.stale),
        ):
            print(f"  {name:40}{few:8}     {many:8}", flush=True)


def row(name: str, low: float, high: float) -> str:
    """Write one figure of both, and their ratio where there is one."""
    ratio = f"{high / low:7.2f}" if low >= 0.01 else "      -"
    return f"  {name:40}{'       -' if math.isnan(low) else f'{low:8.2f}'}     {high:8.2f} {ratio}"


if __name__ == "__main__":
    main()
