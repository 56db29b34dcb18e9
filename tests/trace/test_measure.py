"""What the recording and the far end say, beside what the trace says."""

from dataclasses import replace

from agentvoice.commands import TurnState
from agentvoice.trace.measure import Measured, measure
from agentvoice.trace.story import BargeInStory, ContextSpan, Hole, Sound, Story, Stretch, TurnStory, Word
from agentvoice.trace.truth import Truth

CUT = TurnStory(
    id="t1",
    prompt="hello",
    opened=1.0,
    closed=3.0,
    outcome=TurnState.INTERRUPTED,
    generated="one two three",
    heard=None,
    contexts=(ContextSpan("c1", 1.0, 3.0),),
    states=(Stretch(TurnState.SPEAKING, 1.5, 3.0),),
    words=(
        Word("one", 1.5, 2.0, heard=True, position=0.5),
        Word("two", 2.0, 2.5, heard=True, position=1.0),
        Word("three", 2.5, 3.5, heard=False, position=2.0),
    ),
    marks=(),
    sounds=(Sound(1.5, 2.9),),
    timeline={"caller_stopped": 0.9, "first_frame_out": 1.5},
)
NEXT = replace(CUT, id="t2", opened=3.0, closed=6.0, outcome=TurnState.COMPLETED, sounds=(Sound(5.0, 6.0),))
SILENT = replace(CUT, id="t3", opened=6.0, closed=7.0, outcome=TurnState.WITHDRAWN, sounds=(), words=(), timeline={})
BARGE_IN = BargeInStory(
    "t1", "words", at=2.4, held=None, decided=2.8, confirmed=True, cleared=2.8, silent=2.9
)  # fmt: skip
STORY = Story(
    call_id="c",
    agent="",
    start=0.0,
    end=7.0,
    turns=(CUT, NEXT, SILENT),
    utterances=(),
    segments=(),
    understood=(),
    barge_ins=(BARGE_IN,),
    holes=(Hole(2.0, 0.1),),
    keys=(),
    stale_frames=0,
    stale_dropped=0,
    ended_by="",
)
AGENT = (Sound(1.52, 2.2), Sound(2.3, 2.94), Sound(5.01, 6.0))


CALLER = (Sound(0.2, 0.85),)


def measured(*, agent=AGENT, caller=CALLER, **truth) -> Measured:
    return Measured(STORY, agent, caller, Truth(0.0, **truth) if truth else None)


def test_the_agent_is_silent_when_the_last_sound_of_the_cut_turn_has_ended() -> None:
    assert measured().silent(BARGE_IN) == 2.94


def test_silence_cannot_be_measured_without_a_recording_or_a_turn_that_was_heard() -> None:
    assert measure(STORY, None, None).silent(BARGE_IN) is None
    assert measured().silent(replace(BARGE_IN, turn_id="t3")) is None
    assert measured().silent(replace(BARGE_IN, turn_id="t9")) is None
    assert measured().silent(replace(BARGE_IN, confirmed=False)) is None
    assert measured(agent=(Sound(5.01, 6.0),)).silent(BARGE_IN) is None


def test_the_line_was_cleared_when_the_far_end_says_so() -> None:
    assert measured(clears=[1.0, 2.81, 4.0]).cleared(BARGE_IN) == 2.81
    assert measured(clears=[1.0]).cleared(BARGE_IN) is None
    assert measured().cleared(BARGE_IN) is None
    assert measured(clears=[2.9]).cleared(replace(BARGE_IN, cleared=None)) is None


def test_an_answer_is_measured_from_the_last_sound_of_the_caller_to_the_first_of_the_agent() -> None:
    assert round(measured().response(CUT) or 0, 6) == 0.67
    assert measured().response(SILENT) is None
    assert measured(caller=()).response(CUT) is None
    assert measured(agent=(Sound(0.1, 0.2),)).response(CUT) is None
    assert measure(STORY, None, None).response(CUT) is None


def test_the_words_recorded_as_heard_are_compared_with_what_was_played() -> None:
    assert measured(played=[Sound(1.5, 2.6), Sound(5.0, 6.0)]).words_error(CUT) == 0
    assert measured(played=[Sound(1.5, 2.1)]).words_error(CUT) == 1
    assert measured(played=[Sound(1.5, 4.0)]).words_error(CUT) == -1
    assert measured(played=[Sound(1.5, 2.1)]).words_error(NEXT) is None
    assert measured().words_error(CUT) is None


def test_a_gap_in_a_turn_is_a_hole_and_a_pause_between_turns_is_not() -> None:
    assert measured(played=[Sound(1.5, 2.0), Sound(2.5, 2.9), Sound(5.0, 6.0)]).holes() == [Hole(2.0, 0.5)]
    assert measured(played=[Sound(1.5, 2.0), Sound(2.01, 2.9)]).holes() == []
    assert measured().holes() == STORY.holes


def test_the_silence_of_a_hold_is_no_hole() -> None:
    states = (Stretch(TurnState.SPEAKING, 1.5, 1.9), Stretch(TurnState.HELD, 1.9, 2.4))
    story = replace(STORY, turns=(replace(CUT, states=states),))

    assert Measured(story, truth=Truth(0.0, played=[Sound(1.5, 2.0), Sound(2.45, 2.9)])).holes() == []


def test_what_was_measured_takes_the_place_of_what_the_commands_let_one_expect() -> None:
    seen = measured(clears=[2.81], played=[Sound(1.5, 2.0), Sound(2.5, 2.9)]).observed()

    assert (seen.barge_ins[0].cleared, seen.barge_ins[0].silent) == (2.81, 2.94)
    assert seen.holes == (Hole(2.0, 0.5),)


def test_what_cannot_be_measured_stays_as_it_was_told() -> None:
    assert measure(STORY).observed() == STORY
