"""What the far end knows of a call: when its recording began, what it played, when it was told to forget.

A trace tells what an agent's side did; this is the other side's own account, against which the trace can be checked.
Written by the simulated caller as `caller.json`, next to its recording.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from agentvoice.errors import UsageError

from .story import Sound


@dataclass(frozen=True, slots=True)
class Line:
    """Something that the caller said, by the script."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The far end's account. Times are seconds of the recording, but for `t0`."""

    t0: float
    """What the monotonic clock showed at the recording's first sample."""
    said: Sequence[Line] = ()
    """What the caller said."""
    played: Sequence[Sound] = ()
    """When it played audio of the agent's, stretch by stretch."""
    clears: Sequence[float] = ()
    """When it was told to forget what it had not played."""
    complaints: Sequence[str] = ()
    """What the script expected and did not get."""


class _File(msgspec.Struct):
    t0: float
    said: list[Line] = []
    played: list[tuple[float, float]] = []
    clears: list[float] = []
    complaints: list[str] = []


def read_truth(path: Path) -> Truth:
    """Read a `caller.json`.

    Raises:
        UsageError: there is none, or it is not one.
    """
    try:
        read = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{path} is not a caller's account: {error}") from error
    return Truth(read.t0, read.said, [Sound(*times) for times in read.played], read.clears, read.complaints)


# ------------------------------------------------------------------ words

_NUMBERS: Final = dict(
    enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
)


def normalised(text: str) -> Sequence[str]:
    """Return the words as they sound, so that "4" and "Four," are the same word."""
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower().replace("’", "'").replace("-", ""))
    return [_NUMBERS.get(int(word), word) if word.isdecimal() else word for word in words]


def word_errors(said: str, understood: str) -> tuple[int, int]:
    """Return how many words are wrong, missing or too many, and how many were said."""
    wanted, got = normalised(said), normalised(understood)
    costs = list(range(len(got) + 1))
    for number, word in enumerate(wanted, start=1):
        diagonal, costs[0] = costs[0], number
        for at, other in enumerate(got, start=1):
            substituted = diagonal + (word != other)
            diagonal = costs[at]
            costs[at] = min(substituted, costs[at] + 1, costs[at - 1] + 1)
    return costs[-1], len(wanted)
