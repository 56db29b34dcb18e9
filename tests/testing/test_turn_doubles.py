"""Doubles that know turns, and whole calls in which they decide when the caller has finished."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agentvoice import Agent, Manners, Turn, TurnState
from agentvoice.endpointing import Endpointing
from agentvoice.testing.contracts.turn_recognizer import check_turn_recognizer
from agentvoice.testing.lexicon import Lexicon
from agentvoice.testing.script import barges_in, pauses, says, waits_for_agent, waits_for_hang_up
from agentvoice.testing.simulate import simulate
from agentvoice.testing.simulated import SimulatedCall
from agentvoice.testing.turns import ScriptedJudge, ScriptedTurnRecognizer
from agentvoice.trace.log import read_trace
from agentvoice.trace.replay import replay

pytestmark = pytest.mark.anyio


class Clerk(Agent):
    manners = Manners(endpointing=Endpointing(silence_s=0.7, sure_s=0.3, patience_s=1.4))
    greeting = "Good evening, how may I help you today?"

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        if "Goodbye" in turn.prompt:
            yield "Goodbye."
            self.call.hang_up()
        else:
            yield f"You said: {turn.prompt} Is that right, or shall I say it all once more?"


async def test_the_double_of_a_recogniser_that_knows_turns_keeps_the_contract() -> None:
    lexicon = Lexicon()

    await check_turn_recognizer(
        lambda: ScriptedTurnRecognizer(lexicon.hear),
        speech=lexicon.say("a table for two please"),
        understood=lambda text: text == "a table for two please",
    )


async def test_a_pause_within_a_turn_is_likely_an_end_and_then_not() -> None:
    call, turns = await conversation(says("A table for"), pauses(0.4), says("two people."))

    assert turns.turns == 2, "the second is the goodbye"
    assert [turn.prompt for turn in call.turns if turn.prompt] == ["A table for two people.", "Goodbye."]
    guesses = [turn.prompt for turn in call.withdrawn if turn.prompt]
    assert guesses[0] == "A table for", "it was guessed at, and that left no trace"


async def conversation(*steps, crashes=()) -> tuple[SimulatedCall, ScriptedTurnRecognizer]:
    lexicon = Lexicon()
    turns = ScriptedTurnRecognizer(lexicon.hear, crashes=crashes)
    script = [waits_for_agent(), *steps, waits_for_agent(), says("Goodbye."), waits_for_hang_up()]
    return await simulate(Clerk(), script, recognizer=turns, lexicon=lexicon), turns


async def test_a_call_goes_by_the_turns_that_its_recogniser_knows() -> None:
    call, _ = await conversation(says("I would like a table for two."))

    assert [turn.prompt for turn in call.turns if turn.prompt] == ["I would like a table for two.", "Goodbye."]
    assert all(turn.outcome is TurnState.COMPLETED for turn in call.turns)


async def test_its_word_that_a_turn_began_cuts_the_agent_off() -> None:
    call, _ = await conversation(says("A table."), barges_in("No wait, a room for four.", after=1.0))

    cut = call.turns[1]
    assert cut.outcome is TurnState.INTERRUPTED
    assert call.stale_frames == 0
    assert call.turns[2].generated.startswith("You said: No wait, a room for four.")


async def test_a_recogniser_that_breaks_in_a_turn_is_given_it_again_and_the_call_goes_on() -> None:
    call, turns = await conversation(says("I would like a table for two."), crashes=(0,))

    assert turns.opened == 2
    assert [turn.prompt for turn in call.turns if turn.prompt] == ["I would like a table for two.", "Goodbye."]


@pytest.mark.parametrize(("finished", "waits_s"), [(1.0, 0.3), (0.0, 1.4), (None, 0.7)])
async def test_a_model_of_turns_makes_the_agent_quicker_or_more_patient(finished: float | None, waits_s: float) -> None:
    lexicon = Lexicon()
    judge = None if finished is None else ScriptedJudge(lambda _: finished)
    script = [waits_for_agent(), says("A table for two."), waits_for_agent(), says("Goodbye."), waits_for_hang_up()]

    call = await simulate(Clerk(), script, lexicon=lexicon, end_of_turn=judge)

    assert judge is None or judge.asked == ["A table for two.", "Goodbye."]
    steps = call.turns[1].timeline
    assert steps["utterance_final"] - steps["caller_stopped"] == pytest.approx(waits_s, abs=0.06)


async def test_a_call_with_a_model_of_turns_is_decided_again_as_it_was() -> None:
    lexicon = Lexicon()
    script = [waits_for_agent(), says("A table for two."), waits_for_agent(), says("Goodbye."), waits_for_hang_up()]
    call = await simulate(Clerk(), script, lexicon=lexicon, end_of_turn=ScriptedJudge())

    assert '"out":"JudgePause"' in call.trace
    assert replay(read_trace(call.trace)).difference is None
