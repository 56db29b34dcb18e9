"""Golden calls: how a call went once, kept as a text that people can read, and compared line by line.

    async def test_a_booking(simulate, golden):
        call = await simulate(Receptionist(), [says("A table for two."), waits_for_agent()])
        assert call == golden("booking")

The text is `tests/traces/booking.txt`, as `agentvoice trace show` prints it. `pytest --agentvoice-update` writes it
anew; what changed then shows in the diff of the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import ndiff
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from agentvoice.trace.log import Trace, read_trace
from agentvoice.trace.retelling import retell

UPDATE = "--agentvoice-update"


@runtime_checkable
class Traced(Protocol):
    """A call that is over, such as `simulate` returns."""

    @property
    def trace(self) -> str:
        """Its event log: JSON lines."""


class Golden:
    """What a call is compared with: equal when it is told in the same words and times, to 10 ms."""

    __hash__ = None  # type: ignore[assignment]  # it stands for a file, whose text may change

    def __init__(self, path: Path, *, update: bool = False) -> None:
        """Compare with the text at `path`; with `update`, write it first."""
        self.path = path
        self._update = update

    @property
    def text(self) -> str | None:
        """What is expected; `None` when nothing has been written yet."""
        return self.path.read_text(encoding="utf-8") if self.path.exists() else None

    def __eq__(self, call: object) -> bool:
        told = told_of(call)
        if told is None:
            return NotImplemented
        if self._update and told != self.text:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(told, encoding="utf-8")
        return told == self.text

    def __repr__(self) -> str:
        return f"golden({self.path.stem!r})"


def told_of(call: object) -> str | None:
    """Return a call's retelling; `None` of what is no call."""
    match call:
        case Trace():
            return retell(call)
        case Traced() if call.trace:
            return retell(read_trace(call.trace))
        case _:
            return None


def explained(call: object, golden: Golden) -> list[str]:
    """Return why a call is not what was expected, for pytest's report."""
    if golden.text is None:
        return [f"there is no {golden.path} yet", f"write it with: pytest {UPDATE}"]
    return [
        f"the call is not {golden!r} any more",
        "- what was expected, + what happened:",
        *_differences(golden.text, told_of(call) or ""),
        f"if it is as it should be: pytest {UPDATE}",
    ]


def explained_turns(left: Sequence[Any], right: Sequence[Any]) -> list[str]:
    """Return how two lists of turns differ, a line for each turn."""
    return ["the turns are others (- expected, + happened):", *_differences(_listed(right), _listed(left))]


def _listed(turns: Sequence[Any]) -> str:
    return "\n".join(map(str, turns))


def _differences(expected: str, happened: str) -> list[str]:
    compared = ndiff(expected.splitlines(), happened.splitlines())
    return [line.rstrip() for line in compared if line.startswith(("-", "+"))]  # pytest shows few lines
