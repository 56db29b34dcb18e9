"""Whole calls in memory, through the real code: what was heard is known, so the call's own account can be judged."""

from collections.abc import AsyncIterator

import pytest
from anyio import sleep

from agentvoice import Agent, Evidence, Turn, TurnState
from agentvoice.testing.packets import REAL, SIMULATED
from agentvoice.testing.script import (
    Step,
    backchannels,
    barges_in,
    coughs,
    hangs_up,
    pauses,
    presses,
    says,
    waits_for,
    waits_for_agent,
    waits_for_hang_up,
)
from agentvoice.testing.simulate import simulate
from agentvoice.testing.tts import ScriptedSpeech, SpeechFault
from agentvoice.testing.weather import Weather
from agentvoice.trace.log import read_trace
from agentvoice.trace.replay import replay

pytestmark = pytest.mark.anyio

GREETING = "Good evening, Bella Vista, how may I help you?"
ANSWER = "You said: {} Is that right, or shall I say it once more?"


class Parrot(Agent):
    greeting = GREETING

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        if "Goodbye" in turn.prompt:
            yield "Goodbye to you too."
            self.call.hang_up()
            return
        for word in ANSWER.format(turn.prompt).split(" "):
            yield word + " "
            await sleep(0.01)

    async def on_dtmf(self, key: str) -> None:
        self.call.note(key=key)


async def test_a_caller_is_understood_cuts_in_is_answered_again_and_the_agent_hangs_up() -> None:
    call = await simulate(
        Parrot(),
        [
            waits_for_agent(),
            says("I would like a table for two."),
            barges_in("No, wait, make it four people.", after=1.2),
            waits_for_agent(),
            says("Goodbye."),
            waits_for_hang_up(),
        ],
    )

    greeted, cut, answered, goodbye = call.turns
    assert (greeted.heard, greeted.outcome) == (GREETING, TurnState.COMPLETED)
    assert cut.outcome is TurnState.INTERRUPTED
    assert cut.prompt == "I would like a table for two."
    assert cut.generated.startswith(cut.heard)
    assert answered.heard.startswith("You said: No, wait, make it four people.")
    assert goodbye.heard == "Goodbye to you too."
    assert [turn.words_wrong for turn in call.turns] == [0, 0, 0, 0]
    assert call.stale_frames == 0
    assert len(call.clears) == 1
    assert call.hung_up_by == "agent"
    assert call.overrun_s <= 1
    assert call.complaints == []
    assert [entry.text for entry in call.history if entry.role == "user"] == [
        "I would like a table for two.",
        "No, wait, make it four people.",
        "Goodbye.",
    ]


async def test_a_caller_can_cut_in_at_a_word() -> None:
    call = await simulate(Parrot(), [barges_in("Wait a moment!", at_word=5), pauses(2)])

    words = call.turns[0].heard.split()
    assert 5 <= len(words) <= 8
    assert call.turns[0].words_wrong == 0


async def test_a_cough_cuts_nothing() -> None:
    call = await simulate(Parrot(), [coughs(after=1.0), waits_for_agent(), hangs_up()])

    assert [(turn.outcome, turn.heard, turn.played) for turn in call.turns] == [
        (TurnState.COMPLETED, GREETING, GREETING)
    ]


async def test_a_listener_s_mm_hm_cuts_nothing() -> None:
    call = await simulate(Parrot(), [backchannels(after=0.7), waits_for_agent(), hangs_up()])

    assert [turn.heard for turn in call.turns] == [GREETING]
    assert call.said[0].text == "Mm-hm."


async def test_a_caller_may_wait_for_words_and_once_they_were_said_for_them_to_be_said_again() -> None:
    call = await simulate(
        Parrot(),
        [
            waits_for("how may I help"),
            says("A table."),
            waits_for("is that right"),
            waits_for("IS THAT RIGHT", limit=2),
        ],
    )

    assert [turn.heard for turn in call.turns] == [GREETING, ANSWER.format("A table.")]
    assert call.complaints == ["the agent was not heard to say 'IS THAT RIGHT', and then silent, within 2 s"]


async def test_a_caller_may_hang_up_at_any_instant() -> None:
    call = await simulate(Parrot(), [waits_for_agent(), says("I would like a table."), hangs_up(at=4.0)])

    assert call.seconds == pytest.approx(4.02, abs=0.001)
    assert call.outcome == call.hung_up_by == "caller"
    assert call.overrun_s <= 1


async def test_a_call_has_a_timeline_and_all_that_was_heard() -> None:
    call = await simulate(Parrot(), [waits_for_agent(), says("A table."), waits_for_agent()])

    assert call.heard == f"{GREETING} {ANSWER.format('A table.')}"
    steps = [(whose, what) for _, whose, what in call.timeline]
    assert steps.index(("s1", "heard_until")) < steps.index(("caller", "A table.")) < steps.index(("t1", "opened"))
    assert steps[-1] == ("caller", "hung_up")


