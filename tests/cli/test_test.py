"""`agentvoice test`, as it is run."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from agentvoice.cli.boundary import run
from agentvoice.testing.llm import ScriptedModel

AGENT = """\
from agentvoice import Agent

class Baker(Agent):
    greeting = "Good morning, the bakery."

    async def reply(self, turn):
        yield f"You said {turn.prompt}"
"""
SCENARIOS = """\
agent: baker.py:Baker
scenarios:
  - name: It repeats
    variations: 25
    vary: {words_per_s: [2, 4]}
    caller: [wait_for_agent, {say: Two rolls.}, wait_for_agent]
    expect: {heard: [You said Two rolls]}
  - name: It sings
    caller: [wait_for_agent]
    expect: {heard: [La la la], judge: The agent sings.}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "baker.py").write_text(AGENT)
    (tmp_path / "calls.yaml").write_text(SCENARIOS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_a_table_tells_what_passed_and_junit_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["test", "calls.yaml", "--jobs", "1", "--junit", "out/junit.xml"])

    assert code == 1
    said = capsys.readouterr()
    assert "passed  It repeats     25       0" in said.out
    assert "failed  It sings        1       1" in said.out
    assert "'La la la' was not heard; what was heard is 'Good morning, the bakery.'" in said.out
    assert "again: agentvoice test calls.yaml --only 'It sings' --seed 0" in said.out
    assert "the judge is not asked (questions: 1): no language model is set" in said.out
    assert said.err == "1 of 26 calls were not as expected\n"
    suite = ET.parse(folder / "out/junit.xml").getroot()[0]
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("26", "1")
    assert suite[25].attrib["name"] == "It sings [seed 0]"
    assert suite[25][0].attrib["message"].startswith("'La la la' was not heard")


@pytest.mark.usefixtures("folder")
def test_one_variation_may_be_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", ".", "--only", "repeats", "--seed", "7"]) == 0
    assert "passed  It repeats      1       0" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
@pytest.mark.timeout(60)
def test_many_calls_are_shared_out_among_processes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", "calls.yaml", "--only", "repeats", "--jobs", "2"]) == 0
    assert "passed  It repeats     25       0" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere"], "there is no file or folder 'nowhere'"),
        (["calls.yaml", "--only", "dances"], "no scenario's name contains 'dances'"),
        (["out"], "there is no scenario (*.yaml) in out"),
        (["calls.yaml", "--judge", "solomon"], "no llm named 'solomon'"),
    ],
)
def test_what_cannot_be_tried_is_told(
    arguments: list[str], complaint: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out").mkdir()
    assert run(["test", *arguments]) == 2

    assert complaint in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_language_model_may_judge(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = {"true": False, "why": "it only greets"}
    monkeypatch.setattr("agentvoice.cli.test.load", lambda *_: lambda: ScriptedModel(fill=lambda _: verdict))

    assert run(["test", "calls.yaml", "--only", "sings", "--judge", "solomon"]) == 1
    assert "the judge does not find that 'The agent sings.': it only greets" in capsys.readouterr().out
