"""How fast whole calls pass in virtual time: `python -m benchmarks.simulated [CALLS] [PROCESSES]`.

Each call takes about two minutes of its own time: a caller asks, cuts in, is answered, falls silent, and asks again;
half of the time somebody speaks. Everything that a call on the phone runs is run, from the carrier's messages to those
of the speech socket. Seconds are of CPU, so other work on the machine matters little; the last line is of the clock.
"""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import anyio
import structlog
from anyio import sleep

from agentvoice import Agent, Turn
from agentvoice.testing.clock import virtual
from agentvoice.testing.packets import COARSE, REAL, SIMULATED, Packing
from agentvoice.testing.script import Step, barges_in, pauses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.tts import ScriptedSpeech

AIM = 1000
ROUNDS = 7
SHARE = 5
"""Calls that a process is given at a time."""


class Receptionist(Agent):
    greeting = "Good evening, Bella Vista, how may I help you?"

    def __init__(self, words: int) -> None:
        super().__init__()
        self._words = words
        """How many come at a time; a hundred come in a second."""

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        words = f"You said: {turn.prompt} Is that right, or shall I say it once more?".split(" ")
        for at in range(0, len(words), self._words):
            yield " ".join([*words[at : at + self._words], ""])
            await sleep(0.01 * self._words)


def script() -> Sequence[Step]:
    steps: list[Step] = [waits_for_agent()]
    for _ in range(ROUNDS):
        steps += [says("I would like a table for two."), barges_in("No, wait, make it four people.", after=1.2)]
        steps += [waits_for_agent(), pauses(5)]
    return steps


@dataclass(frozen=True)
class Way:
    name: str
    packing: Packing
    lead_s: float
    chunk_s: float
    words: int
    trace: bool


WAYS = [
    Way("every frame a message, as on the phone", REAL, 0.2, 0.1, 1, trace=True),
    Way("as `simulate` does it", SIMULATED, 0.2, 0.1, 1, trace=True),
    Way(
        "coarse: 200 ms a message, 2 s of lead and a chunk, 5 words a token, no trace", COARSE, 2.0, 2.0, 5, trace=False
    ),
]


def have(way: Way, calls: int, first: int = 0) -> tuple[float, float]:
    """Have some calls, one after the other; return how long they lasted, and what CPU they took.

    `first` is the seed of the first.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    async def main() -> float:
        lasted, agent = 0.0, Receptionist(way.words)
        agent.manners = replace(agent.manners, lead_s=way.lead_s)
        for seed in range(first, first + calls):
            call = await simulate(
                agent,
                script(),
                speech=ScriptedSpeech(seed=seed, jitter_s=0.05, chunk_s=way.chunk_s),
                packing=way.packing,
                trace=way.trace,
                seed=seed,
            )
            assert len(call.turns) == 1 + 2 * ROUNDS, call
            assert call.stale_frames == 0, call
            assert all(turn.words_wrong <= 1 for turn in call.turns), call
            lasted += call.seconds
        return lasted

    backend, options = virtual("asyncio")
    gc.freeze()  # what was imported is no garbage, and need not be looked through again and again
    began = time.process_time()
    lasted = anyio.run(main, backend=backend, backend_options=options)
    return lasted, time.process_time() - began


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    for way in WAYS:
        have(way, 1)  # imports, and tones
        rounds = [have(way, 3 if way.packing is REAL else 10) for _ in range(3)]
        best = max(lasted / cpu for lasted, cpu in rounds)  # others on this machine can only slow it down
        print(f"{best:6.0f} x real time on one core   {way.name}")
    way = WAYS[-1]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(have, [way] * processes, [1] * processes))
        began = time.monotonic()
        firsts = range(0, calls, SHARE)
        sizes = [min(SHARE, calls - first) for first in firsts]
        lasted = sum(each for each, _ in pool.map(have, [way] * len(sizes), sizes, firsts))
        took = time.monotonic() - began
    print(
        f"{calls} calls of {lasted / calls:.0f} s in {took:.1f} s on {processes} processes:"
        f" {60 * calls / took:.0f} calls a minute, {lasted / took:.0f} x real time ({way.name})"
    )
    print(f"the aim is {AIM} x on one core; what bounds it is what an event costs on asyncio and anyio, not audio")


if __name__ == "__main__":
    main()
