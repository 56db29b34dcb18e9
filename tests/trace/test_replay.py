"""A recorded call runs again, and must decide the same."""

from dataclasses import replace

import pytest

from agentvoice.commands import CancelContext, SendAudio, SendMark, StopReply
from agentvoice.conversation import Conversation
from agentvoice.errors import UsageError
from agentvoice.events import HungUp, SpeechStarted
from agentvoice.trace.codec import Keep, Unknown
from agentvoice.trace.log import Header, Step, Trace, read_trace
from agentvoice.trace.replay import conversation, replay, retrace

HEADER = Header(call_id="c", started_at=100.0)


class Canned:
    """A core that decides what it was told to decide."""

    def __init__(self, *decisions) -> None:
        self.decisions = list(decisions)

    def receive(self, event, *, now):
        return self.decisions.pop(0)

    def handle_timer(self, *, now):
        return self.decisions.pop(0)


def trace(*steps: Step, keep: Keep = Keep.WORDS) -> Trace:
    return Trace(replace(HEADER, keep=keep), steps)


def test_a_recorded_call_is_decided_again_as_it_was(booking) -> None:
    result = replay(booking.trace)

    assert result.difference is None
    assert result.steps == len(booking.trace.steps)
    assert result.decisions == sum(len(step.commands) for step in booking.trace.steps)


def test_one_altered_decision_is_found_at_its_line(booking) -> None:
    steps = list(booking.trace.steps)
    place = next(n for n, step in enumerate(steps) if any(isinstance(one, CancelContext) for one in step.commands))
    at = [isinstance(one, CancelContext) for one in steps[place].commands].index(True)
    altered = [*steps[place].commands[:at], CancelContext("another"), *steps[place].commands[at + 1 :]]
    steps[place] = replace(steps[place], commands=tuple(altered))

    difference = replay(Trace(booking.trace.header, tuple(steps))).difference

    assert difference is not None
    assert difference.line == steps[place].line + 1 + at
    assert booking.trace_lines[difference.line - 1].find('"CancelContext"') > 0
    assert difference.recorded == CancelContext("another")


def test_a_decision_too_many_and_one_too_few_are_differences() -> None:
    recorded = trace(Step(101.0, None, (SendMark("a"),), 2), Step(102.0, None, (), 4))

    more = replay(recorded, lambda _: Canned([SendMark("a"), SendMark("b")])).difference
    fewer = replay(recorded, lambda _: Canned([])).difference

    assert more is not None
    assert (more.line, more.recorded, more.replayed) == (4, None, SendMark("b"))
    assert fewer is not None
    assert (fewer.line, fewer.recorded, fewer.replayed) == (3, SendMark("a"), None)


def test_a_crash_may_have_lost_the_last_decisions_and_no_others() -> None:
    crashed = trace(Step(101.0, None, (SendMark("a"),), 2))
    ended = trace(Step(101.0, HungUp(), (SendMark("a"),), 2))

    assert replay(crashed, lambda _: Canned([SendMark("a"), SendMark("b")])).difference is None
    assert replay(ended, lambda _: Canned([SendMark("a"), SendMark("b")])).difference is not None


def test_what_the_core_decides_today_can_be_written_into_a_trace(booking) -> None:
    lines = list(booking.trace_lines)
    place = next(number for number, line in enumerate(lines) if '"SendMark"' in line)
    lines[place] = lines[place].replace('"SendMark"', '"ClearPlayout"')
    del lines[place + 1 : next(number for number in range(place + 1, len(lines)) if '"in":' in lines[number])]

    assert replay(read_trace(lines)).difference is not None
    again = retrace(lines)
    assert replay(read_trace(again)).difference is None
    assert [line for line in again if '"in":' in line] == [line for line in lines if '"in":' in line]
    assert len(again) == len(booking.trace_lines)
    with pytest.raises(UsageError, match="line 2: this version knows no Sneezed"):
        retrace([lines[0], '{"t":1,"now":101,"in":"Sneezed"}'])


def test_a_difference_reads_well() -> None:
    step = Step(101.5, SpeechStarted(101.0), (SendMark("a"),), 7)
    difference = replay(trace(step), lambda _: Canned([StopReply("t1")])).difference

    assert str(difference) == (
        "line 8, at 1.500 s, on SpeechStarted:\n"
        "  recorded: SendMark(name='a')\n"
        "  replayed: StopReply(turn_id='t1')"
    )  # fmt: skip
    assert "on Timer" in str(replay(trace(Step(101.0, None, (SendMark("a"),), 2)), lambda _: Canned([])).difference)


def test_audio_is_compared_by_size_unless_it_was_kept() -> None:
    step = Step(101.0, None, (SendAudio("c", b"\0\0"),), 2)

    assert replay(trace(step), lambda _: Canned([SendAudio("c", b"ab")])).difference is None
    assert replay(trace(step), lambda _: Canned([SendAudio("c", b"abc")])).difference is not None
    assert replay(trace(step, keep=Keep.AUDIO), lambda _: Canned([SendAudio("c", b"ab")])).difference is not None


def test_an_input_that_cannot_be_given_ends_the_replay() -> None:
    sneezed = Step(101.0, Unknown("Sneezed", {}), (), 2)

    result = replay(trace(Step(100.5, None, (), 1), sneezed), lambda _: Canned([]))

    assert result.steps == 2
    assert result.difference is not None
    assert result.difference.event == sneezed.event


def test_a_conversation_is_made_by_what_the_header_says() -> None:
    assert isinstance(conversation(HEADER), Conversation)
    with pytest.raises(UsageError, match="settings cannot be had"):
        conversation(replace(HEADER, settings={"manners": {"lead_s": "long"}}))
