"""The call on the terminal, and in a log."""

import io

import pytest
from rich.console import Console

from agentvoice.commands import (
    BargeInDecided,
    ContextSucceeded,
    Evidence,
    HeardText,
    StaleDropped,
    StartTool,
    StopTool,
    TurnChanged,
    TurnClosed,
    TurnOpened,
    TurnState,
    UtteranceEnded,
)
from agentvoice.events import (
    HungUp,
    KeyPressed,
    SpeechStarted,
    TextProduced,
    ToolEnded,
    ToolOutcome,
    ToolRequested,
    Transcript,
    WordsReceived,
)
from agentvoice.trace.console import CallView

OPENED = TurnOpened("t1", "c1", "hello")
THINKING, SPEAKING, HELD = (TurnChanged("t1", TurnState(s)) for s in ("thinking", "speaking", "held"))


def view(*, terminal: bool = False, started_at: float = 100.0) -> tuple[CallView, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, highlight=False, color_system=None)
    return CallView(console, started_at=started_at), out


def shown(*steps, **how) -> str:
    one, out = view(**how)
    for now, event, *commands in steps:
        one.received(now, event)
        one.decided(now, commands)
    one.closed()
    return out.getvalue()


@pytest.fixture
def log(booking) -> list[str]:
    steps = [(step.now, step.event, *step.commands) for step in booking.trace.steps]
    return shown(*steps, started_at=booking.trace.header.started_at).splitlines()


def test_in_a_log_the_call_reads_from_top_to_bottom(log: list[str]) -> None:
    told = [line[9:] for line in log]

    assert told[0] == "          s1 opens · context demo-1-1"
    assert told[1] == "agent     Good evening, this is the Blue Fig. How may I help you?"
    assert told[3] == "caller    Hello, I would like to book a table for two tonight, please."
    assert told[4] == "          t1 opens · context demo-1-2"
    assert told[5].endswith("—")
    assert told[6].lstrip().startswith("t1 interrupted · ")
    assert told[7].startswith("barge-in  the caller cuts in · line cleared 470 ms after their first sound")
    assert told[8] == "          t2 opens · context demo-1-3"
    assert told[-1] == "          the agent hangs up"


def test_in_a_log_there_is_no_colour_and_no_line_is_broken(log: list[str]) -> None:
    assert not any("\x1b" in line for line in log)
    assert all(line[1] == ":" for line in log)


def test_every_answer_tells_how_long_it_took_and_why(log: list[str]) -> None:
    assert any("answered after 0.96 s (end of turn 500, model 240, text 70, voice 150 ms)" in line for line in log)


def test_on_a_terminal_live_words_change_in_place() -> None:
    text = shown(
        (101.0, SpeechStarted(100.8)),
        (101.2, Transcript("Hello I", final=False)),
        (101.5, Transcript("Hello I would", final=False)),
        (102.0, None, UtteranceEnded("Hello I would like", 100.8, 101.6)),
        terminal=True,
    )

    assert "Hello I▌" in text
    assert "Hello I would▌" in text
    assert text.count("Hello I would like") == 1


def test_on_a_terminal_the_words_of_the_agent_appear_as_they_are_spoken() -> None:
    text = shown(
        (101.0, None, OPENED, THINKING),
        (101.15, None),
        (101.2, TextProduced("t1", "Good evening.")),
        (101.4, WordsReceived("c1", (("Good", 0.0, 0.4), ("evening.", 0.5, 0.9)))),
        (101.5, None, SPEAKING),
        (101.8, None, HELD),
        (102.0, None),
        terminal=True,
    )

    assert "thinking" in text
    assert "Good evening." in text
    assert "held" in text


def test_on_a_terminal_what_is_settled_stands_once_and_in_its_colour() -> None:
    heard = HeardText("Good", 0.4, Evidence.MARKS, 0.1, complete=False)
    cut = TurnClosed("t1", "c1", TurnState.INTERRUPTED, "Good evening.", heard, {})
    text = shown((101.0, None, OPENED, THINKING), (101.5, None, cut), (101.6, None, SPEAKING), terminal=True)

    assert text.count("Good —") == 1
    assert "0.4 s heard (marks)" in text


