"""A call's sound beside its trace: a WAV file, the caller on the left, the agent on the right, from the first moment.

It is what this end knows: the caller as the line delivered it, the agent as a far end plays that plays at once what it
is sent. Written as it happens, so that a crash loses the last second.
"""

from __future__ import annotations

import wave
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from agentvoice.audio import AudioFormat, to_linear
from agentvoice.commands import ClearPlayout, Command, SendAudio
from agentvoice.errors import UsageError
from agentvoice.events import CallerAudio, Event

log = structlog.get_logger(__name__)

_SETTLED_S: Final = 1.0
"""After so long nothing changes any more: no frame of the caller's comes later, and nothing is cleared."""


class Tape:
    """Record a call. An `Observer`; `heard` takes the caller's audio, which no observer is told of."""

    def __init__(self, path: Path, audio: AudioFormat, *, started_at: float) -> None:
        """Write to `path`, in place of any older file. Times count from `started_at`.

        Raises:
            UsageError: the file cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._out = path.open("wb")
        except OSError as error:
            raise UsageError(f"cannot write the sound to {path}: {error.strerror}; give another path") from error
        self._file: wave.Wave_write | None = wave.open(self._out, "wb")  # noqa: SIM115 - closed with the call
        self._file.setparams((2, 2, audio.sample_rate, 0, "NONE", ""))
        self._audio = audio
        self._started_at = started_at
        self._caller, self._agent = array("h"), array("h")
        self._written = 0  # samples that are in the file
        self._offset: int | None = None  # from the samples of the line's media to those of the tape
        self._ends = 0  # the sample at which the agent's audio ends, as far as it was sent

    def heard(self, now: float, event: CallerAudio) -> None:
        """Take audio from the caller."""
        if self._offset is None:
            self._offset = self._sample(now) - event.start
        self._put(self._caller, event.start + self._offset, event.audio)

    def received(self, now: float, event: Event | None) -> None:  # noqa: ARG002 - an observer's
        """Write what is settled."""
        self._write(self._sample(now - _SETTLED_S))

    def decided(self, now: float, commands: Sequence[Command]) -> None:
        """Take audio for the caller, or leave out what was cleared."""
        for command in commands:
            match command:
                case SendAudio(_, audio):
                    self._ends = self._put(self._agent, max(self._sample(now), self._ends), audio)
                case ClearPlayout():
                    self._ends = self._sample(now)
                    del self._agent[max(0, self._ends - self._written) :]
                case _:
                    pass

    def closed(self) -> None:
        """Write the rest. Harmless when that was done."""
        self._write(self._written + max(len(self._caller), len(self._agent)))
        if self._file is not None:
            self._file.close()
            self._file = None
        self._out.close()

    def _sample(self, now: float) -> int:
        return round((now - self._started_at) * self._audio.sample_rate)

    def _put(self, track: array[int], at: int, audio: bytes) -> int:
        """Lay audio at a sample of the tape; return the one at which it ends."""
        pcm = array("h", to_linear(audio, self._audio.encoding))
        first = max(0, at - self._written)
        track.extend([0] * (first + len(pcm) - len(track)))
        track[first : first + len(pcm)] = pcm
        return self._written + first + len(pcm)

    def _write(self, until: int) -> None:
        count = until - self._written
        if self._file is None or count <= 0:
            return
        both = array("h", bytes(4 * count))
        for side, track in enumerate((self._caller, self._agent)):
            settled = track[:count]
            both[side : 2 * len(settled) : 2] = settled
            del track[:count]
        self._written = until
        try:
            self._file.writeframes(both.tobytes())
            self._out.flush()
        except OSError as error:  # a full disk must not end a call
            log.warning("tape_lost", reason=error.strerror)
            self._file = None
