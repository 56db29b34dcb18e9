"""Naming an agent, rightly and wrongly."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentvoice.agent import Agent
from agentvoice.cli.locate import locate
from agentvoice.errors import PluginNotFound, UsageError

AGENT = "from agentvoice.agent import Agent\nclass Receptionist(Agent):\n    greeting = 'Hello'\n"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def refusal(target: str) -> str:
    with pytest.raises(UsageError) as caught:
        locate(target)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_agent_is_found_in_a_file() -> None:
    write("examples/phone.py", AGENT)
    assert locate("examples/phone.py:Receptionist").greeting == "Hello"


def test_an_agent_is_found_in_a_module_of_the_folder_one_is_in() -> None:
    write("shop/__init__.py", "")
    write("shop/agents.py", AGENT)
    assert issubclass(locate("shop.agents:Receptionist"), Agent)


def test_a_file_may_import_what_stands_beside_it() -> None:
    write("examples/greetings.py", "HELLO = 'Good evening'")
    write("examples/phone.py", "from greetings import HELLO\n" + AGENT.replace("'Hello'", "HELLO"))
    assert locate("examples/phone.py:Receptionist").greeting == "Good evening"


def test_a_file_may_be_called_like_a_library() -> None:

    write("json.py", AGENT)
    assert locate("json.py").__name__ == "Receptionist"
    assert sys.modules["json"] is json


def test_the_only_agent_of_a_module_need_not_be_named() -> None:
    write("phone.py", AGENT)
    assert locate("phone.py").__name__ == "Receptionist"


def test_one_of_several_has_to_be_named() -> None:
    write("phone.py", AGENT + "class Waiter(Agent): ...\n")
    assert refusal("phone.py") == (
        "which agent of phone.py? its agents are: Receptionist, Waiter; try phone.py:Receptionist"
    )


def test_a_missing_file_is_told_with_the_folder_that_was_searched() -> None:
    assert refusal("examples/phone.py:Receptionist").startswith("there is no file 'examples/phone.py' in /")


def test_a_missing_module_is_told_with_how_to_name_a_file() -> None:
    assert "there is no module 'no_such' on the Python path" in refusal("no_such:Receptionist")
    assert "examples/telephony.py:Receptionist" in refusal("no_such.agents:Receptionist")


def test_a_missing_name_is_told_with_what_there_is() -> None:
    write("phone.py", AGENT)
    assert refusal("phone.py:Recepcionist") == "phone.py has no 'Recepcionist'; its agents are: Receptionist"


def test_a_module_without_an_agent_is_told_so() -> None:
    write("phone.py", "from agentvoice.agent import Agent\ndef Receptionist(): ...\n")
    assert refusal("phone.py") == (
        "which agent of phone.py? it has no subclass of agentvoice.Agent; try phone.py:AGENT"
    )
    assert refusal("phone.py:Receptionist") == (
        "'Receptionist' in phone.py is not a subclass of agentvoice.Agent; it has no subclass of agentvoice.Agent"
    )


def test_a_colon_alone_is_told_how_it_is_written() -> None:
    assert "try MODULE:AGENT" in refusal(":Receptionist")


def test_a_module_that_needs_what_is_not_installed_says_what() -> None:
    write("phone.py", "import openai_no_such.client\n")
    expected = "needs 'openai_no_such', which is not installed; try: pip install openai_no_such"
    assert refusal("phone.py:X") == f"phone.py {expected}"
    assert refusal("phone:X") == f"phone {expected}"


def test_a_module_that_is_not_python_says_in_which_line() -> None:
    write("phone.py", "\nclass Receptionist(\n")
    assert "phone.py cannot be imported: '(' was never closed (" in refusal("phone.py:X")
    assert refusal("phone.py:X").endswith("line 2)")


@pytest.mark.parametrize("failure", ["1 / 0", "raise SystemExit(3)"])
def test_a_module_that_fails_says_in_which_line(failure: str) -> None:
    write("phone.py", f"\n\n{failure}\n")
    assert refusal("phone.py:X").endswith("phone.py, line 3)")
    assert refusal("phone:X").endswith("phone.py, line 3)")


def test_what_a_module_says_on_purpose_is_passed_on() -> None:
    write("phone.py", "from agentvoice.plugins import load\nload('llm', 'no_such')\n")
    with pytest.raises(PluginNotFound, match="no llm named 'no_such'"):
        locate("phone.py")
    with pytest.raises(PluginNotFound, match="no llm named 'no_such'"):
        locate("phone")
