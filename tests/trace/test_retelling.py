"""A call in lines of text."""

import pytest

from agentvoice.trace.log import Header, Trace
from agentvoice.trace.retelling import Row, retell, rows
from agentvoice.trace.telling import tell


def test_a_call_reads_from_top_to_bottom(booking) -> None:
    told = retell(booking.trace)

    head, blank, *lines = told.splitlines()
    assert head == "Receptionist, call demo-1: 32.8 s, 4 turns, the agent hung up"
    assert blank == ""
    whos = [line[9:19].strip() for line in lines]
    assert whos[:4] == ["agent", "s1", "caller", "agent"]
    assert "barge-in" in whos


def test_what_was_cut_stands_after_a_dash(booking) -> None:
    cut = next(row for row in rows(tell(booking.trace)) if row.unheard)

    turn = next(turn for turn in tell(booking.trace).turns if turn.outcome == "interrupted")
    assert turn.heard is not None
    assert cut.text == turn.heard.text
    assert f"{cut.text} {cut.unheard}" == turn.generated.strip()
    assert f"{cut.text} — {cut.unheard}" in str(cut)


def test_a_cough_is_a_false_alarm(simulation) -> None:
    told = retell(simulation(caller=[], coughs=[2.0]).run().trace)

    assert "false alarm, s1 goes on after" in told


@pytest.mark.parametrize(("at", "clock"), [(0.0, "0:00.00"), (-0.02, "0:00.00"), (83.4567, "1:23.46"), (None, "")])
def test_the_clock_is_minutes_and_seconds(at: float | None, clock: str) -> None:
    assert str(Row(at, "key", "5")).split("key")[0].strip() == clock


def test_a_trace_of_nothing_is_told_too() -> None:
    assert (
        retell(Trace(Header(call_id="c", started_at=1.0), ())) == "an agent, call c: 0.0 s, 0 turns, the trace ends\n\n"
    )
