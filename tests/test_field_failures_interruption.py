"""What goes wrong with interruptions in the field, as whole calls: each test's name is what must not be.

The section "Interruption and stale audio" of the list that this project began with.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from anyio import CancelScope, sleep

from agentvoice import Agent, Manners, Turn, TurnState, tool
from agentvoice.interfaces import Thought, ToolCall
from agentvoice.testing.hearing import Fault, ScriptedRecognizer
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import backchannels, barges_in, coughs, hangs_up, pauses, presses, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.testing.simulated import SimulatedCall
from agentvoice.testing.tts import ScriptedSpeech, SpeechFault

pytestmark = pytest.mark.anyio

LONG = "We have rye bread, and wheat bread, and rolls with poppy seeds, all of them fresh from this morning."
ASKS = (waits_for_agent(limit_s=1), says("What is there?"))
CUTS_IN = barges_in("No, wait, I mean cakes.", after=1.2)


class Baker(Agent):
    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        for word in LONG.split(" "):
            yield word + " "
            await sleep(0.01)


def lines(call: SimulatedCall) -> Iterator[dict[str, Any]]:
    return map(json.loads, call.trace.splitlines())


def decided_at(call: SimulatedCall, decision: str = "confirmed") -> list[float]:
    """When a decision was made, in seconds since the line was opened."""
    return [line["t"] for line in lines(call) if line.get("out") == "BargeInDecided" and line["decision"] == decision]


def cut_of(call: SimulatedCall) -> list[str]:
    return [turn.heard for turn in call.turns if turn.outcome is TurnState.INTERRUPTED]


async def test_the_silence_does_not_wait_behind_the_clean_up_of_model_and_voice() -> None:
    class Untidy(Baker):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            try:
                async for word in super().reply(turn):
                    yield word
                await sleep(30)
            finally:
                with CancelScope(shield=True):
                    await sleep(0.8)

    speech = ScriptedSpeech(faults={0: SpeechFault(ignores_cancel=True)}, handshake_s=0.15)
    call = await simulate(Untidy(), [*ASKS, CUTS_IN, pauses(3), hangs_up()], speech=speech)

    assert call.clears[0] == pytest.approx(decided_at(call)[0], abs=0.001)


async def test_a_slow_recogniser_does_not_make_the_agent_deaf() -> None:
    texts = ["What is there?", "I would rather have some cakes please."]
    slow = ScriptedRecognizer(texts, faults={n: Fault(feed_blocks_s=1.5) for n in range(9)})
    call = await simulate(
        Baker(), [*ASKS, barges_in(texts[1], after=1.2), pauses(4)],
        recognizer=slow,
    )  # fmt: skip

    began = call.said[1].start_s
    [held, *_], [cut, *_] = decided_at(call, "held"), decided_at(call)
    assert held - began < 0.3
    assert cut - began < 1.4  # by its length alone, while the recogniser has not said a word


async def test_an_interruption_throws_no_socket_away_and_tells_the_provider_to_stop() -> None:
    speech = ScriptedSpeech(real_time_factor=0.9)
    call = await simulate(Baker(), [*ASKS, *[CUTS_IN] * 5, waits_for_agent(), hangs_up()], speech=speech)

    assert len(cut_of(call)) == 5
    assert speech.handshakes == 1
    cancelled = [context for context in speech.contexts if context.cancelled_at is not None and context.sent_s]
    assert len(cancelled) == 5
    first, *later = [turn.timeline["first_audio_received"] - turn.timeline["first_text_sent"] for turn in call.turns]
    assert later == pytest.approx([first] * len(later), abs=0.03)  # the socket is as warm as it was


@pytest.mark.parametrize("fault", [SpeechFault(ignores_cancel=True), SpeechFault(done_after_cancel=True)])
async def test_late_audio_of_an_old_context_is_not_heard_in_the_new_turn(fault: SpeechFault) -> None:
    speech = ScriptedSpeech(faults=dict.fromkeys(range(9), fault))
    call = await simulate(Baker(), [*ASKS, CUTS_IN, waits_for_agent(), hangs_up()], speech=speech)

    assert call.stale_frames == 0
    assert call.turns[-1].played == LONG
    assert [turn.words_wrong for turn in call.turns] == [0, 0]


async def test_what_the_carrier_has_buffered_is_silenced_although_the_agent_has_sent_its_last_word() -> None:
    class Hasty(Baker):
        manners = Manners(lead_s=60.0)

    call = await simulate(Hasty(), [*ASKS, CUTS_IN, pauses(2), hangs_up()])

    cut, *_ = cut_of(call)
    assert call.clears[0] == pytest.approx(decided_at(call)[0], abs=0.001)
    assert 2 < len(cut.split()) < len(LONG.split())
    assert call.turns[0].words_wrong == 0


async def test_marks_that_a_clear_returns_are_no_proof_of_hearing() -> None:
    call = await simulate(Baker(), [*ASKS, CUTS_IN, pauses(2), hangs_up()])

    clear = next(n for n, line in enumerate(lines(call)) if line.get("out") == "ClearPlayout")
    returned = [line for n, line in enumerate(lines(call)) if n > clear and line.get("in") == "MarkReturned"]
    assert returned  # they came, and
    assert call.turns[0].words_wrong == 0


async def test_what_may_not_be_interrupted_and_waits_does_not_protect_what_is_being_said() -> None:
    class Notary(Baker):
        async def on_call_start(self) -> None:
            self.call.note(first=None)
            await self.call.say(LONG)

        async def on_dtmf(self, key: str) -> None:
            await self.call.say("This has to be heard.", interruptible=False)

    class Patient(Notary):
        sources = tuple(source for source in Notary.sources if type(source).__name__ != "KeySource")

    call = await simulate(Patient(), [pauses(0.5), presses("1"), barges_in("No, wait, stop.", after=1.5), pauses(9)])

    assert call.turns[0].outcome is TurnState.INTERRUPTED
    assert "This has to be heard." in [turn.heard for turn in call.turns]


async def test_a_barge_in_before_the_first_audio_with_a_tool_s_result_queued_does_not_silence_the_call() -> None:
    class Clerk(Agent):
        @tool(pure=True)
        async def look_up(self) -> str:
            """Look something up."""
            await sleep(0.3)
            return "nothing"

    answers: Iterator[list[Thought]] = iter(
        [[ToolCall("c1", "look_up", "{}")], ["I found nothing for you, I am afraid."]]
    )
    llm = ScriptedModel(lambda _: next(answers, ["Yes, I am still here."]))
    call = await simulate(
        Clerk(),
        [says("Look it up."), pauses(0.7), says("Hello, are you there?"), waits_for_agent(), hangs_up()],
        llm=llm,
    )

    assert call.turns[-1].heard
    assert call.history[-2:][0].text.endswith("Hello, are you there?")  # type: ignore[union-attr]


async def test_a_cough_does_not_cost_a_good_answer() -> None:
    call = await simulate(Baker(), [*ASKS, coughs(after=1.0), waits_for_agent(), hangs_up()])

    assert [turn.heard for turn in call.turns] == [LONG]


async def test_mm_hm_does_not_interrupt() -> None:
    call = await simulate(Baker(), [*ASKS, backchannels("Mm-hm, okay.", after=1.0), waits_for_agent(), hangs_up()])

    assert [turn.heard for turn in call.turns] == [LONG]


async def test_the_agent_goes_on_after_a_false_alarm_at_the_very_frame() -> None:
    call = await simulate(Baker(), [*ASKS, coughs(after=1.0, seconds=0.4), waits_for_agent(), hangs_up()])

    assert decided_at(call, "held")
    assert decided_at(call) == []
    assert (call.turns[0].heard, call.turns[0].played) == (LONG, LONG)
    assert call.turns[0].timeline["heard_until"] - call.turns[0].timeline["first_frame_out"] > 4.8


async def test_an_interruption_is_no_pause_model_and_voice_are_cancelled_in_the_same_step() -> None:
    call = await simulate(Baker(), [*ASKS, CUTS_IN, pauses(2), hangs_up()])

    [at, *_] = decided_at(call)
    step = [line["out"] for line in lines(call) if line.get("t") == at and "out" in line]
    wanted = ["ClearPlayout", "TurnOpened", "OpenContext", "StopReply", "CancelContext", "BargeInDecided"]
    assert [out for out in step if out in wanted][: len(wanted)] == wanted


async def test_an_interruption_does_not_wait_until_the_caller_has_finished() -> None:
    speech = "No, wait, I do not want any bread today, what I want is a cake with cherries and some cream."
    call = await simulate(Baker(), [*ASKS, barges_in(speech, after=1.2), pauses(3), hangs_up()])

    interruption = call.said[1]
    assert decided_at(call)[0] < interruption.start_s + 1.2 < interruption.end_s - 2
