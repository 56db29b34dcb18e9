"""`agentvoice trace`: what can be done with the trace of a call. What draws and measures is loaded when needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

traces = typer.Typer(
    help="Look at the traces of calls: show, draw, measure, anonymise, make tests of them.",
    epilog="Traces are written by [bold]AGENTVOICE_TRACE_DIR=out/traces agentvoice serve ...[/], and by the demo.",
    rich_markup_mode="rich",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A trace: JSON lines.")]


def _example(*lines: str, name: str | None = None) -> Callable[..., Any]:
    """Register a command whose help ends with commands to try."""
    return traces.command(name, epilog="\n\n".join(f"[dim]$[/] {line}" for line in lines))


@_example("agentvoice trace show out/demo/trace.jsonl", "agentvoice trace show trace.jsonl | less")
def show(file: File) -> None:
    """Tell the call line by line: who spoke, what was heard and what was cut, how long each answer took and why.

    What stands dim after a dash was to follow, and was not heard.
    """
    from rich.console import Console  # noqa: PLC0415

    from agentvoice.trace.log import read_trace  # noqa: PLC0415
    from agentvoice.trace.on_terminal import show as on_terminal  # noqa: PLC0415

    on_terminal(read_trace(file), Console(highlight=False))


@_example("agentvoice trace timeline out/demo/trace.jsonl", "agentvoice trace timeline trace.jsonl --no-png")
def timeline(
    file: File, *, png: Annotated[bool, typer.Option("--png/--no-png", help="Also a picture, beside the page.")] = True
) -> None:
    """Draw the call: one page to look at, and to listen to where its sound lies beside the trace.

    That is a WAV file of the same name, or the far end's [bold]call.wav[/]; with [bold]caller.json[/], the far end's
    own account, what it played is drawn and measured as well.
    """
    from agentvoice.trace.folder import pictures  # noqa: PLC0415

    for made in pictures(file, png=png):
        typer.echo(made)


@_example("agentvoice trace stats out/traces/*.jsonl", "agentvoice trace stats out/traces/*.jsonl --json | jq .holes")
def stats(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="One trace or many.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for machines.")] = False,
) -> None:
    """Measure calls: how fast they answered, how fast they fell silent, how their turns ended. Many are added up."""
    from agentvoice.trace.log import read_trace  # noqa: PLC0415
    from agentvoice.trace.on_terminal import figures  # noqa: PLC0415
    from agentvoice.trace.stats import stats as measured  # noqa: PLC0415
    from agentvoice.trace.telling import tell  # noqa: PLC0415

    found = measured([tell(read_trace(file)) for file in files])
    if json:
        import msgspec  # noqa: PLC0415

        typer.echo(msgspec.json.encode(found.facts()).decode())
    else:
        from rich.console import Console  # noqa: PLC0415

        figures(found, Console(highlight=False))


@_example(
    "agentvoice trace anonymise trace.jsonl --out shareable.jsonl", "agentvoice trace anonymise trace.jsonl | less"
)
def anonymise(
    file: File,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it goes; standard output if nowhere.", show_default=False)
    ] = None,
) -> None:
    """Take out what people said: every word and key becomes a dot, digests and the call's name go.

    What is left can be shown, drawn and measured. It cannot be replayed, since words decide.
    """
    from agentvoice.errors import UsageError  # noqa: PLC0415
    from agentvoice.trace.anonymise import anonymise as without_words  # noqa: PLC0415
    from agentvoice.trace.log import read_trace  # noqa: PLC0415

    text = without_words(read_trace(file))
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write to {out}: {error.strerror}; give another path") from error


@_example(
    "agentvoice trace test out/traces/CA81f0.jsonl --name overbooked", "pytest tests/test_overbooked.py", name="test"
)
def make_test(
    file: File,
    *,
    name: Annotated[
        str, typer.Option(help="What the test is called; like the file if nothing.", show_default=False)
    ] = "",
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="Where your tests are.")] = Path("tests"),
) -> None:
    """Make a test of a recorded call: the core must decide the same again on everything that happened in it.

    The trace goes to [bold]traces/[/] beside the test. It holds what the caller said: commit none that may not be kept.
    """
    from agentvoice.trace.testcase import write_test  # noqa: PLC0415

    made = write_test(file, into, name)
    typer.echo(f"{made.test}\n{made.trace}")
