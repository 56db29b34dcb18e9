"""How far fetching is: bars in a terminal, a line now and then elsewhere."""

from __future__ import annotations

from threading import Lock
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress as Bars, TaskID, TextColumn, TransferSpeedColumn

from agentvoice.assets import Progress, megabytes

_EVERY: Final = 25
"""Percent between two lines."""


class Told:
    """Is told of progress, from any thread, and shows it on stderr. Of what is in the cache it is told nothing."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._lock = Lock()
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lines: dict[str, int] = {}

    def __call__(self, progress: Progress) -> None:
        """Show one step."""
        with self._lock:
            if self._console.is_terminal:
                self._draw(progress)
            else:
                self._write(progress)

    def _draw(self, progress: Progress) -> None:
        if self._bars is None:
            self._bars = Bars(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=self._console,
            )
            self._bars.start()
        asset = progress.asset
        if asset.name not in self._tasks:
            self._tasks[asset.name] = self._bars.add_task(_words(progress), total=asset.download_size)
        self._bars.update(self._tasks[asset.name], completed=progress.fetched, description=_words(progress))
        if progress.state == "ready" and self._bars.finished:
            self._bars.stop()
            self._bars, self._tasks = None, {}

    def _write(self, progress: Progress) -> None:
        asset = progress.asset
        percent = 100 * progress.fetched // max(1, asset.download_size)
        step = 101 if progress.state == "ready" else percent // _EVERY * _EVERY
        if step > self._lines.get(asset.name, -1):
            self._lines[asset.name] = step
            size = f"{megabytes(progress.fetched)} of {megabytes(asset.download_size)} MB"
            self._console.print(f"{_words(progress)}: {'done' if progress.state == 'ready' else size}")


def _words(progress: Progress) -> str:
    waiting = " (another process fetches it)" if progress.state == "waiting" else ""
    return f"{progress.asset.name}, {progress.asset.purpose}{waiting}"
