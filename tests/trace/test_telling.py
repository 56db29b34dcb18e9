"""From a trace to what happened."""

import pytest

from agentvoice.commands import (
    BargeInDecided,
    CancelContext,
    ClearPlayout,
    ContextSucceeded,
    Evidence,
    HangUp,
    HeardText,
    SendAudio,
    SendMark,
    StaleDropped,
    TurnChanged,
    TurnClosed,
    TurnOpened,
    TurnState,
    UtteranceEnded,
)
from agentvoice.events import (
    AudioReceived,
    ContextDone,
    HungUp,
    KeyPressed,
    MarkReturned,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    WordsReceived,
)
from agentvoice.trace.log import Header, Step, Trace
from agentvoice.trace.story import Hole, Mark, Sound, Stretch, Understood
from agentvoice.trace.telling import tell

SECOND = bytes(8000)
OPENED = TurnOpened("t1", "c1", "hello")
THINKING, SPEAKING, HELD = (TurnChanged("t1", TurnState(s)) for s in ("thinking", "speaking", "held"))


def told(*steps, zero: float | None = None):
    lines = tuple(Step(now, event, tuple(commands)) for now, event, *commands in steps)
    return tell(Trace(Header(call_id="c", started_at=100.0), lines), zero=zero)


def closed(outcome: TurnState, generated: str = "", heard: str | None = None, **timeline: float) -> TurnClosed:
    text = None if heard is None else HeardText(heard, 1.0, Evidence.MARKS, 0.0, complete=heard == generated)
    return TurnClosed("t1", "c1", outcome, generated, text, timeline)


def test_times_are_since_the_call_began_or_since_any_other_moment() -> None:
    steps = [(101.0, SpeechStarted(100.75)), (102.0, SpeechStopped(101.5))]

    assert told(*steps).segments == (Sound(0.75, 1.5),)
    assert told(*steps, zero=99.5).segments == (Sound(1.25, 2.0),)


def test_a_call_of_which_nothing_happened_is_a_story_too() -> None:
    story = told()

    assert (story.start, story.end, story.turns, story.responses) == (0.0, 0.0, (), [])


def test_the_caller_who_still_speaks_at_the_end_has_spoken_until_then() -> None:
    assert told((101.0, SpeechStarted(101.0)), (103.0, None)).segments == (Sound(1.0, 3.0),)
    assert told((101.0, SpeechStopped(101.0))).segments == ()


def test_what_the_recogniser_made_of_it_is_told_with_its_time() -> None:
    story = told((101.0, Transcript("hel", final=False)), (102.0, Transcript("hello", final=True)))

    assert story.understood == (Understood(1.0, "hel", final=False), Understood(2.0, "hello", final=True))


def test_a_turn_is_told_with_its_states_sounds_words_and_marks() -> None:
    story = told(
        (101.0, None, UtteranceEnded("hello", 100.2, 100.5), OPENED, THINKING),
        (101.4, WordsReceived("c1", (("Good", 0.1, 0.4), ("day.", 0.5, 0.9)))),
        (101.5, AudioReceived("c1", SECOND), SendAudio("c1", SECOND), SendMark("m"), SPEAKING),
        (102.6, MarkReturned("m"), closed(TurnState.COMPLETED, "Good day.", "Good day.", caller_stopped=100.5,
                                          utterance_final=101.0, first_token=101.2, first_frame_out=101.5)),
    )  # fmt: skip
    (turn,) = story.turns

    assert turn.outcome is TurnState.COMPLETED
    assert turn.states == (
        Stretch(TurnState.THINKING, 1.0, 1.5),
        Stretch(TurnState.SPEAKING, 1.5, pytest.approx(2.6)),
    )
    assert turn.sounds == (Sound(1.5, 2.5),)
    assert [(word.text, round(word.start, 6), word.heard, word.position) for word in turn.words] == [
        ("Good", 1.6, True, 0.4),
        ("day.", 2.0, True, 0.9),
    ]
    assert turn.marks == (Mark("m", 1.5, pytest.approx(2.6), cleared=False),)
    assert turn.response_s == pytest.approx(1.0)
    assert story.responses == [turn.response_s]


def test_the_parts_of_a_latency_sum_to_the_whole_even_where_work_was_done_ahead() -> None:
    story = told(
        (101.0, None, OPENED, THINKING),
        (101.5, None, SendAudio("c1", SECOND), SPEAKING),
        (102.5, None, closed(TurnState.COMPLETED, "x", "x", caller_stopped=100.5, utterance_final=101.2,
                             first_token=100.9, first_audio_received=101.4, first_frame_out=101.5)),
    )  # fmt: skip

    parts = [(name, round(end - start, 6)) for name, start, end in story.turns[0].latency]

    assert parts == [("end of turn", 0.7), ("model", 0.0), ("text", 0.0), ("voice", 0.2), ("line", 0.1)]
    assert sum(seconds for _, seconds in parts) == pytest.approx(story.turns[0].response_s)


