"""Which tools run, and what the model is told: decided without a loop."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from agentvoice.commands import AnswerTool, Command, StartTool, StopTool
from agentvoice.errands import ALREADY, LEFT, RECENT_S, TRANSITIONS, Errand, Errands, State
from agentvoice.errors import LocalProtocolError
from agentvoice.events import OnInterrupt, ToolEnded, ToolOutcome, ToolRequested
from agentvoice.history import Fact, History, ToolUse

DONE, FAILED, CANCELLED = ToolOutcome.DONE, ToolOutcome.FAILED, ToolOutcome.CANCELLED


class Scene:
    """A call's errands, and the history that they write."""

    def __init__(self) -> None:
        self.history = History()
        self.errands = Errands(self.history)
        self.now = 0.0

    def asks(
        self,
        turn_id: str,
        tool_call_id: str,
        arguments: str = '{"party": 2}',
        *,
        confirmed: bool = True,
        pure: bool = False,
        on_interrupt: OnInterrupt = OnInterrupt.FINISH_AND_TELL,
    ) -> Sequence[Command]:
        request = ToolRequested(turn_id, tool_call_id, "book", arguments, 1, pure, on_interrupt)
        return self.errands.request(request, confirmed=confirmed, now=self.now)

    def ends(self, tool_call_id: str, outcome: ToolOutcome = DONE, result: str = "booked") -> Sequence[Command]:
        return self.errands.ended(ToolEnded(tool_call_id, outcome, result), now=self.now)

    def is_cut(self, turn_id: str) -> Sequence[Command]:
        return self.errands.end_turn(turn_id, completed=False, now=self.now)

    def is_heard(self, turn_id: str) -> Sequence[Command]:
        return self.errands.end_turn(turn_id, completed=True, now=self.now)

    def confirms(self, turn_id: str) -> Sequence[Command]:
        return self.errands.confirm(turn_id, now=self.now)

    @property
    def results(self) -> dict[str, str | None]:
        return {entry.call.id: entry.result for entry in self.history.entries if isinstance(entry, ToolUse)}

    @property
    def facts(self) -> list[str]:
        return [entry.text for entry in self.history.entries if isinstance(entry, Fact)]


@pytest.fixture
def scene() -> Scene:
    return Scene()


START, ANSWER = [StartTool("c1", "book")], [AnswerTool("c1", "booked")]


# ------------------------------------------------------------------ in peace


def test_a_tool_runs_at_once_and_the_model_is_answered(scene: Scene) -> None:
    assert scene.asks("t1", "c1") == START
    assert scene.results == {"c1": None}
    assert scene.ends("c1") == ANSWER
    assert scene.results == {"c1": "booked"}


def test_one_request_is_run_once_however_often_it_comes(scene: Scene) -> None:
    assert scene.asks("t1", "c1") == START
    assert scene.asks("t1", "c1") == []
    scene.ends("c1")
    assert scene.asks("t1", "c1") == []
    assert scene.ends("c1", result="booked again") == []
    assert scene.results == {"c1": "booked"}


def test_in_one_turn_the_same_may_be_asked_for_twice(scene: Scene) -> None:
    assert scene.asks("t1", "c1") == START
    assert scene.asks("t1", "c2") == [StartTool("c2", "book")]


def test_what_a_heard_turn_did_may_be_done_again(scene: Scene) -> None:
    scene.asks("t1", "c1")
    scene.ends("c1")
    assert scene.is_heard("t1") == []
    assert scene.asks("t2", "c2") == [StartTool("c2", "book")]


def test_what_nobody_asked_for_cannot_end(scene: Scene) -> None:
    assert scene.ends("c9") == []
    assert scene.history.entries == []


# ------------------------------------------------------------------ speculative turns


def test_a_tool_waits_until_its_turn_is_confirmed(scene: Scene) -> None:
    assert scene.asks("t1", "c1", confirmed=False) == []
    assert scene.history.entries == []
    assert scene.confirms("t1") == START
    assert scene.results == {"c1": None}


