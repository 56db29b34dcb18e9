"""A call's recording: the caller on the left, the agent on the right; what can be seen and measured in its samples."""

from __future__ import annotations

import itertools
import math
import sys
import wave
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path
from typing import Final, NamedTuple

from agentvoice.errors import UsageError

from .story import Sound

SILENT: Final = 64
"""A sample below this is silence: −54 dB of full scale, less than G.711 makes of a quiet line's hiss."""

_LOUD: Final = 0.93
"""The share of sounding moments that are less loud than what counts as loud."""

BLOCK_S: Final = 0.005
"""The grain of what is measured."""


class Column(NamedTuple):
    """What one column of a waveform shows: samples as shares of full scale."""

    low: float
    high: float
    rms: float


@dataclass(frozen=True, slots=True)
class Track:
    """One side of the call."""

    samples: array[int]
    rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate

    @property
    def level(self) -> float:
        """How loud its loud moments are, but for the loudest few, as a share of full scale; 0 of a silent one."""
        block = max(1, self.rate // 50)
        parts = (self.samples[first : first + block] for first in range(0, len(self.samples), block))
        peaks = sorted(max(max(part), -min(part)) for part in parts)  # noqa: PLW3301 - `*part` is slow
        peaks = peaks[bisect_left(peaks, SILENT) :]
        return peaks[int(len(peaks) * _LOUD)] / 32768 if peaks else 0.0

    def columns(self, start: float, end: float, count: int) -> Sequence[Column]:
        """Return the lowest and highest sample and the loudness of each of `count` slices of equal length."""
        edges = [round((start + (end - start) * number / count) * self.rate) for number in range(count + 1)]
        return [self._column(first, last) for first, last in itertools.pairwise(edges)]

    def _column(self, first: int, last: int) -> Column:
        part = self.samples[max(0, first) : max(0, last)]
        if not part:
            return Column(0.0, 0.0, 0.0)
        rms = math.sqrt(sum(map(mul, part, part)) / len(part))
        return Column(min(part) / 32768, max(part) / 32768, rms / 32768)

    def sounds(self, *, above: int = SILENT, bridge_s: float = 0.0) -> Sequence[Sound]:
        """Return when there was sound: blocks with a sample as loud as `above`, gaps up to `bridge_s` closed."""
        block = max(1, round(BLOCK_S * self.rate))
        found: list[Sound] = []
        for first in range(0, len(self.samples), block):
            part = self.samples[first : first + block]
            if max(part) < above and min(part) > -above:
                continue
            start, end = first / self.rate, (first + len(part)) / self.rate
            if found and start - found[-1].end <= bridge_s + 1e-9:
                found[-1] = Sound(found[-1].start, end)
            else:
                found.append(Sound(start, end))
        return found


@dataclass(frozen=True, slots=True)
class Recording:
    """Both sides of a call on one clock, that of the far end."""

    caller: Track
    agent: Track
    wav: bytes
    """The file itself."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.caller.seconds


def read_recording(path: Path) -> Recording:
    """Read a recording.

    Raises:
        UsageError: there is none, or it is not 16-bit PCM with the caller left and the agent right.
    """
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getnchannels(), file.getsampwidth())
            rate, data = file.getframerate(), file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise UsageError(f"cannot read the recording {path}: {error}") from error
    if shape != (2, 2):
        raise UsageError(
            f"{path} has {shape[0]} channels of {8 * shape[1]} bits; a recording has 2 of 16 (caller left, agent right)"
        )
    both = array("h", data[: len(data) // 4 * 4])
    if sys.byteorder == "big":  # pragma: no cover
        both.byteswap()
    return Recording(Track(both[0::2], rate), Track(both[1::2], rate), path.read_bytes())
