"""The report, against a call of which all is known by construction."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agentvoice.trace.log import read_trace
from agentvoice.trace.measure import measure
from agentvoice.trace.report import report
from agentvoice.trace.telling import tell
from agentvoice.trace.truth import read_truth


@pytest.fixture(scope="module")
def facts(completed: Path):
    return json.loads((completed / "report.json").read_text())


def test_every_turn_tells_its_outcome_its_words_and_its_evidence(facts) -> None:
    told = [(turn["id"], turn["context_id"], turn["outcome"], turn["evidence"]) for turn in facts["turns"]]

    assert told == [
        ("s1", "demo-1-1", "completed", "marks+words"),
        ("t1", "demo-1-2", "interrupted", "marks+words"),
        ("t2", "demo-1-3", "completed", "marks+words"),
        ("t3", "demo-1-4", "completed", "marks+words"),
    ]
    assert facts["turns"][1]["generated"].startswith(facts["turns"][1]["heard"])
    assert facts["turns"][1]["heard"] != facts["turns"][1]["generated"]


def test_what_was_heard_of_the_cut_turn_is_what_the_recording_holds(facts) -> None:
    assert [turn["words_error"] for turn in facts["turns"]] == [None, 0, None, None]
    assert facts["words_error"] == 0


def test_the_barge_in_stands_at_its_place_in_the_recording(facts) -> None:
    (one,) = facts["barge_ins"]

    assert one["at_s"] < one["held_s"] < one["decided_s"] <= one["cleared_s"]
    assert one["decided_to_cleared_ms"] <= 20
    assert one["decided_to_silent_ms"] <= 200
    assert one["at_to_silent_ms"] == round(1000 * (one["silent_s"] - one["at_s"]))


def test_answers_are_told_by_the_trace_and_by_the_recording(facts) -> None:
    answered = [turn for turn in facts["turns"] if turn["response_ms"] is not None]

    assert len(answered) == 3
    for turn in answered:
        assert sum(turn["response_parts_ms"].values()) == pytest.approx(turn["response_ms"], abs=3)
        assert turn["response_recorded_ms"] == pytest.approx(turn["response_ms"], abs=120)
    assert facts["response_ms"] == sorted(turn["response_ms"] for turn in answered)[1]


def test_the_call_was_clean(facts) -> None:
    assert (facts["stale_frames"], facts["holes"], facts["ended_by"]) == (0, 0, "agent")
    assert facts["caller"]["wrong"] == 1  # the goodbye that came after the agent had hung up
    assert facts["false_alarms"] == []


def test_a_trace_alone_is_reported_as_far_as_it_tells(booking) -> None:
    facts = report(measure(tell(booking.trace))).facts

    assert facts["seconds"] == pytest.approx(32.8, abs=0.5)
    assert facts["words_error"] is None
    assert facts["caller"] is None
    assert facts["barge_ins"][0]["silent_s"] is not None
    assert facts["turns"][1]["response_recorded_ms"] is None


def test_a_cough_is_a_false_alarm(simulation) -> None:
    call = simulation(caller=[], coughs=[2.0]).run()
    facts = report(measure(tell(call.trace))).facts

    assert facts["barge_ins"] == []
    assert [one["turn_id"] for one in facts["false_alarms"]] == ["s1"]
    assert facts["turns"][0]["outcome"] == "completed"
    assert facts["response_ms"] is None


def test_a_turn_withdrawn_before_its_first_sound_interrupts_nobody(booking) -> None:
    story = tell(booking.trace)
    unheard = replace(story.barge_ins[0], silent=None, cleared=None)

    facts = report(measure(replace(story, barge_ins=(unheard,)))).facts

    assert facts["barge_ins"] == []
    assert [one["turn_id"] for one in facts["withdrawn_unheard"]] == ["t1"]


def test_nothing_said_has_no_word_error_rate(left: Path) -> None:
    account = json.loads((left / "caller.json").read_text())
    (left / "caller.json").write_text(json.dumps({**account, "said": [{"text": "…", "start_s": 0, "end_s": 0}]}))
    truth = read_truth(left / "caller.json")

    facts = report(measure(tell(read_trace(left / "trace.jsonl")), None, truth)).facts

    assert facts["caller"]["word_error_rate"] is None