def test_a_tool_of_a_withdrawn_turn_never_runs_and_leaves_no_trace(scene: Scene) -> None:
    scene.asks("t1", "c1", confirmed=False)
    assert scene.is_cut("t1") == []
    assert scene.history.entries == []


def test_a_pure_tool_runs_ahead_and_is_recorded_when_its_turn_is_confirmed(scene: Scene) -> None:
    assert scene.asks("t1", "c1", confirmed=False, pure=True) == START
    assert scene.ends("c1") == ANSWER
    assert scene.history.entries == []
    assert scene.confirms("t1") == []
    assert scene.results == {"c1": "booked"}


def test_a_pure_tool_that_runs_ahead_in_vain_is_stopped_and_forgotten(scene: Scene) -> None:
    scene.asks("t1", "c1", confirmed=False, pure=True, on_interrupt=OnInterrupt.CANCEL)
    assert scene.is_cut("t1") == [StopTool("c1")]
    assert scene.ends("c1", DONE) == []
    assert scene.history.entries == []


def test_a_pure_tool_that_runs_ahead_and_finishes_in_vain_is_no_fact(scene: Scene) -> None:
    scene.asks("t1", "c1", confirmed=False, pure=True)
    scene.is_cut("t1")
    assert scene.ends("c1") == []
    assert scene.history.entries == []


# ------------------------------------------------------------------ barge-in, as declared


def test_cancel_is_stopped_with_its_turn_and_the_model_is_told(scene: Scene) -> None:
    scene.asks("t1", "c1", on_interrupt=OnInterrupt.CANCEL)
    assert scene.is_cut("t1") == [StopTool("c1")]
    assert scene.results == {"c1": "cancelled: the caller interrupted"}
    assert scene.ends("c1", CANCELLED, "cancelled") == []
    assert scene.facts == []


def test_what_was_done_before_it_could_be_cancelled_is_told_as_a_fact(scene: Scene) -> None:
    scene.asks("t1", "c1", on_interrupt=OnInterrupt.CANCEL)
    scene.is_cut("t1")
    assert scene.ends("c1", DONE) == []
    assert scene.facts == ['Meanwhile book({"party": 2}) was done: booked']


def test_a_pure_tool_that_was_done_before_it_could_be_cancelled_is_not_worth_a_word(scene: Scene) -> None:
    scene.asks("t1", "c1", pure=True, on_interrupt=OnInterrupt.CANCEL)
    scene.is_cut("t1")
    scene.ends("c1", DONE)
    assert scene.facts == []


def test_what_failed_while_it_was_cancelled_is_not_worth_a_word(scene: Scene) -> None:
    scene.asks("t1", "c1", on_interrupt=OnInterrupt.CANCEL)
    scene.is_cut("t1")
    scene.ends("c1", FAILED)
    assert scene.facts == []


def test_finish_goes_on_and_nothing_more_is_said_of_it(scene: Scene) -> None:
    scene.asks("t1", "c1", on_interrupt=OnInterrupt.FINISH)
    assert scene.is_cut("t1") == []
    assert scene.results == {"c1": LEFT[OnInterrupt.FINISH]}
    assert scene.ends("c1") == []
    assert scene.facts == []


def test_finish_and_tell_goes_on_and_its_result_is_a_fact(scene: Scene) -> None:
    scene.asks("t1", "c1")
    assert scene.is_cut("t1") == []
    assert scene.results == {"c1": LEFT[OnInterrupt.FINISH_AND_TELL]}
    assert scene.ends("c1") == []
    assert scene.facts == ['Meanwhile book({"party": 2}) was done: booked']


def test_finish_and_tell_tells_of_failure_too(scene: Scene) -> None:
    scene.asks("t1", "c1")
    scene.is_cut("t1")
    scene.ends("c1", FAILED, "error: full")
    assert scene.facts == ['Meanwhile book({"party": 2}) came to nothing: error: full']


# ------------------------------------------------------------------ none runs twice


def test_the_same_asked_again_while_it_still_runs_waits_for_the_first_ones_result(scene: Scene) -> None:
    scene.asks("t1", "c1", '{"party": 2, "at": 7}')
    scene.is_cut("t1")
    assert scene.asks("t2", "c2", '{"at":7,"party":2}') == []
    assert scene.ends("c1") == [AnswerTool("c2", "booked" + ALREADY)]
    assert scene.results["c2"] == "booked" + ALREADY
    assert scene.facts == []


