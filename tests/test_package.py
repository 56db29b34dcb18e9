"""What the package offers, and what it costs to import it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import agentvoice


def test_every_name_that_is_offered_is_there_and_where_type_checkers_see_it() -> None:
    tree = ast.parse(Path(agentvoice.__file__).read_text(encoding="utf-8"))
    seen = {name.name: each.module for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) and each.level
            for name in each.names}  # fmt: skip

    assert seen == agentvoice._MODULES
    assert sorted(seen) == sorted(agentvoice.__all__)
    assert all(getattr(agentvoice, name) for name in agentvoice.__all__)


def test_a_name_that_is_not_there_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Agents'"):
        _ = agentvoice.Agents


@pytest.mark.real_time
@pytest.mark.parametrize(("statement", "most"), [("import agentvoice", 0), ("from agentvoice import Agent", 1)])
def test_to_import_it_loads_neither_models_nor_vendors_and_no_more_than_it_must(statement: str, most: int) -> None:
    heavy = (
        "anyio msgspec pydantic pydantic_settings structlog websockets numpy onnxruntime httpx httpx2 starlette".split()
    )
    code = f"{statement}\nimport sys\nprint(*(name for name in {heavy} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert len(loaded) <= most, loaded
