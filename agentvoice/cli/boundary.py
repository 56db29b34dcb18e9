"""Where errors become lines and exit codes.

| code | what happened                                                       |
| ---- | ------------------------------------------------------------------- |
| 0    | it was done, or stopped as asked (SIGTERM)                          |
| 1    | something failed that was not the user's doing                      |
| 2    | the user asked for what cannot be had; the line says what to do     |
| 130  | Ctrl-C                                                              |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text
from rich.traceback import Traceback

from agentvoice.errors import AgentVoiceError, UsageError

from .app import app

INTERRUPTED: Final = 130


def run(arguments: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    debug = "--debug" in arguments
    try:
        app([argument for argument in arguments if argument != "--debug"], prog_name="agentvoice")
    except SystemExit as end:  # how Typer says that it is done, or that the command line was wrong
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BaseExceptionGroup as group:
        return _fail(group, *_leaves(group), debug=debug)
    except Exception as error:  # noqa: BLE001  # the last frame there is
        return _fail(error, error, debug=debug)
    return 0


def _fail(whole: BaseException, *errors: BaseException, debug: bool) -> int:
    """Say what went wrong, in one line each; return the exit code."""
    if any(isinstance(error, KeyboardInterrupt) for error in errors):
        return INTERRUPTED
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if debug:
        console.print(Traceback.from_exception(type(whole), whole, whole.__traceback__))
    for line in dict.fromkeys(line for error in errors for line in _lines(error)):
        console.print(Text(line, style="red"))
    return 2 if all(isinstance(error, UsageError) for error in errors) else 1


def _lines(error: BaseException) -> list[str]:
    if isinstance(error, AgentVoiceError):
        return str(error).splitlines()
    return [f"{type(error).__name__}: {str(error).partition(chr(10))[0]} (unexpected; --debug shows where it is from)"]


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
