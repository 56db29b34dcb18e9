"""The main job: a phone call with a barge-in, on real speech, in real time."""

import json
import subprocess
import sys
import wave
from array import array
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agentvoice.trace.log import read_trace
from agentvoice.trace.replay import replay

pytestmark = pytest.mark.speech

BUSY_MS = 2000
"""Where answers take so long, something else has the machine; the agent and its caller then talk at cross purposes."""


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the demo leaves. A machine that is busy with something else has a second chance."""
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "agentvoice.cli", "demo", "--out", str(out)]
    demo = partial(subprocess.run, command, capture_output=True, text=True, timeout=240, check=False)
    ended = demo()
    if ended.returncode or (json.loads((out / "report.json").read_text())["response_ms"] or 0) > BUSY_MS:
        ended = demo()
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return out


@pytest.fixture(scope="module")
def report(call: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((call / "report.json").read_text())
    return found


@pytest.mark.timeout(600)
def test_it_leaves_what_can_be_looked_at_and_listened_to(call: Path) -> None:
    left = {path.name: path.stat().st_size for path in call.iterdir()}

    assert {"call.wav", "trace.jsonl", "timeline.html", "timeline.png", "report.json"} <= set(left)
    assert min(left.values()) > 500


def test_the_caller_cuts_in_and_nothing_stale_is_heard(report: dict[str, Any]) -> None:
    assert len(report["barge_ins"]) == 1
    assert report["stale_frames"] == 0
    assert [turn["outcome"] for turn in report["turns"]].count("interrupted") == 1


def test_the_line_is_silent_soon_after_the_decision(report: dict[str, Any]) -> None:
    barge_in = report["barge_ins"][0]

    assert barge_in["cleared_s"] - barge_in["decided_s"] <= 0.1
    assert barge_in["silent_s"] - barge_in["decided_s"] <= 0.2


def test_the_cut_turn_is_known_to_within_a_word(report: dict[str, Any]) -> None:
    assert abs(report["words_error"]) <= 1
    cut = next(turn for turn in report["turns"] if turn["outcome"] == "interrupted")
    assert cut["evidence"] == "marks+words"
    assert cut["generated"].startswith(cut["heard"])


def test_the_booking_is_what_was_said_last(report: dict[str, Any]) -> None:
    booking = report["notes"]["booking"]

    assert booking["party_size"] == 4
    assert "johnson" in booking["name"].lower()


def test_the_agent_hangs_up_after_its_last_word_was_played(call: Path, report: dict[str, Any]) -> None:
    last = report["turns"][-1]

    assert report["ended_by"] == "agent"
    assert (last["outcome"], last["heard"]) == ("completed", last["generated"])
    with wave.open(str(call / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        agent = array("h", file.readframes(file.getnframes()))[1::2]
    assert max(map(abs, agent[-400:])) < 2000  # the last word has died away


def test_its_trace_replays_with_every_decision_the_same(call: Path) -> None:
    replayed = replay(read_trace(call / "trace.jsonl"))

    assert replayed.difference is None
    assert replayed.decisions > 100