def test_a_turn_that_answers_nobody_has_no_latency() -> None:
    assert told((101.0, None, OPENED)).turns[0].latency == []


def test_words_that_were_cut_are_told_as_not_heard() -> None:
    story = told(
        (101.0, None, OPENED, THINKING),
        (101.0, WordsReceived("c1", (("One", 0.0, 0.4), ("two", 0.5, 0.9)))),
        (101.0, AudioReceived("c1", SECOND), SendAudio("c1", SECOND), SPEAKING),
        (101.5, None, ClearPlayout(), closed(TurnState.INTERRUPTED, "One two three four", "One")),
    )

    words = story.turns[0].words

    assert [(word.text, word.heard) for word in words] == [
        ("One", True), ("two", False), ("three", False), ("four", False),
    ]  # fmt: skip
    assert words[2].end > words[2].start == pytest.approx(words[1].end)
    assert story.turns[0].sounds == (Sound(1.0, 1.5),)


def test_without_word_times_every_word_has_its_share_of_the_audio() -> None:
    story = told(
        (101.0, None, OPENED, THINKING),
        (101.0, AudioReceived("c1", SECOND), SendAudio("c1", SECOND), SPEAKING),
        (102.0, None, closed(TurnState.COMPLETED, "aaa bbb", "aaa bbb")),
    )

    assert [(word.text, word.start, word.end) for word in story.turns[0].words] == [
        ("aaa", 1.0, 1.5), ("bbb", 1.5, 2.0),
    ]  # fmt: skip


def test_a_turn_under_way_is_told_as_far_as_it_went() -> None:
    story = told(
        (101.0, None, OPENED, THINKING),
        (101.0, WordsReceived("c1", (("One", 0.0, 0.4),))),
        (101.0, AudioReceived("c1", SECOND), SendAudio("c1", SECOND), SPEAKING),
        (101.25, None),
    )

    assert story.turns[0].outcome is TurnState.SPEAKING
    assert story.turns[0].closed == 1.25
    assert [word.heard for word in story.turns[0].words] == [True]
    assert story.ended_by == ""


def test_a_turn_without_a_word_or_a_sound_has_none() -> None:
    silent = told((101.0, None, OPENED), (102.0, None, closed(TurnState.WITHDRAWN, "never said"))).turns[0]
    wordless = told((101.0, AudioReceived("c1", b""), OPENED), (101.0, None, SendAudio("c1", SECOND))).turns[0]

    assert silent.words == () == silent.sounds
    assert wordless.words == ()


def test_an_open_turn_that_takes_up_an_utterance_is_prompted_by_it() -> None:
    open_turn = TurnOpened("t1", "c1", "")

    taken = told((101.0, None, open_turn), (102.0, None, UtteranceEnded("four, please", 101.2, 101.5), THINKING))
    own = told((101.0, None, open_turn), (102.0, None, THINKING))
    later = told((101.0, None, UtteranceEnded("x", 100.2, 100.5), open_turn), (102.0, None, THINKING))

    assert [story.turns[0].prompt for story in (taken, own, later)] == ["four, please", "", ""]


def barged(*extra, decision=("held", "confirmed")):
    """Speech at 2.0, noticed and held at 2.1, decided at 2.5."""
    return told(
        (101.0, None, OPENED, THINKING),
        (101.0, AudioReceived("c1", SECOND * 4), SendAudio("c1", SECOND * 4), SPEAKING),
        (102.1, SpeechStarted(102.0), BargeInDecided("t1", decision[0], "voice"), HELD),
        *extra,
        (102.5, None, *([ClearPlayout()] if decision[1] == "confirmed" else []),
         BargeInDecided("t1", decision[1], "words")),
    )  # fmt: skip


def test_a_barge_in_is_told_from_the_first_sound_to_the_silence() -> None:
    (one,) = barged().barge_ins

    assert (one.turn_id, one.source, one.confirmed) == ("t1", "words", True)
    assert [round(at, 6) for at in (one.at, one.held, one.decided, one.cleared, one.silent)] == [
        2.0, 2.1, 2.5, 2.5, 2.5,
    ]  # fmt: skip


def test_a_false_alarm_is_told_as_one() -> None:
    (one,) = barged((102.3, SpeechStopped(102.2)), decision=("held", "resumed")).barge_ins

    assert (one.confirmed, one.cleared, one.silent) == (False, None, None)
    assert one.at == 2.0


