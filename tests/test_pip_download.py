"""One wheel, by pip. No network: a script stands in for pip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from anyio import create_task_group, from_thread, to_thread

from agentvoice.pip_download import DownloadFailed, Wheel, _reason, command, download

ANYWHERE = Wheel("a_voice-1.0-py3-none-any.whl", "0" * 64, 1000)
SOMEWHERE = Wheel("b-0.1.0-py3-none-manylinux_2_28_x86_64.manylinux_2_34_x86_64.whl", "0" * 64, 1000)


def test_pip_is_asked_for_the_wheels_own_platform_whatever_ours_is(tmp_path: Path) -> None:
    assert "--platform" not in command(ANYWHERE, tmp_path)
    assert command(SOMEWHERE, tmp_path)[-5:] == [
        "--platform",
        "manylinux_2_34_x86_64",
        "--dest",
        str(tmp_path),
        "b==0.1.0",
    ]


def stand_in(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(
        "agentvoice.pip_download.command", lambda _, folder: [sys.executable, "-c", script, str(folder)]
    )


def test_a_download_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in writes half, and the rest once it was told of the half."""
    script = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / "half").write_bytes(bytes(500))
while not (folder / "go").exists(): time.sleep(0.01)
(folder / "a_voice-1.0-py3-none-any.whl").write_bytes(bytes(1000))
"""
    stand_in(monkeypatch, script)
    told: list[int] = []

    def tell(size: int) -> None:
        told.append(size)
        if size:
            (tmp_path / "go").touch()

    path = download(ANYWHERE, tmp_path, tell)

    assert path.stat().st_size == 1000
    assert 500 in told
    assert told[-1] == 1000


def test_the_last_thing_that_pip_complained_of_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(
        monkeypatch, "import sys; sys.exit('WARNING: slow\\nERROR: first\\nERROR: No matching distribution\\nhint')"
    )

    with pytest.raises(DownloadFailed, match=r"^No matching distribution$"):
        download(ANYWHERE, tmp_path, lambda _: None)


def test_a_pip_that_says_nothing_and_leaves_nothing_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "")

    with pytest.raises(DownloadFailed, match=r"^pip download ended with 0$"):
        download(ANYWHERE, tmp_path, lambda _: None)


def test_without_pip_the_message_says_how_to_get_it() -> None:
    assert _reason("/usr/bin/python3: No module named pip\n").endswith("No module named pip; try: python -m ensurepip")


def test_an_interrupted_download_ends_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []
    popen = subprocess.Popen

    def record(*args: object, **kwargs: object) -> subprocess.Popen[str]:
        started.append(popen(*args, **kwargs))  # type: ignore[call-overload]
        return started[-1]

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", record)
    stand_in(monkeypatch, "import time; time.sleep(60)")

    with pytest.raises(KeyboardInterrupt):
        download(ANYWHERE, tmp_path, interrupt)

    assert started[0].returncode == -9


@pytest.mark.sockets
async def test_a_download_in_a_worker_thread_ends_with_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "import time; time.sleep(60)")

    async with create_task_group() as group:

        def give_up(_: int) -> None:
            from_thread.run_sync(group.cancel_scope.cancel)

        await to_thread.run_sync(download, ANYWHERE, tmp_path, give_up)

    assert group.cancel_scope.cancelled_caught