@pytest.mark.parametrize("on_interrupt", OnInterrupt)
def test_the_same_asked_again_when_just_done_has_that_result(scene: Scene, on_interrupt: OnInterrupt) -> None:
    scene.asks("t1", "c1", on_interrupt=on_interrupt)
    scene.ends("c1")
    scene.is_cut("t1")
    scene.now = RECENT_S
    assert scene.asks("t2", "c2") == [AnswerTool("c2", "booked" + ALREADY)]
    scene.is_cut("t2")
    scene.now = 2 * RECENT_S  # the caller cuts in again and again
    assert scene.asks("t3", "c3") == [AnswerTool("c3", "booked" + ALREADY)]


def test_what_a_turn_did_that_then_broke_down_is_not_done_again(scene: Scene) -> None:
    scene.asks("t1", "c1")
    scene.ends("c1")
    scene.errands.break_off("t1", now=scene.now)
    scene.is_heard("t1")  # an apology
    assert scene.asks("t2", "c2") == [AnswerTool("c2", "booked" + ALREADY)]


def test_after_a_while_the_same_is_a_new_wish(scene: Scene) -> None:
    scene.asks("t1", "c1")
    scene.ends("c1")
    scene.is_cut("t1")
    scene.now = RECENT_S + 0.1
    assert scene.asks("t2", "c2") == [StartTool("c2", "book")]


def test_other_arguments_are_another_errand(scene: Scene) -> None:
    scene.asks("t1", "c1", '{"party": 2}')
    scene.is_cut("t1")
    assert scene.asks("t2", "c2", '{"party": 4}') == [StartTool("c2", "book")]
    assert scene.asks("t2", "c3", "not JSON") == [StartTool("c3", "book")]


def test_what_failed_may_be_tried_again(scene: Scene) -> None:
    scene.asks("t1", "c1")
    scene.ends("c1", FAILED)
    scene.is_cut("t1")
    assert scene.asks("t2", "c2") == [StartTool("c2", "book")]


def test_a_pure_tool_may_run_as_often_as_it_is_asked_for(scene: Scene) -> None:
    scene.asks("t1", "c1", pure=True)
    scene.is_cut("t1")
    assert scene.asks("t2", "c2", pure=True) == [StartTool("c2", "book")]


def test_the_same_asked_again_while_it_is_being_cancelled_begins_when_that_is_over(scene: Scene) -> None:
    scene.asks("t1", "c1", on_interrupt=OnInterrupt.CANCEL)
    scene.is_cut("t1")
    assert scene.asks("t2", "c2", on_interrupt=OnInterrupt.CANCEL) == []
    assert scene.asks("t2", "c3", on_interrupt=OnInterrupt.CANCEL) == []
    assert scene.ends("c1", CANCELLED) == [StartTool("c2", "book")]
    assert scene.ends("c2") == [AnswerTool("c2", "booked"), AnswerTool("c3", "booked" + ALREADY)]
    assert scene.facts == []


def test_the_same_asked_again_waits_until_every_one_of_its_like_is_cancelled(scene: Scene) -> None:
    scene.asks("t1", "c1", on_interrupt=OnInterrupt.CANCEL)
    scene.asks("t1", "c2", on_interrupt=OnInterrupt.CANCEL)
    scene.is_cut("t1")
    scene.asks("t2", "c3", on_interrupt=OnInterrupt.CANCEL)
    assert scene.ends("c2", CANCELLED) == []
    assert scene.ends("c1", CANCELLED) == [StartTool("c3", "book")]


def test_the_same_asked_again_while_cancelling_comes_too_late_has_that_result(scene: Scene) -> None:
    scene.asks("t1", "c1", on_interrupt=OnInterrupt.CANCEL)
    scene.is_cut("t1")
    scene.asks("t2", "c2", on_interrupt=OnInterrupt.CANCEL)
    assert scene.ends("c1", DONE) == [AnswerTool("c2", "booked" + ALREADY)]


