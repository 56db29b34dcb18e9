"""What goes wrong on the speech socket in the field, as whole calls: each test's name is what must not be.

The section "TTS socket" of the list that this project began with. "Tools and model" is in `test_tools.py`.
"""

from collections.abc import AsyncIterator

import pytest
from anyio import sleep
from structlog.testing import capture_logs

from agentvoice import Agent, Turn, TurnState
from agentvoice.testing.script import barges_in, pauses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.tts import ScriptedSpeech, SpeechFault
from agentvoice.tts.governor import Limits
from agentvoice.tts.wire import Failure

pytestmark = pytest.mark.anyio

GREETING = "Good evening, Bella Vista, how may I help you?"
LONG = "We have rye bread, and wheat bread, and rolls with poppy seeds, all of them fresh from this morning."


class Baker(Agent):
    greeting = GREETING

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        for word in LONG.split(" "):
            yield word + " "
            await sleep(0.01)


async def test_a_drop_between_send_and_first_audio_does_not_lose_the_reply() -> None:
    speech = ScriptedSpeech(latency_s=0.3, faults={0: SpeechFault(drops_after_s=0), 1: SpeechFault(drops_after_s=0)})
    call = await simulate(Baker(), [waits_for_agent(), says("What is there?"), waits_for_agent()], speech=speech)

    assert [turn.played for turn in call.turns] == [GREETING, LONG]
    assert [turn.heard for turn in call.turns] == [GREETING, LONG]
    assert speech.handshakes >= 2


async def test_the_provider_s_cap_on_contexts_is_never_passed_though_cancelled_ones_go_on() -> None:
    cap = 1
    obstinate = {number: SpeechFault(ignores_cancel=True) for number in range(20)}
    speech = ScriptedSpeech(faults=obstinate, real_time_factor=0.9, most_contexts=cap)
    cuts = [barges_in(f"Wait, number {number} please.", after=0.4) for number in range(5)]
    call = await simulate(
        Baker(), [waits_for_agent(), says("What is there?"), *cuts, waits_for_agent()], speech=speech,
        limits=Limits(per_socket=cap, sockets=4),
    )  # fmt: skip

    assert speech.over_cap == 0
    assert call.stale_frames == 0
    assert call.turns[-1].played == LONG
    assert [turn.outcome for turn in call.turns].count(TurnState.INTERRUPTED) == 5


@pytest.mark.parametrize("context_id", [None, "named"])
async def test_an_error_without_a_context_id_neither_loses_the_turn_nor_hangs(context_id: str | None) -> None:
    fails = SpeechFault(fails=Failure(context_id, 500, "Internal error", "try again"))
    speech = ScriptedSpeech(faults={1: fails})
    call = await simulate(Baker(), [waits_for_agent(), says("What is there?"), waits_for_agent()], speech=speech)

    assert [turn.played for turn in call.turns] == [GREETING, LONG]
    assert speech.handshakes <= 2


async def test_a_late_done_of_a_cancelled_context_does_not_end_the_next_one() -> None:
    late = {number: SpeechFault(ignores_cancel=True) for number in range(9)}
    speech = ScriptedSpeech(faults=late, real_time_factor=0.9)
    call = await simulate(
        Baker(),
        [
            barges_in("What is there today?", after=1.0),
            barges_in("And tomorrow, please?", after=1.0),
            waits_for_agent(),
        ],
        speech=speech,
    )

    late_ones = [one for one in speech.contexts if one.cancelled_at and one.done_at and one.done_at > one.cancelled_at]
    speaking = call.turns[-1].timeline
    assert any(speaking["first_frame_out"] < (one.done_at or 0) < speaking["heard_until"] for one in late_ones)
    assert call.turns[-1].outcome is TurnState.COMPLETED
    assert call.turns[-1].played == LONG
    assert call.stale_frames == 0


async def test_nothing_is_buffered_on_both_sides_so_the_first_words_come_in_time() -> None:
    speech = ScriptedSpeech(latency_s=0.1)
    call = await simulate(Baker(), [waits_for_agent(), says("What is there?"), waits_for_agent()], speech=speech)

    assert {request.max_buffer_delay_ms for context in speech.contexts for request in context.requests} == {0}
    turn = call.turns[1]
    assert turn.timeline["first_frame_out"] - turn.timeline["first_token"] < 0.3


async def test_an_idle_socket_that_the_provider_closes_is_no_error_and_the_caller_does_not_notice() -> None:
    speech = ScriptedSpeech(idle_s=5.0)
    with capture_logs() as logs:
        call = await simulate(
            Baker(),
            [waits_for_agent(), pauses(20), says("What is there?"), waits_for_agent(), pauses(20)],
            speech=speech,
        )

    assert speech.handshakes > 2
    assert [turn.played for turn in call.turns] == [GREETING, LONG]
    assert [line for line in logs if line["log_level"] in {"warning", "error"}] == []
