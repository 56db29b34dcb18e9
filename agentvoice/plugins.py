"""Finding plugins by entry point, so that the core names no vendor."""

from __future__ import annotations

from importlib.metadata import entry_points, metadata
from typing import Any, Literal, TypeAlias, get_args

from .errors import PluginNotFound

Kind: TypeAlias = Literal["vad", "recognizer", "end_of_turn", "cleaner", "llm", "engine", "synthesizer"]


def installed(kind: Kind) -> list[str]:
    """Return the names of the installed plugins of one kind, sorted."""
    return sorted({point.name for point in entry_points(group=f"agentvoice.{kind}")})


def load(kind: Kind, name: str) -> Any:
    """Return what the plugin's entry point names: a class, to be called by the caller.

    Raises:
        PluginNotFound: nothing of that kind and name is installed; the message says what is, and how to get it.
    """
    for point in entry_points(group=f"agentvoice.{kind}", name=name):
        return point.load()
    raise PluginNotFound(
        f"no {kind} named '{name}' (installed: {', '.join(installed(kind)) or 'none'}); {_way_out(kind, name)}"
    )


def _way_out(kind: Kind, name: str) -> str:
    if others := [other for other in get_args(Kind) if name in installed(other)]:
        return f"it is for: {', '.join(others)}"
    if name in (metadata("agentvoice").get_all("Provides-Extra") or ()):
        return f"try: pip install 'agentvoice[{name}]'"
    return f"a plugin names it as an entry point: agentvoice.{kind}"
