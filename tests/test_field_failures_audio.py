"""What frameworks get wrong about audio, as whole calls: each test's name is how it has to be.

The section "Audio" of the list that this project began with.
"""

from collections.abc import AsyncIterator

import pytest
from anyio import sleep

from agentvoice import Agent, Turn, TurnState
from agentvoice.audio import TELEPHONE
from agentvoice.testing.hearing import ScriptedRecognizer
from agentvoice.testing.script import says, waits_for_agent, waits_for_hang_up
from agentvoice.testing.simulate import simulate
from agentvoice.testing.tts import ScriptedSpeech
from agentvoice.testing.weather import Weather

pytestmark = pytest.mark.anyio

GREETING = "Good evening, Bella Vista, how may I help you?"
LONG = "We have rye bread, and wheat bread, and rolls with poppy seeds, all of them fresh from this morning."
GOODBYE = "Thank you very much for calling, and goodbye."
LEAD_S = 0.2


class Baker(Agent):
    greeting = GREETING

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        if "Goodbye" in turn.prompt:
            yield GOODBYE
            self.call.hang_up()
            return
        for word in LONG.split(" "):
            yield word + " "
            await sleep(0.01)


@pytest.mark.parametrize("jitter_s", [0.05, 0.1, 0.14])
async def test_a_stall_of_100_ms_makes_no_hole_and_lateness_is_made_up(jitter_s: float) -> None:
    weather = Weather(jitter_s=jitter_s, seed=3)
    call = await simulate(Baker(), [waits_for_agent(), says("What is there?"), waits_for_agent()], weather=weather)

    assert [turn.played for turn in call.turns] == [GREETING, LONG]
    assert list(call.holes) == []


async def test_audio_is_not_handed_over_faster_than_it_is_played_and_the_end_is_not_early() -> None:
    speech = ScriptedSpeech(real_time_factor=0.01, chunk_s=0.5)  # all of it comes at once
    call = await simulate(Baker(), [waits_for_agent(), says("What is there?"), waits_for_agent()], speech=speech)

    carrier, rate = call.phone.carrier, TELEPHONE.sample_rate
    waited = [(played[0] - piece.arrived) / rate for piece in carrier.pieces if (played := carrier.heard(piece))]
    assert max(waited) <= LEAD_S + 0.05
    for turn, context in zip(call.turns, speech.contexts, strict=True):
        lasted = turn.timeline["heard_until"] - turn.timeline["first_frame_out"]
        assert lasted >= context.sent_s - 0.1


@pytest.mark.parametrize("weather", [Weather(), Weather(jitter_s=0.1, late_marks_s=0.2, seed=2)], ids=["fair", "late"])
async def test_the_goodbye_is_heard_to_its_end_before_the_hang_up(weather: Weather) -> None:
    call = await simulate(Baker(), [waits_for_agent(), says("Goodbye."), waits_for_hang_up()], weather=weather)

    assert call.hung_up_by == "agent"
    assert (call.turns[-1].outcome, call.turns[-1].played) == (TurnState.COMPLETED, GOODBYE)


async def test_the_first_words_of_the_caller_are_not_lost_while_the_recogniser_connects() -> None:
    recognizer = ScriptedRecognizer(["What is there?"], opens_after_s=2.0)
    call = await simulate(Baker(), [says("What is there?"), waits_for_agent()], recognizer=recognizer)

    [line] = call.said
    [segment] = recognizer.segments
    assert len(segment) / 2 / TELEPHONE.sample_rate >= line.end_s - line.start_s - 0.06
    assert [entry.text for entry in call.history if entry.role == "user"] == ["What is there?"]