def test_a_barge_in_without_a_voice_begins_with_its_signal() -> None:
    story = told((101.0, None, OPENED), (102.0, KeyPressed("#"), BargeInDecided("t1", "confirmed", "keys")))
    (one,) = story.barge_ins

    assert (one.at, one.held, one.decided, one.cleared, one.silent) == (2.0, None, 2.0, None, None)
    assert story.keys == ((2.0, "#"),)


def test_a_line_that_ran_dry_is_a_hole_unless_the_turn_was_held() -> None:
    begun = [
        (101.0, None, OPENED, THINKING),
        (101.0, AudioReceived("c1", SECOND * 3), SendAudio("c1", SECOND), SPEAKING),
    ]
    resumed = BargeInDecided("t1", "resumed", "voice")

    dry = told(*begun, (102.5, None, SendAudio("c1", SECOND)))
    held = told(*begun, (101.5, None, HELD), (102.5, None, SPEAKING, resumed, SendAudio("c1", SECOND)))
    later = told(*begun, (101.5, None, HELD), (102.0, None, SPEAKING, SendAudio("c1", SECOND)),
                 (103.25, None, SendAudio("c1", SECOND)))  # fmt: skip

    assert dry.holes == (Hole(2.0, 0.5),)
    assert held.holes == ()
    assert later.holes == (Hole(3.0, 0.25),)


def test_audio_of_a_dead_context_that_reached_the_line_is_counted_in_frames() -> None:
    story = told(
        (101.0, None, OPENED),
        (101.5, None, CancelContext("c1"), closed(TurnState.INTERRUPTED)),
        (102.0, AudioReceived("c1", SECOND), SendAudio("c1", bytes(200)), SendAudio("nobody's", bytes(120))),
    )

    assert story.stale_frames == 2


def test_what_was_dropped_at_the_gate_is_counted_where_it_was_audio() -> None:
    assert told((101.0, None, StaleDropped("c0", 800), StaleDropped("c0", 0))).stale_dropped == 1


def test_marks_thrown_back_by_a_clear_are_told_as_such() -> None:
    story = told(
        (101.0, None, OPENED, SendAudio("c1", SECOND), SendMark("m"), SendMark("lost")),
        (101.5, None, ClearPlayout(), closed(TurnState.INTERRUPTED)),
        (101.6, MarkReturned("m")),
        (101.7, MarkReturned("m")),
        (101.7, MarkReturned("unheard of")),
    )

    assert story.turns[0].marks == (
        Mark("m", 1.0, pytest.approx(1.6), cleared=True),
        Mark("lost", 1.0, None, cleared=False),
    )
    assert told((101.0, None, SendMark("m"))).turns == ()


def test_a_turn_goes_on_in_another_context() -> None:
    story = told(
        (101.0, None, OPENED, THINKING),
        (101.0, WordsReceived("c1", (("One", 0.0, 0.9),))),
        (101.0, AudioReceived("c1", SECOND), SendAudio("c1", SECOND), SPEAKING),
        (101.5, ContextDone("c1")),
        (101.6, None, ContextSucceeded("t1", "c1", "c2", 3), ContextSucceeded("t9", "x", "y", 0)),
        (101.7, WordsReceived("c2", (("two", 0.0, 0.5),))),
        (101.7, AudioReceived("c1", SECOND)),
        (101.8, AudioReceived("c2", SECOND), SendAudio("c2", SECOND)),
    )
    (turn,) = story.turns

    assert [context.id for context in turn.contexts] == ["c1", "c2"]
    assert turn.contexts[0].ended == turn.contexts[1].opened == pytest.approx(1.6)
    assert [(word.text, round(word.start, 6)) for word in turn.words] == [("One", 1.0), ("two", 2.0)]
    assert turn.sounds == (Sound(1.0, 3.0),)


def test_the_story_says_who_ended_the_call() -> None:
    assert told((101.0, None, HangUp()), (101.1, HungUp("caller"))).ended_by == "agent"
    assert told((101.0, HungUp("caller"))).ended_by == "caller"


def test_a_real_call_is_told_as_it_was(booking) -> None:
    story = tell(booking.trace)

    assert [turn.outcome for turn in story.turns] == ["completed", "interrupted", "completed", "completed"]
    assert story.turns[2].prompt == "No, wait, make it four people."
    assert story.stale_frames == 0
    assert story.holes == ()
    assert [one.confirmed for one in story.barge_ins] == [True]
    assert story.ended_by == "agent"


def test_audio_of_a_context_that_was_succeeded_is_stale() -> None:
    story = told(
        (101.0, None, OPENED, THINKING),
        (101.6, None, ContextSucceeded("t1", "c1", "c2", 0)),
        (101.7, None, SendAudio("c1", bytes(160))),
    )

    assert story.stale_frames == 1
    assert story.turns[0].sounds == ()
