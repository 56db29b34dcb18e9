"""The command line: `agentvoice`. A file for each idea, and each command loads only what it needs."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def main() -> None:
    """Run the command line, and leave with its exit code."""
    try:
        import typer  # noqa: F401, PLC0415  # an extra
    except ModuleNotFoundError:
        sys.stderr.write("the command line is an extra; try: pip install 'agentvoice[cli]'\n")
        sys.exit(2)
    from .boundary import INTERRUPTED, run  # noqa: PLC0415

    code = run(sys.argv[1:])
    if code == INTERRUPTED:
        # Everything is closed by now. Taking the interpreter apart would take longer than all of that did, and whoever
        # pressed Ctrl-C was promised an end within a second.
        with suppress(OSError):  # whoever read along may be gone as well
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
