"""`agentvoice plugins`."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import get_args

from rich.console import Console
from rich.table import Table

from agentvoice.plugins import Kind


def plugins() -> None:
    """List the installed plugins, by what they do. Imports none of them."""
    table = Table("kind", "name", "package", "version", box=None, pad_edge=False)
    for kind in get_args(Kind):
        points = sorted(entry_points(group=f"agentvoice.{kind}"), key=lambda point: point.name)
        for point in points:
            package = point.dist
            table.add_row(kind, point.name, package.name if package else "", package.version if package else "")
        if not points:
            table.add_row(kind, "[dim]none[/]", "", "")
    Console().print(table)
