"""The same seed gives the same call, byte for byte, on asyncio and on trio, twice.

`SCENARIOS=1000 pytest tests/test_same_seed.py` tries more of them.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from random import Random

import anyio
import pytest
from anyio import sleep

from agentvoice import Agent, Turn
from agentvoice.testing.clock import virtual
from agentvoice.testing.script import Step, barges_in, coughs, hangs_up, pauses, presses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.tts import ScriptedSpeech, SpeechFault
from agentvoice.testing.weather import Weather

SCENARIOS = int(os.environ.get("SCENARIOS", "30"))
AT_ONCE = 10
LINES = ("I would like a table for two.", "Are you open on Sunday?", "Yes, please.", "Goodbye.")
CUTS = ("No, wait!", "Make it four people, please.", "Stop.")


class Waiter(Agent):
    greeting = "Good evening, Bella Vista, how may I help you?"

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        if "Goodbye" in turn.prompt:
            yield "Goodbye to you too."
            self.call.hang_up()
            return
        for word in f"You said: {turn.prompt} Is that right, or shall I say it once more?".split(" "):
            yield word + " "
            await sleep(0.01)

    async def on_dtmf(self, key: str) -> None:
        await self.call.say(f"You pressed {key}.")


def script(chance: Random) -> Sequence[Step]:
    """Return what a caller does at random; much of it falls on the very same instants."""
    does: list[Callable[[], Step]] = [
        waits_for_agent,
        lambda: says(chance.choice(LINES)),
        lambda: barges_in(chance.choice(CUTS), after=chance.uniform(0.2, 2.5)),
        lambda: barges_in(chance.choice(CUTS), at_word=chance.randint(1, 6)),
        lambda: coughs(after=chance.uniform(0.3, 2)),
        lambda: pauses(chance.choice([0.2, 0.5, 1.0, chance.uniform(0.1, 2)])),
        lambda: presses(chance.choice(["5", "#1"])),
    ]
    return [*(chance.choice(does)() for _ in range(chance.randint(1, 4))), hangs_up(after=chance.choice([0, 0.5, 3]))]


def fault(chance: Random) -> SpeechFault:
    return chance.choice(
        [
            SpeechFault(ignores_cancel=True),
            SpeechFault(done_after_cancel=True),
            SpeechFault(never_done=True),
            SpeechFault(stalls_after_s=chance.choice([0.0, 0.5])),
            SpeechFault(drops_after_s=chance.choice([0.0, 0.7])),
            SpeechFault(nonsense=True),
        ]
    )


def trace(seed: int, backend: str) -> str:
    """Return the trace of the whole call that this seed stands for."""
    chance = Random(seed)
    weather = Weather(
        jitter_s=chance.choice([0, 0.06]),
        loss=chance.choice([0, 0.02]),
        late_marks_s=chance.choice([0, 0.1]),
        lost_marks=chance.choice([0, 0, 0.3]),
        seed=seed,
    )
    faults = {number: fault(chance) for number in range(6) if chance.random() < 0.2}
    speech = ScriptedSpeech(seed=seed, jitter_s=chance.choice([0, 0.05]), faults=faults)
    steps = script(chance)

    async def have() -> str:
        return (await simulate(Waiter(), steps, speech=speech, weather=weather, seed=seed)).trace

    name, options = virtual(backend)
    return anyio.run(have, backend=name, backend_options=options)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(0, SCENARIOS, AT_ONCE))
def test_the_same_seed_gives_the_same_trace_on_asyncio_and_trio(first: int) -> None:
    for seed in range(first, min(first + AT_ONCE, SCENARIOS)):
        expected = trace(seed, "asyncio")
        assert expected.count("\n") > 10
        for backend in ("trio", "asyncio", "trio"):
            found = trace(seed, backend)
            assert found == expected, f"seed {seed}, {backend}: {first_difference(expected, found)}"


def first_difference(expected: str, found: str) -> str:
    pairs = zip(expected.splitlines(), found.splitlines(), strict=False)
    line, pair = next(((number, pair) for number, pair in enumerate(pairs, 1) if pair[0] != pair[1]), (0, ("", "")))
    return f"line {line}:\n{pair[0]}\n{pair[1]}" if line else "one is longer"
