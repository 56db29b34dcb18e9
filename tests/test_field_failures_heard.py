"""What frameworks get wrong about what was heard, as whole calls: each test's name is how it has to be.

The section "What was heard" of the list that this project began with.
"""

from collections.abc import AsyncIterator

import pytest
from anyio import sleep

from agentvoice import Agent, Turn, TurnState
from agentvoice.testing.hearing import ScriptedRecognizer
from agentvoice.testing.script import barges_in, pauses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.tts import ScriptedSpeech, SpeechFault
from agentvoice.testing.weather import Weather

pytestmark = pytest.mark.anyio

GREETING = "Good evening, Bella Vista, how may I help you?"
LONG = (
    "We have rye bread, and wheat bread, and rolls with poppy seeds, and pretzels with salt, and a cake with apples, "
    "all of them fresh from this morning, and if you like I can put some of each aside for you."
)


class Baker(Agent):
    greeting = GREETING

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        for word in LONG.split(" "):
            yield word + " "
            await sleep(0.01)


async def test_text_that_was_sent_and_never_spoken_does_not_enter_the_history() -> None:
    cut_off = {number: SpeechFault(drops_after_s=0) for number in range(1, 20)}
    speech = ScriptedSpeech(latency_s=0.3, faults=cut_off)
    call = await simulate(Baker(), [waits_for_agent(), says("What is there?"), pauses(20)], speech=speech)

    failed = call.turns[1]
    assert (failed.outcome, failed.heard, failed.played) == (TurnState.FAILED, "", "")
    assert failed.generated.startswith("We have rye bread")
    assert not any("rye bread" in entry.text for entry in call.history)


@pytest.mark.parametrize("after", [0.7, 1.9, 3.3, 5.2])
@pytest.mark.parametrize(
    ("speech", "weather", "wrong"),
    [
        pytest.param({"real_time_factor": 0.05}, {}, 0, id="a fast voice"),
        pytest.param({"real_time_factor": 1.4}, {}, 0, id="a slow voice"),
        pytest.param({"word_times": False}, {}, 1, id="no word times"),
        pytest.param({}, {"jitter_s": 0.1, "late_marks_s": 0.1}, 1, id="a line that stalls"),
    ],
)
async def test_no_more_words_are_recorded_than_were_played(
    speech: dict, weather: dict, wrong: int, after: float
) -> None:
    call = await simulate(
        Baker(),
        [waits_for_agent(), says("What is there?"), barges_in("No, wait, stop that.", after=after), waits_for_agent()],
        speech=ScriptedSpeech(**speech),
        weather=Weather(**weather),
    )

    cut = call.turns[1]
    assert cut.outcome is TurnState.INTERRUPTED
    assert 0 < len(cut.heard.split()) < len(LONG.split())
    assert cut.words_wrong <= wrong


async def test_the_cut_reply_stands_before_the_utterance_that_cut_it() -> None:
    call = await simulate(
        Baker(),
        [waits_for_agent(), says("What is there?"), barges_in("No, wait, stop that.", after=2), waits_for_agent()],
    )

    cut = call.turns[1].heard
    texts = [entry.text for entry in call.history]
    assert texts.index("What is there?") < texts.index(cut) < texts.index("No, wait, stop that.")


@pytest.mark.parametrize("latency_s", [0.05, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(2))
async def test_one_utterance_is_answered_once(latency_s: float, seed: int) -> None:
    lines = ["What is there?", "And on Sunday?"]
    recognizer = ScriptedRecognizer(lines, latency_s=latency_s, jitter_s=latency_s / 2)
    steps = [waits_for_agent(), says(lines[0]), waits_for_agent(), says(lines[1]), waits_for_agent()]
    weather = Weather(jitter_s=0.06, seed=seed)
    speech = ScriptedSpeech(seed=seed, jitter_s=0.05)
    call = await simulate(Baker(), steps, recognizer=recognizer, weather=weather, speech=speech)

    assert [turn.prompt for turn in call.turns] == ["", *lines]
    assert [entry.text for entry in call.history if entry.role == "user"] == lines
