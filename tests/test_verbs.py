"""What an agent may do on a call, in whole simulated calls."""

import math
import wave
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from anyio import current_time, sleep

from agentvoice import Agent, Manners, Protected, Turn, TurnClosed, TurnState, Voicing
from agentvoice.errors import LocalProtocolError, UsageError
from agentvoice.testing.script import (
    barges_in,
    hangs_up,
    pauses,
    presses,
    says,
    waits_for,
    waits_for_agent,
    waits_for_hang_up,
)
from agentvoice.testing.simulate import simulate

pytestmark = pytest.mark.anyio

NUMBERS = {"two": 2, "four": 4}


def number(words: str) -> int:
    """Find a number in what somebody said."""
    for word in words.lower().rstrip(".").split():
        if word in NUMBERS:
            return NUMBERS[word]
    raise ValueError


@pytest.fixture
def gong(tmp_path: Path) -> Path:
    """A second of a tone that no engine makes."""
    path = tmp_path / "gong.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        samples = [int(9000 * math.sin(n / 3)) for n in range(8000)]
        file.writeframes(array("h", [sample for sample in samples for _ in range(2)]).tobytes())
    return path


class Silent(Agent):
    """Says nothing unless it is told to."""

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        words: tuple[str, ...] = ()
        for word in words:
            yield word


# ------------------------------------------------------------------ questions


class Clerk(Silent):
    async def on_call_start(self) -> None:
        party = await self.call.ask("For how many people?", number)
        self.call.note(party=party)
        await self.call.say(f"A table for {party}.")
        self.call.hang_up()


async def test_a_question_is_answered_by_what_its_answer_means() -> None:
    call = await simulate(Clerk(), [waits_for_agent(), says("We are four."), waits_for_hang_up()])

    assert call.notes == {"party": 4}
    assert [turn.heard for turn in call.turns] == ["For how many people?", "A table for 4."]


async def test_a_question_that_was_not_answered_is_asked_again() -> None:
    call = await simulate(
        Clerk(), [waits_for_agent(), says("What do you mean?"), waits_for_agent(), says("Two."), waits_for_hang_up()]
    )

    assert call.turns[1].heard == "Sorry, I did not get that. For how many people?"
    assert call.notes == {"party": 2}


async def test_a_question_is_not_asked_for_ever() -> None:
    call = await simulate(Clerk(), [*(waits_for_agent(), says("What?")) * 3, waits_for_hang_up()])

    assert call.notes == {"party": None}


async def test_a_question_may_be_answered_before_it_was_asked_to_its_end() -> None:
    call = await simulate(Clerk(), [barges_in("There are four of us.", after=0.5), waits_for_hang_up()])

    assert call.turns[0].outcome is TurnState.INTERRUPTED
    assert call.notes == {"party": 4}


async def test_a_caller_who_says_two_things_that_are_no_answer_is_asked_twice_and_no_more() -> None:
    class Fussy(Clerk):
        async def on_call_start(self) -> None:
            self.call.note(party=await self.call.ask("How many?", number, attempts=2))
            self.call.hang_up()

    call = await simulate(
        Fussy(), [waits_for_agent(), says("Eh?"), waits_for_agent(), says("Eh?"), waits_for_hang_up()]
    )

    assert [turn.heard for turn in call.turns] == ["How many?", "Sorry, I did not get that. How many?"]
    assert call.notes == {"party": None}


async def test_what_an_answer_means_may_take_its_time_and_say_what_is_wrong_with_it() -> None:
    class Slow(Silent):
        async def on_call_start(self) -> None:
            self.call.note(party=await self.call.ask("How many?", self.small))
            self.call.hang_up()

        async def small(self, words: str) -> int:
            await sleep(1)
            if number(words) > 2:
                raise ValueError("We have small tables only.")
            return number(words)

    call = await simulate(
        Slow(), [waits_for_agent(), says("Four."), waits_for_agent(), says("Two."), waits_for_hang_up()]
    )

    assert call.turns[1].heard == "We have small tables only. How many?"
    assert call.notes == {"party": 2}


async def test_only_one_question_is_open_at_a_time() -> None:
    class Hasty(Silent):
        async def on_call_start(self) -> None:
            await self.call.ask("How many?", number)

        async def on_dtmf(self, key: str) -> None:
            with pytest.raises(LocalProtocolError, match="open already"):
                await self.call.ask("When?", number)
            self.call.note(key=key)

    call = await simulate(Hasty(), [waits_for_agent(), presses("1"), pauses(1), hangs_up()])

    assert call.notes == {"key": "1"}


