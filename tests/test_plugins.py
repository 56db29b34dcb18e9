"""What is said of plugins that are not there."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agentvoice import plugins
from agentvoice.errors import PluginNotFound
from agentvoice.plugins import load

ROOT = Path(__file__).parents[1]


def project(folder: Path) -> Mapping[str, Any]:
    declared: Mapping[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return declared


def names() -> Iterator[tuple[str, str]]:
    """Yield the name of every plugin of ours, and its package."""
    for file in sorted(ROOT.glob("plugins/*/pyproject.toml")):
        declared = project(file.parent)
        for points in declared.get("entry-points", {}).values():
            yield from ((name, declared["name"]) for name in points)


@pytest.mark.parametrize(("name", "package"), sorted(set(names())))
def test_every_plugin_can_be_had_by_its_name(name: str, package: str) -> None:
    assert project(ROOT)["optional-dependencies"].get(name) == [package]


def test_who_misses_a_plugin_of_ours_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda **_: [])
    with pytest.raises(
        PluginNotFound,
        match=r"no cleaner named 'echo-noise' \(installed: none\); try: pip install 'agentvoice\[echo-noise\]'$",
    ):
        load("cleaner", "echo-noise")


def test_who_takes_a_plugin_for_what_it_is_not_is_told_what_it_is() -> None:
    with pytest.raises(PluginNotFound, match=r"no vad named 'openai' .*; it is for: recognizer, llm$"):
        load("vad", "openai")


def test_who_misses_another_is_told_where_it_would_be_declared() -> None:
    with pytest.raises(
        PluginNotFound, match=r"no vad named 'acme' .*a plugin names it as an entry point: agentvoice\.vad$"
    ):
        load("vad", "acme")
