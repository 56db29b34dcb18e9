"""What the how-to on testing and the tutorial's chapter on it show is run."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from agentvoice.testing.scenarios import read_scenarios
from agentvoice.testing.simulate import simulate
from agentvoice.testing.variations import try_out

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "how-to/test-your-agent.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


PYTHON = "\n".join(blocks(PAGE, "python"))
TUTORIAL = blocks((DOCS / "tutorial.md").read_text(encoding="utf-8"), "python")
(SCENARIOS,) = blocks(PAGE, "yaml")


def shown() -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "shown"}
    exec(compile(PYTHON, "test-your-agent.md", "exec"), space)
    return space


@pytest.mark.parametrize("name", re.findall(r"^async def (test_\w+)\(simulate\)", PYTHON, re.MULTILINE))
async def test_a_test_of_the_page_passes(name: str) -> None:
    await shown()[name](simulate)


async def test_the_contract_of_the_page_is_kept() -> None:
    await shown()["test_my_voice_activity_keeps_the_contract"]()


@pytest.mark.parametrize("seed", range(5))
async def test_the_scenario_of_the_page_passes(tmp_path: Path, seed: int) -> None:
    (tmp_path / "rolls.yaml").write_text(SCENARIOS)
    (case,) = read_scenarios(tmp_path / "rolls.yaml")

    assert (await try_out(case, shown()["Baker"], seed)).failures == []
    assert yaml.safe_load(SCENARIOS)["agent"] == "baker.py:Baker"


async def test_the_tutorial_s_agent_passes_the_tutorial_s_test(monkeypatch: pytest.MonkeyPatch) -> None:
    baker = ModuleType("baker")
    exec(compile(TUTORIAL[0], "baker.py", "exec"), vars(baker))
    monkeypatch.setitem(sys.modules, "baker", baker)
    space: dict[str, Any] = {"__name__": "test_baker"}
    exec(compile(TUTORIAL[-1], "test_baker.py", "exec"), space)

    await space["test_the_caller_may_cut_in"](simulate)