def test_a_terminal_is_drawn_at_most_ten_times_a_second() -> None:
    one, out = view(terminal=True)
    one.received(101.0, Transcript("a", final=False))
    before = len(out.getvalue())

    one.received(101.05, Transcript("ab", final=False))
    assert len(out.getvalue()) == before
    one.received(101.11, Transcript("abc", final=False))
    assert "abc▌" in out.getvalue()
    one.closed()


def test_a_noise_leaves_nothing_on_the_terminal() -> None:
    one, out = view(terminal=True)
    one.received(101.0, SpeechStarted(101.0))
    one.received(101.5, Transcript("", final=True))
    one.closed()
    one.closed()

    assert "▌" not in out.getvalue().rsplit("\x1b[2K", 1)[-1]


def closed(outcome: TurnState, reason: str = "", **timeline: float) -> TurnClosed:
    return TurnClosed("t1", "c1", outcome, "text", None, timeline, reason)


def test_what_is_rare_is_told_too() -> None:
    text = shown(
        (101.0, None, OPENED),
        (101.5, KeyPressed("#")),
        (102.0, None, ContextSucceeded("t1", "c1", "c2", 0), ContextSucceeded("t9", "x", "y", 0)),
        (102.2, None, BargeInDecided("t1", "held", "voice")),
        (102.4, None, BargeInDecided("t1", "resumed", "deadline")),
        (102.6, None, StaleDropped("c1", 800), StaleDropped("c1", 0)),
        (103.0, None, BargeInDecided("t1", "confirmed", "deadline")),
        (103.1, None, closed(TurnState.FAILED, "no voice", caller_stopped=100.0, first_frame_out=100.5)),
        (103.2, None, closed(TurnState.WITHDRAWN)),
        (104.0, HungUp("caller")),
    )

    assert [line[18:].strip() for line in text.splitlines()] == [
        "t1 opens · context c1",
        "#",
        "t1 goes on in c2, c1 is dead",
        "false alarm: the agent goes on",
        "late audio of c1 dropped at the gate",
        "the caller goes on speaking (deadline)",
        "t1 failed · answered after 0.50 s · no voice",
        "t1 withdrawn",
        "the line is closed (caller)",
    ]


def test_a_turn_that_opens_and_closes_in_one_step_is_told_in_that_order() -> None:
    text = shown((101.0, None, OPENED, THINKING, closed(TurnState.WITHDRAWN), TurnChanged("t1", TurnState.WITHDRAWN)))

    assert [line.split()[2] for line in text.splitlines()] == ["opens", "withdrawn"]


def test_times_are_since_the_first_event_where_nobody_says_otherwise() -> None:
    out = io.StringIO()
    one = CallView(Console(file=out))
    one.received(500.0, SpeechStarted(499.9))
    one.received(565.25, KeyPressed("1"))
    one.decided(565.25, [])
    one.closed()

    assert out.getvalue().startswith("1:05.25  key")


def test_a_tool_is_shown_when_it_starts_and_with_what_came_of_it() -> None:
    asked = ToolRequested("t1", "c1", "book", '{"party": 2}')
    steps = [
        (100.0, asked, StartTool("c1", "book")),
        (100.5, None, StopTool("c1")),
        (101.0, ToolEnded("c1", ToolOutcome.CANCELLED, "cancelled")),
        (102.0, ToolEnded("c2", ToolOutcome.DONE, "table " * 100)),
    ]
    started, stopped, cancelled, done = shown(*steps).splitlines()

    assert started == '0:00.00  tool      book {"party": 2}'
    assert stopped == '0:00.50  tool      book {"party": 2} · stop'
    assert cancelled == '0:01.00  tool      book {"party": 2} · cancelled: cancelled'
    assert done.startswith("0:02.00  tool      c2 · done: table table")
    assert done.endswith("...")
    assert len(done) < 190
