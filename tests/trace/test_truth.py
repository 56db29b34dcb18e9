"""The far end's own account."""

import json
from pathlib import Path

import pytest

from agentvoice.errors import UsageError
from agentvoice.testing.caller import Caller
from agentvoice.testing.phone import PhoneCall
from agentvoice.testing.script import HangsUp, Says
from agentvoice.trace.story import Sound
from agentvoice.trace.truth import Line, normalised, read_truth, word_errors


@pytest.mark.anyio
async def test_what_the_simulated_caller_writes_is_what_is_read(tmp_path: Path) -> None:
    caller = Caller([Says("Hello."), HangsUp()])
    call = PhoneCall(caller, started_at=5.5, clears=[0.25])
    call.carrier.receive_audio(b"\x01" * 320)
    while not caller.done:
        agent, _ = call.carrier.tick()
        caller.tick(agent)
    call.save(tmp_path)

    truth = read_truth(tmp_path / "caller.json")

    assert truth.t0 == 5.5
    assert [line.text for line in truth.said] == ["Hello."]
    assert truth.said[0].end_s > truth.said[0].start_s == 0
    assert truth.played == [Sound(0.0, 0.04)]
    assert truth.clears == [0.25]


def test_what_later_versions_add_does_no_harm(tmp_path: Path) -> None:
    line = {"text": "Hi", "start_s": 0, "end_s": 1, "loud": True}
    (tmp_path / "caller.json").write_text(json.dumps({"t0": 1, "said": [line], "mood": "good"}))

    assert read_truth(tmp_path / "caller.json").said == [Line("Hi", 0, 1)]


def test_what_is_no_account_is_refused(tmp_path: Path) -> None:
    (tmp_path / "caller.json").write_text("{}")

    with pytest.raises(UsageError, match=r"not a caller's account.*t0"):
        read_truth(tmp_path / "caller.json")
    with pytest.raises(UsageError, match="cannot read"):
        read_truth(tmp_path / "none.json")


def test_words_are_compared_as_they_sound() -> None:
    assert normalised("No, wait: make it 4 — to-morrow!") == ["no", "wait", "make", "it", "four", "tomorrow"]
    assert normalised("It’s 7300 now") == ["it's", "7300", "now"]


@pytest.mark.parametrize(
    ("said", "understood", "wrong"),
    [
        ("a table for two", "A table for 2.", 0),
        ("a table for two", "a table four two", 1),
        ("a table for two", "a table", 2),
        ("a table", "a big table now", 2),
        ("", "well", 1),
    ],
)
def test_wrong_missing_and_added_words_are_errors(said: str, understood: str, wrong: int) -> None:
    assert word_errors(said, understood) == (wrong, len(said.split()))