class Careful(Silent):
    async def on_call_start(self) -> None:
        party = await self.call.ask("How many?", number, read_back=lambda n: f"That is {n}, right?", attempts=2)
        self.call.note(party=party)
        self.call.hang_up()


@pytest.mark.parametrize(
    ("said", "heard", "party"),
    [
        (["Four.", "Yes."], ["How many?", "That is 4, right?"], 4),
        (["Four.", "No, two.", "Yes."], ["How many?", "That is 4, right?", "That is 2, right?"], 2),
        (["Four.", "No.", "Two.", "Yes."], ["How many?", "That is 4, right?", "How many?", "That is 2, right?"], 2),
        (["Four.", "Four."], ["How many?", "That is 4, right?"], 4),
        (["Four.", "Hm.", "Hm."], ["How many?", "That is 4, right?", "Please say yes or no. That is 4, right?"], None),
    ],
)
async def test_an_answer_that_is_read_back_counts_when_the_caller_agrees(
    said: list[str], heard: list[str], party: int | None
) -> None:
    steps = [step for line in said for step in (waits_for_agent(), says(line))]
    call = await simulate(Careful(), [*steps, waits_for_hang_up()])

    assert [turn.heard for turn in call.turns] == heard
    assert call.notes == {"party": party}


# ------------------------------------------------------------------ sounds


async def test_a_sound_is_played_between_what_is_said(gong: Path) -> None:
    class Gong(Silent):
        async def on_call_start(self) -> None:
            heard = await self.call.play(gong, "Gong!")
            assert heard is not None
            self.call.note(seconds=heard.seconds)
            await self.call.say("Good evening.")
            self.call.hang_up()

    call = await simulate(Gong(), [waits_for_hang_up()])

    assert [turn.heard for turn in call.turns] == ["Gong!", "Good evening."]
    assert call.notes == {"seconds": pytest.approx(1.0)}


async def test_music_on_hold_lasts_as_long_as_it_takes_and_no_longer(gong: Path) -> None:
    class Busy(Silent):
        async def on_call_start(self) -> None:
            async with self.call.hold(gong):
                await sleep(3.5)
            before = current_time()
            await self.call.say("Thank you for waiting.")
            self.call.note(waited=current_time() - before)
            self.call.hang_up()

    call = await simulate(Busy(), [waits_for_hang_up()])

    music, words = call.turns
    assert (music.outcome, music.reason) == (TurnState.INTERRUPTED, "stopped")
    assert music.timeline["heard_until"] == pytest.approx(3.5, abs=0.3)
    assert words.heard == "Thank you for waiting."
    assert call.notes["waited"] < 3


async def test_a_sound_that_is_none_is_refused_with_the_way_out(tmp_path: Path) -> None:
    wrong = tmp_path / "song.mp3"
    wrong.write_bytes(b"ID3")

    class Gong(Silent):
        async def on_call_start(self) -> None:
            with pytest.raises(UsageError, match=r"ffmpeg -i .*song\.mp3"):
                await self.call.play(wrong)
            with pytest.raises(UsageError, match="no such file"):
                await self.call.play(tmp_path / "none.wav")
            self.call.note(refused=True)
            self.call.hang_up()

    assert (await simulate(Gong(), [waits_for_hang_up()])).notes == {"refused": True}


# ------------------------------------------------------------------ what was cut


class Storyteller(Silent):
    async def on_call_start(self) -> None:
        await self.call.say("Once upon a time there was a king who had three daughters and no son at all.")

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        yield "Yes, of course."

    async def on_interrupted(self, turn: TurnClosed) -> None:
        await self.call.resume(turn, "As I was saying, ")


async def test_what_was_cut_can_be_taken_up_again_at_the_first_word_that_was_not_heard() -> None:
    call = await simulate(Storyteller(), [barges_in("Sorry, wait a moment.", at_word=5), pauses(12), hangs_up()])

    cut, answer, rest = call.turns
    assert answer.heard == "Yes, of course."
    assert rest.heard.startswith("As I was saying, ")
    told = f"{cut.heard} {rest.heard.removeprefix('As I was saying, ')}"
    assert told == "Once upon a time there was a king who had three daughters and no son at all."


