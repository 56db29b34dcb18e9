"""`agentvoice replay`."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from agentvoice.errors import UsageError
from agentvoice.trace.codec import Keep
from agentvoice.trace.log import read_trace
from agentvoice.trace.replay import Difference, replay as run_again, retrace


def replay(source: Path, *, accept: bool) -> None:
    """Run the core again on what was recorded; point at the first decision that differs."""
    trace = read_trace(source)
    if trace.header.keep is Keep.SHAPE:
        raise UsageError(f"{source} was kept without words, and words decide; it can be shown, but not replayed")
    console = Console(highlight=False, soft_wrap=True)
    found = run_again(trace)
    if trace.torn:
        console.print("[yellow]its last line was cut short, as by a crash, and is left out[/]")
    if found.difference is None:
        console.print(f"{found.steps:,} inputs, {found.decisions:,} decisions: [green]all as recorded[/]")
        return
    _point_at(console, source, found.difference)
    if accept:
        lines = source.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        source.write_text("\n".join(retrace(lines)) + "\n", encoding="utf-8")
        console.print(f"accepted: {source} now holds what is decided today")
        return
    raise typer.Exit(1)


def _point_at(console: Console, source: Path, difference: Difference) -> None:
    where, *told = str(difference).splitlines()
    console.print(Text(f"{source}:{difference.line}: the first decision that differs, {where.partition(', ')[2]}"))
    for line, style in zip(told, ("red", "green"), strict=True):
        console.print(Text(line, style))
