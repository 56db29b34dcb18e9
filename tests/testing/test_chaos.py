"""Random faults at random instants of short calls. Whatever happens, a call ends when it is over, and leaves nothing.

A few calls here; ten thousand with `make chaos`. The seed of a call that failed is in its message.
"""

import gc
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from random import Random
from typing import Any

import anyio
import pytest
from anyio import get_running_tasks, sleep, sleep_forever
from structlog.testing import capture_logs

from agentvoice import Agent, Turn
from agentvoice.errors import ProviderUnavailable
from agentvoice.interfaces import Message, Thought, ToolCall
from agentvoice.testing.clock import virtual
from agentvoice.testing.hearing import Fault, ScriptedRecognizer
from agentvoice.testing.lexicon import Lexicon
from agentvoice.testing.llm import ModelFault, ScriptedModel
from agentvoice.testing.script import (
    Step,
    backchannels,
    barges_in,
    coughs,
    hangs_up,
    pauses,
    presses,
    says,
    waits_for_agent,
    waits_for_hang_up,
)
from agentvoice.testing.simulate import simulate
from agentvoice.testing.simulated import SimulatedCall
from agentvoice.testing.tts import ScriptedSpeech, SpeechFault
from agentvoice.testing.weather import Weather
from agentvoice.tools import tool
from agentvoice.tts.wire import Failure

CALLS = int(os.environ.get("CHAOS_CALLS", "100"))
BATCH = 50
DECLARED = {
    "hook_failed": "a hook of the agent's that raises",
    "reply_failed": "a reply that raises",
    "recognizer_failed": "a recogniser that breaks",
    "tool_failed": "a tool that raises",
}
"""Errors that are told in the log, because somebody else's code raised them on purpose."""


class Chaotic(Agent):
    """An agent most of whose parts fail now and then."""

    greeting = "Good evening, this is chaos, how may I help you today?"

    def __init__(self, random: Random) -> None:
        self._random = random

    def _maybe(self, chance: float) -> bool:
        return self._random.random() < chance

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        if self._maybe(0.1):
            raise ProviderUnavailable("chaos", "on purpose")
        if self._maybe(0.1):
            await sleep_forever()
        async for token in self.think(turn):
            yield token
        if self._maybe(0.1):
            self.call.hang_up()

    @tool
    async def book(self, party: int) -> str:
        """Book a table."""
        if self._maybe(0.2):
            raise ProviderUnavailable("chaos", "on purpose")
        await sleep(self._random.choice([0, 0.5, 5, 60]))
        return f"a table for {party}"

    async def on_dtmf(self, key: str) -> None:
        if self._maybe(0.5):
            raise ProviderUnavailable("chaos", "on purpose")
        await self.call.say(f"You pressed {key}.", interruptible=self._maybe(0.5))

    async def on_call_end(self) -> None:
        await sleep(self._random.choice([0, 0.3, 60]))


def answer(random: Random) -> Any:
    def think(messages: Sequence[Message]) -> Sequence[Thought]:
        if random.random() < 0.3 and messages[-1].role != "tool":
            return ["Let me see. ", ToolCall(f"c{len(messages)}-{random.random()}", "book", '{"party": 4}')]
        return ["It is as you say, " + "and so it goes on " * random.randint(0, 8) + "to the end."]

    return think


def steps(random: Random) -> Sequence[Step]:
    kinds: Sequence[Callable[[], Step]] = [
        lambda: says(random.choice(["A table for two.", "No, four people, please.", "What?", "Yes."])),
        lambda: barges_in("Wait, wait, stop!", after=random.uniform(0, 2)),
        lambda: coughs(after=random.uniform(0, 1)),
        lambda: backchannels(after=random.uniform(0, 1)),
        lambda: presses(random.choice("0123456789*#")),
        lambda: pauses(random.uniform(0, 2)),
        lambda: waits_for_agent(limit_s=5),
    ]
    several = [random.choice(kinds)() for _ in range(random.randint(1, 5))]
    last: Sequence[Step] = [hangs_up(), waits_for_hang_up(limit_s=3), hangs_up(at=random.uniform(0.02, 12))]
    return [*several, random.choice(last)]


def some(random: Random, chance: float, make: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value() for name, value in make.items() if random.random() < chance}


