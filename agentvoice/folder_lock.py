"""Edge: one process, and one thread, at a time in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def folder_lock(folder: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the folder's lock; `on_wait` is called once when somebody else holds it. Goes with its holder, however
    that ends: a process that was killed leaves nothing to clean up."""
    with (folder / ".lock").open("ab") as file:
        with suppress(ImportError):  # Windows; there both would work, and the last one wins
            import fcntl  # noqa: PLC0415

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
