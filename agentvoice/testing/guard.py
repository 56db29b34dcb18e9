"""A guard for tests in virtual time: whoever touches a real socket, a thread or the wall clock fails, by name.

To a clock that jumps, whatever waits for the world outside looks idle, and it leaps hours past it: such a test passes
today and hangs tomorrow. Sockets and threads are guarded for everybody. The wall clock is guarded for one's own code
and not for installed packages, whose business it mostly is to write it into a log. `time.perf_counter` is free: how
long the machine took is a fair question.
"""

from __future__ import annotations

import ctypes
import gc
import inspect
import socket
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache, wraps
from pathlib import Path
from types import FrameType
from typing import Any, Final

import anyio.to_thread
import pytest

_INSTALLED: Final = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")}
)
_TIMERS_OF_TOOLS: Final = frozenset({"pytest_timeout", "_pytest", "coverage", "hypothesis"})
"""Packages that may have threads of their own beside a test."""

_SOCKETS: Final = ("connect", "connect_ex", "bind", "listen", "sendto")
_CLOCKS: Final[Mapping[Any, str]] = {
    getattr(time, name): name for name in ("time", "time_ns", "monotonic", "monotonic_ns", "sleep")
}

_CALENDARS: Final = ((datetime, "now"), (datetime, "utcnow"), (date, "today"))

_OUT: Final = (
    "mark it `real_time`, `sockets` or `speech` to give it the real clock, or let it have the fixture `unguarded`"
)


@contextmanager
def guarded() -> Iterator[None]:
    """Fail the test that does within this context what virtual time cannot stand.

    Raises:
        Failed: pytest's own, which no `except Exception` swallows; the message says what was touched, and where.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in _SOCKETS:
            patch.setattr(
                socket.socket,
                name,
                _refusing(f"a real socket (socket.{name})", _makes_a_pair, getattr(socket.socket, name)),
            )
        patch.setattr(socket, "getaddrinfo", _refusing("the network (socket.getaddrinfo)", _nobody, socket.getaddrinfo))
        patch.setattr(
            threading.Thread, "start", _refusing("a thread (Thread.start)", _is_a_tool, threading.Thread.start)
        )
        run_sync = anyio.to_thread.run_sync
        patch.setattr(anyio.to_thread, "run_sync", _refusing("a thread (to_thread.run_sync)", _nobody, run_sync))
        watched = {clock: _watched(clock) for clock in _CLOCKS}
        for clock, name in _CLOCKS.items():
            patch.setattr(time, name, watched[clock])
        for module, name, clock in _own_names():
            patch.setattr(module, name, watched[clock])
        with _watched_calendars():
            yield


@contextmanager
def _watched_calendars() -> Iterator[None]:
    """Watch `datetime.now` and its like, methods of types that Python lets nobody change: in their dictionaries."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            for kind, name in _CALENDARS:
                members = gc.get_referents(kind.__dict__)[0]
                patch.setitem(members, name, _reading(kind, name))
                _changed(kind)
            yield
    finally:
        for kind, _ in _CALENDARS:
            _changed(kind)


def _changed(kind: type) -> None:
    """Have Python look again at what a type holds."""
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


@cache  # and kept for ever: Python's own cache of methods counts no references
def _reading(kind: type, name: str) -> classmethod[Any, ..., Any]:
    method = kind.__dict__[name]

    def read(cls: type, *args: Any, **kwargs: Any) -> Any:
        return method.__get__(None, cls)(*args, **kwargs)

    what = f"the wall clock ({kind.__name__}.{name})"
    return classmethod(_refusing(what, _is_installed, read, "; use anyio.current_time(), hand the date in, or"))


@cache
def _watched(clock: Callable[..., Any]) -> Callable[..., Any]:
    instead = "await anyio.sleep()" if clock is time.sleep else "anyio.current_time()"
    return _refusing(f"the wall clock (time.{_CLOCKS[clock]})", _is_installed, clock, f"; use {instead}, or")


def _refusing(
    what: str, may: Callable[[FrameType], bool], function: Callable[..., Any], or_: str = ";"
) -> Callable[..., Any]:
    """Return a function that fails the test unless its caller `may`."""

    @wraps(function)
    def refuse(*args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1)  # noqa: SLF001 - cheap enough for a clock, which `inspect.stack` is not
        if may(caller):
            return function(*args, **kwargs)
        __tracebackhide__ = True
        return pytest.fail(f"a test in virtual time touches {what}, {_place(caller)}{or_} {_OUT}")

    return refuse


def _place(caller: FrameType) -> str:
    """Say where it happened: in one's own code, if any of that led there."""
    frame: FrameType | None = caller
    while frame is not None and _is_installed(frame):
        frame = frame.f_back
    code = (frame or caller).f_code
    return f"in {code.co_name} ({Path(code.co_filename).name}:{(frame or caller).f_lineno})"


def _nobody(_: FrameType) -> bool:
    return False


def _makes_a_pair(caller: FrameType) -> bool:
    """Whether this is an event loop's own wake-up pair, which has to pass for a connection on some systems."""
    return "socketpair" in caller.f_code.co_name


def _is_a_tool(caller: FrameType) -> bool:
    """Whether the thread belongs to the test's surroundings, or to a loop that is being closed."""
    closing = caller.f_code.co_name == "shutdown_default_executor"
    return closing or str(caller.f_globals.get("__name__", "")).partition(".")[0] in _TIMERS_OF_TOOLS


def _is_installed(caller: FrameType) -> bool:
    return caller.f_code.co_filename.startswith(_INSTALLED)


def _own_names() -> Iterator[tuple[Any, str, Any]]:
    """Find the clocks that modules of one's own have imported by name."""
    for name in list(sys.modules):
        for attribute, clock in _clocks_in(name):
            yield sys.modules[name], attribute, clock


@cache
def _clocks_in(name: str) -> list[tuple[str, Any]]:
    module = sys.modules[name]
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or file.startswith(_INSTALLED) or name == __name__:
        return []
    return [(key, value) for key, value in vars(module).items() if inspect.isbuiltin(value) and value in _CLOCKS]