def speech(random: Random, seed: int) -> ScriptedSpeech:
    def fault() -> SpeechFault:
        kinds = {
            "ignores_cancel": lambda: True,
            "done_after_cancel": lambda: True,
            "never_done": lambda: True,
            "stalls_after_s": lambda: random.uniform(0, 2),
            "drops_after_s": lambda: random.uniform(0, 2),
            "fails": lambda: Failure(
                random.choice([None, "named"]), random.choice([400, 429, 500]), "Chaos", "on purpose"
            ),
            "nonsense": lambda: True,
            "words_late": lambda: True,
        }
        return SpeechFault(**some(random, 0.15, kinds))

    return ScriptedSpeech(
        seed=seed,
        latency_s=random.uniform(0, 1),
        jitter_s=0.3,
        real_time_factor=random.choice([0.05, 0.5, 1.2]),
        rate_jitter=0.2,
        faults={number: fault() for number in range(12)},
        refusals=[None, *(random.choice([None, ProviderUnavailable("chaos", "on purpose")]) for _ in range(4))],
        word_times=random.random() < 0.8,
    )


def hearing(random: Random, lexicon: Lexicon) -> ScriptedRecognizer:
    kinds = {
        "crashes": lambda: True,
        "rejects": lambda: random.random() < 0.2,
        "never_answers": lambda: True,
        "feed_blocks_s": lambda: random.uniform(0, 2),
    }
    return ScriptedRecognizer(
        lexicon.hear,
        latency_s=random.uniform(0, 2),
        jitter_s=0.2,
        opens_after_s=random.choice([0, 0.5]),
        fails_to_open=random.choice([0, 0, 2]),
        faults={number: Fault(**some(random, 0.15, kinds)) for number in range(6)},
    )


def weather(random: Random, seed: int) -> Weather:
    kinds = {
        "jitter_s": lambda: random.uniform(0, 0.2),
        "loss": lambda: random.uniform(0, 0.2),
        "late_marks_s": lambda: random.uniform(0, 1),
        "lost_marks": lambda: random.uniform(0, 1),
        "dies_at_s": lambda: random.uniform(0, 8),
    }
    return Weather(seed=seed, **some(random, 0.2, kinds))


async def have_call(seed: int) -> tuple[SimulatedCall, int]:
    """Have one call; return it, and how many tasks are left."""
    random, before = Random(seed), len(get_running_tasks())
    kinds = {"fails_after": lambda: random.randint(0, 5), "stalls_after": lambda: random.randint(0, 5)}
    lexicon = Lexicon()
    call = await simulate(
        Chaotic(random),
        steps(random),
        speech=speech(random, seed),
        recognizer=hearing(random, lexicon),
        lexicon=lexicon,
        llm=ScriptedModel(answer(random), faults={n: ModelFault(**some(random, 0.1, kinds)) for n in range(8)}),
        weather=weather(random, seed),
        seed=seed,
    )
    return call, len(get_running_tasks()) - before


def run(seed: int, backend: str) -> None:
    name, options = virtual(backend)
    with capture_logs() as logs:
        call, tasks = anyio.run(have_call, seed, backend=name, backend_options=options)
    told = f"seed {seed} on {backend}:\n{call}"
    errors = {line["event"] for line in logs if line["log_level"] in {"error", "critical"}}
    assert errors <= DECLARED.keys(), f"{errors - DECLARED.keys()}; {told}"
    assert call.overrun_s <= 1.001, f"outlived its hang-up by {call.overrun_s} s; {told}"
    assert call.stale_frames == 0, told
    assert tasks == 0, f"{tasks} tasks are left; {told}"
    assert call.seconds < 200, told


@pytest.mark.timeout(0)
@pytest.mark.parametrize("first", range(0, CALLS, BATCH))
def test_a_call_in_chaos_ends_when_it_is_over_and_leaves_no_task(first: int) -> None:
    for seed in range(first, first + BATCH):
        run(seed, "trio" if seed % 5 == 0 else "asyncio")


@pytest.mark.timeout(0)
def test_memory_stays_flat_over_calls_in_chaos() -> None:
    def objects(calls: range) -> int:
        for seed in calls:
            run(seed, "asyncio")
        gc.collect()
        return len(gc.get_objects())

    objects(range(20))
    before = objects(range(20))
    after = objects(range(max(40, CALLS // 20)))
    assert after - before < 2000, f"{after - before} objects more"