async def test_protected_text_is_heard_although_the_caller_talks_over_it() -> None:
    class Bank(Silent):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            yield Protected("This call is recorded for training. ")
            yield "You have a hundred and twenty pounds in your account, and a loan of two thousand."

    call = await simulate(
        Bank(),
        [says("My balance please."), barges_in("No wait, I mean my other account.", after=0.3), pauses(6), hangs_up()],
    )

    cut = call.turns[0]
    assert cut.outcome is TurnState.INTERRUPTED
    assert cut.heard.startswith("This call is recorded for training.")
    assert cut.words_wrong == 0
    assert call.stale_frames == 0


# ------------------------------------------------------------------ hand-offs


class Sales(Agent):
    greeting = "Sales, what can I do for you?"
    instructions = "You sell things."
    voicing = Voicing(voice="bass")

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        yield f"You are told: {turn.history[0].content}"
        self.call.hand_back()


class Desk(Agent):
    instructions = "You connect people."

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        yield "I put you through."
        self.call.hand_off(Sales())

    async def on_hand_off(self, previous: Agent) -> None:
        self.call.note(back_from=type(previous).__name__)


async def test_another_agent_takes_over_with_all_that_was_said_and_gives_the_call_back() -> None:
    call = await simulate(
        Desk(), [says("Sales please."), waits_for("do for you"), says("A car."), waits_for_agent(), hangs_up()]
    )

    assert [turn.heard for turn in call.turns] == [
        "I put you through.",
        "Sales, what can I do for you?",
        "You are told: You sell things.",
    ]
    assert call.notes == {"back_from": "Sales"}


async def test_handing_back_when_nobody_handed_off_changes_nothing() -> None:
    class Alone(Silent):
        async def on_call_start(self) -> None:
            self.call.hand_back()
            self.call.hang_up()

    assert (await simulate(Alone(), [waits_for_hang_up()])).hung_up_by == "agent"


# ------------------------------------------------------------------ silence and limits


async def test_an_agent_may_ask_a_silent_caller_whether_somebody_is_there() -> None:
    class Patient(Silent):
        manners = Manners(silence_s=4.0)

        async def on_silence(self, times: int) -> None:
            if times > 2:
                self.call.hang_up()
            else:
                await self.call.say("Are you still there?")

    call = await simulate(Patient(), [waits_for_hang_up(limit_s=60)])

    assert [turn.heard for turn in call.turns] == ["Are you still there?"] * 2
    assert call.hung_up_by == "agent"


async def test_an_agent_is_told_that_the_call_will_end_and_then_it_ends() -> None:
    class Hourly(Silent):
        manners = Manners(call_s=20.0, warn_s=5.0)

        async def on_limit(self, left_s: float) -> None:
            await self.call.say(f"We have {left_s:.0f} seconds left.")

    call = await simulate(Hourly(), [waits_for_hang_up(limit_s=60)])

    assert [turn.heard for turn in call.turns] == ["We have 5 seconds left."]
    assert call.seconds == pytest.approx(20.0, abs=0.5)


async def test_a_call_that_has_cost_as_much_as_it_may_ends_after_the_last_word() -> None:
    class Chatty(Agent):
        manners = Manners(most_characters=40)

        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            yield "There is so much to say about that, and more besides."

    call = await simulate(Chatty(), [says("Tell me."), waits_for_hang_up(limit_s=20)])

    assert call.turns[0].outcome is TurnState.COMPLETED
    assert call.hung_up_by == "agent"


async def test_a_caller_is_put_through_after_the_last_word() -> None:
    class Operator(Silent):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            self.call.transfer("+15550100", summary="A caller.")
            yield "I put you through to my colleague."

    call = await simulate(Operator(), [says("A person please."), waits_for_hang_up(limit_s=20)])

    assert [turn.heard for turn in call.turns] == ["I put you through to my colleague."]
    assert call.hung_up_by == "agent"
    assert '"transfer":{"to":"+15550100","summary":"A caller."}' in call.trace


# ------------------------------------------------------------------ what an agent remembers


@dataclass
class Order:
    items: list[str] = field(default_factory=list)


class Waiter(Agent[Order]):
    pass


class HeadWaiter(Waiter):
    pass


def test_each_call_has_a_state_of_its_own() -> None:
    first, second = HeadWaiter(), HeadWaiter()
    first.state.items.append("soup")

    assert (first.state.items, second.state.items) == (["soup"], [])


def test_an_agent_that_names_no_state_has_a_dict() -> None:
    assert Silent().state == {}


def test_a_state_that_cannot_be_made_says_what_to_do() -> None:
    @dataclass
    class Strict:
        name: str

    class Odd(Agent[Strict]):
        pass

    with pytest.raises(UsageError, match="give its fields defaults"):
        _ = Odd().state
