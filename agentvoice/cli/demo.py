"""`agentvoice demo`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from .begin import begin


def demo(out: Path) -> None:
    """Make the demo's call, and leave what it was in `out`."""
    begin()
    import_module("agentvoice.demo").run(out)
