"""The command line: `agentvoice`. A file for each idea, and each command loads only what it needs."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and leave with its exit code."""
    try:
        import typer  # noqa: F401, PLC0415  # an extra
    except ModuleNotFoundError:
        sys.stderr.write("the command line is an extra; try: pip install 'agentvoice[cli]'\n")
        sys.exit(2)
    from .boundary import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:]))
