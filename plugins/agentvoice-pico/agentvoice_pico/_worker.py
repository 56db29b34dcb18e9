"""Pico in a process of its own, `_pico.py`.

Its C code holds the interpreter's lock while it speaks, and now and then it does not come back from a
text: there it keeps nobody waiting, and can be killed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer
from typing import IO, Final

TIMEOUT_S: Final = 15.0
"""No sentence takes a hundredth of this, on a machine that has nothing else to do."""
PROGRAM: Final = Path(__file__).with_name("_pico.py")


class Worker:
    """May be used by several threads at once; they take turns."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, program: Path = PROGRAM) -> None:
        """Prepare to run `program`, which is killed when an answer takes longer than `timeout_s`."""
        self._program = program
        self._timeout_s = timeout_s
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def speak(self, text: str, *, voice: str, speed: float) -> bytes:
        """Return speech: signed 16-bit PCM of 16 kHz.

        Raises:
            RuntimeError: Pico cannot speak this, or did not come back; the next text finds it well again.
        """
        with self._lock:
            process = self._started()
            assert process.stdin  # noqa: S101 - made with pipes
            assert process.stdout  # noqa: S101
            timer = Timer(self._timeout_s, process.kill)
            timer.start()
            try:
                process.stdin.write(json.dumps([text, voice, speed]).encode() + b"\n")
                process.stdin.flush()
                size = int.from_bytes(_exactly(process.stdout, 4), "little", signed=True)
                pcm = _exactly(process.stdout, max(0, size))
            except (OSError, EOFError) as error:
                process.kill()
                process.wait()  # or it would seem to be alive for the next text
                raise RuntimeError("the voice broke over this text; say it in other words") from error
            finally:
                timer.cancel()
        if size < 0:
            raise RuntimeError("the voice cannot speak this text; say it in other words")
        return pcm

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, str(self._program)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
            weakref.finalize(self, _stop, self._process)
        return self._process


def _exactly(source: IO[bytes], size: int) -> bytes:
    data = source.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(OSError):
                pipe.close()
