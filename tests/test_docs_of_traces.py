"""The tutorial's chapter on tests, and the how-to on traces, do what they say: run as a reader would run them."""

import re
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from agentvoice import Agent
from agentvoice.cli.boundary import run
from agentvoice.testing.clock import virtual
from agentvoice.testing.script import waits_for_agent
from agentvoice.testing.simulate import simulate

DOCS = Path(__file__).parents[1] / "docs"
TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")
HOW_TO = (DOCS / "how-to/production-call-to-test.md").read_text(encoding="utf-8")
RECEPTION = """
from agentvoice import Agent

class Receptionist(Agent):
    greeting = "Good evening, this is the Bella Vista restaurant. How may I help you?"

    async def reply(self, turn):
        yield f"Of course. You said: {turn.prompt} May I have your name, please?"
"""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def commands(page: str) -> list[list[str]]:
    """Return the indented command lines of a page, as lists of arguments, without comments."""
    lines = re.findall(r"^    ((?:agentvoice|pytest) .*)$", page, re.MULTILINE)
    return [line.partition("#")[0].split() for line in lines]


def pytest_in(folder: Path, *arguments: str) -> str:
    """Run pytest as a reader does, who has agentvoice installed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def chapter(title: str) -> str:
    return TUTORIAL.partition(title)[2]


def test_the_tutorial_s_chapter_on_tests_passes_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "baker.py").write_text(blocks(TUTORIAL, "python")[0])
    (tmp_path / "test_baker.py").write_text(blocks(chapter("## 6. A test"), "python")[0])
    (command,) = [command for command in commands(chapter("## 6. A test")) if command[0] == "pytest"]

    assert "2 passed" in pytest_in(tmp_path, *command[1:])


def test_the_how_to_s_golden_call_is_written_once_and_compared_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "reception.py").write_text(RECEPTION)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_reception.py").write_text(blocks(HOW_TO, "python")[0])
    (tmp_path / "conftest.py").write_text("")  # so that `reception` is found
    written, compared = [command[1:] for command in commands(HOW_TO) if command[0] == "pytest"]

    pytest_in(tmp_path, *written)
    assert "No, wait, make it four people." in (tmp_path / "tests/traces/a_party_that_grows.txt").read_text()
    assert "2 passed" in pytest_in(tmp_path, *compared)


class Greeter(Agent):
    greeting = "Good evening."


def test_the_how_to_s_commands_on_a_trace_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def have() -> str:
        return (await simulate(Greeter(), [waits_for_agent()])).trace

    backend, options = virtual("asyncio")
    (tmp_path / "out/traces").mkdir(parents=True)
    trace = anyio.run(have, backend=backend, backend_options=options)
    (tmp_path / "out/traces/CA0001.jsonl").write_text(trace)
    monkeypatch.chdir(tmp_path)

    ran = [command for command in commands(HOW_TO) if command[0] == "agentvoice"]

    assert [run(command[1:]) for command in ran] == [0] * 5
    assert (tmp_path / "tests/test_overbooked.py").exists()
    assert (tmp_path / "shareable.jsonl").exists()


@pytest.mark.parametrize("page", [TUTORIAL, HOW_TO])
def test_every_command_that_is_named_in_passing_exists(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in set(re.findall(r"agentvoice trace (\w+)", page)):
        assert run(["trace", name, "--help"]) == 0
