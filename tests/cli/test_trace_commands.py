"""`agentvoice trace` and `agentvoice replay`, by what they print and how they end."""

import json
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from agentvoice import Agent
from agentvoice.cli.boundary import run
from agentvoice.testing.clock import virtual
from agentvoice.testing.script import pauses, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.trace.codec import Keep
from agentvoice.trace.log import read_trace


class Greeter(Agent):
    greeting = "Good evening, Bella Vista."


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    async def have() -> str:
        return (await simulate(Greeter(), [waits_for_agent(), pauses(0.5)])).trace

    backend, options = virtual("asyncio")
    path = tmp_path / "CA 7.jsonl"
    path.write_text(anyio.run(have, backend=backend, backend_options=options))
    return path


def altered(path: Path, old: str, new: str) -> int:
    """Alter the first line with `old` in it; return which that is."""
    lines = path.read_text().split("\n")
    number = next(number for number, line in enumerate(lines) if old in line)
    lines[number] = lines[number].replace(old, new)
    path.write_text("\n".join(lines))
    return number + 1


def test_a_recorded_call_runs_again(recorded: Path, capsys) -> None:
    assert run(["replay", str(recorded)]) == 0

    assert "all as recorded" in capsys.readouterr().out


def test_the_first_decision_that_differs_is_shown_with_its_line(recorded: Path, capsys) -> None:
    line = altered(recorded, '"out":"SendMark","name":"', '"out":"SendMark","name":"x')

    assert run(["replay", str(recorded)]) == 1

    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(f"{recorded}:{line}: the first decision that differs, at 0.")
    assert told[1].startswith("  recorded: SendMark(name='xCA0001-1")
    assert told[2].startswith("  replayed: SendMark(name='CA0001-1")


def test_what_is_decided_today_can_be_accepted(recorded: Path, capsys) -> None:
    before = recorded.read_text()
    altered(recorded, '"out":"SendMark","name":"', '"out":"SendMark","name":"x')

    assert run(["replay", str(recorded), "--accept"]) == 0

    assert "accepted" in capsys.readouterr().out
    assert recorded.read_text() == before


def test_a_call_is_told_line_by_line(recorded: Path, capsys) -> None:
    assert run(["trace", "show", str(recorded)]) == 0

    told = capsys.readouterr().out
    assert told.startswith("Greeter, call CA0001: ")
    assert "agent  Good evening, Bella Vista." in told


def test_a_call_is_drawn(recorded: Path, capsys) -> None:
    assert run(["trace", "timeline", str(recorded), "--no-png"]) == 0

    assert capsys.readouterr().out.strip() == str(recorded.with_suffix(".html"))
    assert "Good" in recorded.with_suffix(".html").read_text()


def test_calls_are_measured_together(recorded: Path, capsys) -> None:
    assert run(["trace", "stats", str(recorded), str(recorded), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["calls"], facts["turns"], facts["outcomes"]) == (2, 2, {"completed": 2})

    assert run(["trace", "stats", str(recorded)]) == 0
    assert "1 completed" in capsys.readouterr().out


def test_what_people_said_can_be_taken_out(recorded: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "shareable.jsonl"
    assert run(["trace", "anonymise", str(recorded), "--out", str(out)]) == 0
    assert run(["trace", "anonymise", str(recorded)]) == 0

    assert capsys.readouterr().out == out.read_text()
    assert "Good" not in out.read_text()
    assert "CA0001" not in out.read_text()
    assert read_trace(out).header.keep is Keep.SHAPE
    assert run(["trace", "show", str(out)]) == 0
    assert run(["replay", str(out)]) == 2
    assert run(["trace", "anonymise", str(recorded), "--out", str(tmp_path)]) == 2


def test_a_trace_becomes_a_test_in_one_command(recorded: Path, tmp_path: Path, capsys) -> None:
    tests = tmp_path / "tests"
    assert run(["trace", "test", str(recorded), "--into", str(tests)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(tests / "test_ca_7.py"), str(tests / "traces" / "ca_7.jsonl")]

    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:agentvoice", str(tests)]
    passed = subprocess.run(pytest_, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "1 passed" in passed.stdout, passed.stdout
    line = altered(tests / "traces" / "ca_7.jsonl", '"out":"SendMark","name":"', '"out":"SendMark","name":"x')
    failed = subprocess.run(pytest_, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert f"line {line}" in failed.stdout

    assert run(["trace", "test", str(recorded), "--into", str(tests)]) == 2
    assert "give another with --name" in capsys.readouterr().err
    assert run(["trace", "test", str(recorded), "--into", str(tests), "--name", "Overbooked!"]) == 0
    assert (tests / "test_overbooked.py").exists()


@pytest.mark.parametrize("command", [["replay"], ["trace", "show"], ["trace", "timeline"], ["trace", "stats"],
                                     ["trace", "anonymise"], ["trace", "test"]])  # fmt: skip
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot read the trace"),
        ("", "is empty: not a trace"),
        ("hello\n", "does not begin with a trace's header"),
        ('{"agentvoice_trace":2}\n', "was written by a newer agentvoice (trace version 2); upgrade to read it"),
        ('{"agentvoice_trace":0}\n', "which never was"),
        ('{"agentvoice_trace":1,"call_id":"c","started_at":0}\n{"out":"HangUp"}\n', "line 2: neither an input nor"),
    ],
)
def test_what_is_no_trace_is_refused_in_one_line(
    tmp_path: Path, capsys, command: list[str], text: str | None, complaint: str
) -> None:
    path = tmp_path / "odd.jsonl"
    if text is not None:
        path.write_text(text)

    assert run([*command, str(path)]) == 2

    [line] = capsys.readouterr().err.splitlines()
    assert complaint in line


def test_a_trace_that_a_crash_cut_short_is_run_as_far_as_it_goes(recorded: Path, capsys) -> None:
    recorded.write_text(recorded.read_text()[:3000])

    assert run(["replay", str(recorded)]) == 0
    assert run(["trace", "show", str(recorded)]) == 0

    assert "cut short, as by a crash" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["replay"], *(["trace", name] for name in ("show", "stats", "test", "timeline"))])
def test_every_command_teaches_by_example(capsys, command: list[str]) -> None:
    assert run([*command, "--help"]) == 0

    assert f"$ agentvoice {' '.join(command)} " in capsys.readouterr().out
