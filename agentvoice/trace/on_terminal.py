"""A trace on the terminal: the retelling in colours, and figures as a table. Needs `rich` (the extra `cli`)."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .log import Trace
from .retelling import CUT, Row, heading, rows
from .stats import Stats
from .telling import tell

_STYLES: Final = {"caller": "cyan", "key": "cyan", "agent": "blue", "barge-in": "bold dark_orange3", "hole": "red"}
_DIM: Final = "bright_black"


def show(trace: Trace, console: Console) -> None:
    """Tell the call line by line; long lines wrap beneath themselves."""
    story = tell(trace)
    console.print(Text(heading(story), "bold"))
    console.print()
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style=_DIM, no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows(story):
        table.add_row(row.clock, Text(row.who, _STYLES.get(row.who, _DIM)), _said(row))
    console.print(table)
    if trace.torn:
        console.print("[yellow]the last line of the trace was cut short, as by a crash[/]")


def _said(row: Row) -> Text:
    text = Text(row.text, "" if row.who in {"caller", "agent", "key"} else _DIM)
    return text.append(CUT, "dark_orange3").append(f" {row.unheard}", _DIM) if row.unheard else text


def figures(found: Stats, console: Console) -> None:
    """Print the figures of some calls."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style=_DIM)
    table.add_column(justify="right")
    table.add_column()
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in found.outcomes.items())
    for name, value, unit in (
        ("calls", f"{found.calls:,}", ""),
        ("length", f"{found.seconds:,.1f}", "s"),
        ("turns", f"{found.turns:,}", outcomes),
        ("answered after", _or_none(found.response_ms), "ms, the median"),
        ("", _or_none(found.response_p90_ms), "ms, nine of ten"),
        ("barge-ins", f"{found.barge_ins:,}", ""),
        ("silent after", _or_none(found.silence_ms), "ms, the median, from the caller's first sound"),
        ("false alarms", f"{found.false_alarms:,}", "after which the agent went on"),
        ("stale frames", f"{found.stale_frames:,}", "of dead contexts, handed to the line"),
        ("holes", f"{found.holes:,}", "in the agent's speech"),
    ):
        table.add_row(name, value, Text(unit, _DIM))
    console.print(table)


def _or_none(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