async def test_a_voice_that_stalls_leaves_a_hole_and_a_hold_does_not() -> None:
    slow = ScriptedSpeech(real_time_factor=1.5)
    stalled = await simulate(Parrot(), [waits_for_agent(), hangs_up()], speech=slow)
    held = await simulate(Parrot(), [coughs(after=1.0), waits_for_agent(), hangs_up()])

    assert stalled.holes
    assert held.holes == []


async def test_keys_reach_the_agent() -> None:
    call = await simulate(Parrot(), [waits_for_agent(), presses("5"), pauses(0.5)])

    assert call.notes == {"key": "5"}


async def test_nothing_stale_is_heard_of_a_provider_that_goes_on_talking_after_a_cancel() -> None:
    speech = ScriptedSpeech(faults={0: SpeechFault(ignores_cancel=True)}, real_time_factor=0.9)
    call = await simulate(
        Parrot(), [barges_in("Make it four people, please.", after=0.6), waits_for_agent()], speech=speech
    )

    obstinate = speech.contexts[0]
    assert obstinate.cancelled_at is not None
    assert obstinate.done_at is not None
    assert obstinate.done_at > obstinate.cancelled_at
    assert call.stale_frames == 0
    assert [turn.words_wrong for turn in call.turns] == [0, 0]
    assert "make it four people" in call.turns[1].heard.lower()


async def test_what_a_dropped_socket_left_unsaid_is_said_by_a_successor() -> None:
    speech = ScriptedSpeech(faults={0: SpeechFault(drops_after_s=1.0)})
    call = await simulate(Parrot(), [waits_for_agent(), pauses(2)], speech=speech)

    assert call.turns[0].outcome is TurnState.COMPLETED
    assert call.turns[0].played == call.turns[0].heard == GREETING
    assert speech.handshakes == 2


async def test_where_no_mark_ever_comes_back_nothing_is_claimed_that_was_not_played() -> None:
    weather = Weather(lost_marks=1)
    call = await simulate(Parrot(), [barges_in("Wait a moment!", after=1.5), pauses(2)], weather=weather)

    assert call.turns[0].evidence is not Evidence.MARKS_AND_WORDS
    assert call.turns[0].played.startswith(call.turns[0].heard)


async def test_a_turn_that_fails_tells_why() -> None:
    class Silent(Parrot):
        apology = ""

        def reply(self, turn: Turn) -> AsyncIterator[str]:
            raise RuntimeError("no model today")

    call = await simulate(Silent(), [waits_for_agent(), says("Are you open?"), pauses(3)])

    assert call.turns[1].outcome is TurnState.FAILED
    assert (call.turns[1].heard, call.turns[1].played) == ("", "")
    assert "[failed] RuntimeError: no model today" in str(call)


async def test_a_line_that_dies_unnoticed_ends_the_call() -> None:
    call = await simulate(Parrot(), [pauses(100)], weather=Weather(dies_at_s=1.0))

    assert call.hung_up_by == "agent"
    assert call.seconds < 15
    assert call.overrun_s <= 1


async def test_bad_weather_is_survived() -> None:
    weather = Weather(jitter_s=0.06, loss=0.02, late_marks_s=0.1, seed=4)
    call = await simulate(
        Parrot(), [waits_for_agent(), says("I would like a table."), waits_for_agent()], weather=weather
    )

    assert [turn.outcome for turn in call.turns] == [TurnState.COMPLETED] * 2
    assert call.stale_frames == 0


async def test_the_same_seed_gives_the_same_call_and_its_trace_replays() -> None:
    def call(seed: int):
        script = [waits_for_agent(), says("I would like a table."), barges_in("No, wait!", after=1), pauses(3)]
        return simulate(Parrot(), script, speech=ScriptedSpeech(seed=seed, jitter_s=0.05), seed=seed)

    one, same, other = await call(1), await call(1), await call(2)

    assert str(one) == str(same)
    assert one.turns[1].timeline != other.turns[1].timeline
    assert replay(read_trace(one.trace.splitlines())).difference is None


async def test_silence_by_the_second_changes_nothing_of_the_call() -> None:
    """But the last digits of times: they are sums of other summands, and a call rounds its deadlines to whole ms."""
    script: list[Step] = [
        waits_for_agent(),
        says("A table."),
        barges_in("No, wait!", after=1),
        pauses(3.3),
        says("Four."),
    ]
    frame_by_frame, by_the_second = [
        await simulate(Parrot(), [*script, waits_for_agent()], packing=packing) for packing in (REAL, SIMULATED)
    ]

    for one, other in zip(frame_by_frame.turns, by_the_second.turns, strict=True):
        assert (other.heard, other.played, other.outcome) == (one.heard, one.played, one.outcome)
        assert other.timeline == pytest.approx(one.timeline, abs=0.0011)


async def test_a_call_reads_as_a_conversation() -> None:
    call = await simulate(Parrot(), [barges_in("Wait a moment!", after=1.0), pauses(1)])

    first, second, *_, last = str(call).splitlines()
    assert first.endswith("agent, s1: Good evening, Bella [interrupted]")
    assert second.endswith("caller (cuts in): Wait a moment!")
    assert last.endswith("hung up by the caller")