def test_who_waits_for_another_and_is_cut_too_has_an_answer_all_the_same(scene: Scene) -> None:
    scene.asks("t1", "c1")
    scene.is_cut("t1")
    scene.asks("t2", "c2")
    assert scene.is_cut("t2") == []
    assert scene.results["c2"] == LEFT[OnInterrupt.FINISH_AND_TELL]
    assert scene.ends("c1") == []
    assert len(scene.facts) == 1


def test_the_same_asked_ahead_waits_for_confirmation_and_then_shares(scene: Scene) -> None:
    scene.asks("t1", "c1")
    scene.is_cut("t1")
    assert scene.asks("t2", "c2", confirmed=False) == []
    scene.ends("c1")
    assert scene.confirms("t2") == [AnswerTool("c2", "booked" + ALREADY)]


def test_what_can_answer_for_nothing_any_more_is_forgotten(scene: Scene) -> None:
    for number in range(1000):
        scene.asks(f"t{number}", f"c{number}", f'{{"party": {number}}}')
        scene.ends(f"c{number}")
        scene.is_cut(f"t{number}")
        scene.now += 1
    assert len(scene.errands._errands) <= RECENT_S + 2


def test_an_errand_moves_only_along_the_arrows() -> None:
    for state, reachable in TRANSITIONS.items():
        for other in State:
            errand = Errand(ToolRequested("t", "c", "book", "{}"), state)
            if other in reachable:
                errand.step(other)
                assert errand.state is other
            else:
                with pytest.raises(LocalProtocolError):
                    errand.step(other)


# ------------------------------------------------------------------ in whatever order

STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "end", "cut", "hear", "confirm", "wait"]), st.integers(0, 5), st.integers(0, 2)),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, on_interrupt=st.sampled_from(OnInterrupt), pure=st.booleans())
def test_whatever_happens_nothing_withdrawn_runs_nothing_runs_twice_and_nothing_stays_pending(
    steps: list[tuple[str, int, int]], on_interrupt: OnInterrupt, *, pure: bool
) -> None:
    scene = Scene()
    turn, confirmed, asked = 0, False, 0
    dead: set[str] = set()
    of: dict[str, tuple[str, str]] = {}  # each request's turn and arguments
    running: dict[str, str] = {}  # by request, the arguments
    started: list[str] = []

    def carry_out(commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case StartTool(call_id):
                    turn_id, arguments = of[call_id]
                    assert turn_id not in dead
                    assert confirmed or pure
                    assert call_id not in started
                    if not pure:  # what was cut off and still runs does not run beside itself
                        assert all(of[other][0] == turn_id for other, same in running.items() if same == arguments)
                    started.append(call_id)
                    running[call_id] = arguments
                case AnswerTool(call_id):
                    assert of[call_id][0] not in dead
                case StopTool(call_id):
                    assert on_interrupt is OnInterrupt.CANCEL
                    assert call_id in running

    for what, number, party in steps:
        turn_id = f"t{turn}"
        match what:
            case "ask":
                asked += 1
                call_id, arguments = f"c{asked}", json.dumps({"party": party})
                of[call_id] = (turn_id, arguments)
                carry_out(
                    scene.asks(turn_id, call_id, arguments, confirmed=confirmed, pure=pure, on_interrupt=on_interrupt)
                )
            case "end" if running:
                call_id = sorted(running)[number % len(running)]
                del running[call_id]
                carry_out(scene.ends(call_id, list(ToolOutcome)[party]))
            case "cut" | "hear":
                dead.add(turn_id)
                carry_out(scene.is_cut(turn_id) if what == "cut" else scene.is_heard(turn_id))
                turn, confirmed = turn + 1, bool(number % 2)
            case "confirm":
                confirmed = True  # more than once is harmless
                carry_out(scene.confirms(turn_id))
            case "wait":
                scene.now += 10 * number
        assert all(result is not None for use, result in scene.results.items() if of[use][0] in dead)
    assert len(scene.results) == len([entry for entry in scene.history.entries if isinstance(entry, ToolUse)])
