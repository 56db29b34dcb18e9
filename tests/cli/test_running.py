"""Signals, sent to real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.sockets  # real processes, in real time

AT_ONCE_S = 5
"""No measure, but much less than what is left to wait for would take."""
PREAMBLE = """
import signal, sys, time
import anyio
from anyio import to_thread
from agentvoice.cli.running import run

def say(word):
    print(word, flush=True)

async def wait():
    say("ready")
    try:
        await anyio.sleep_forever()
    finally:
        say("cleaned up")

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
try:
    {body}
except KeyboardInterrupt:
    say("interrupted")
    sys.exit(130)
"""


def start(body: str) -> subprocess.Popen[str]:
    program = PREAMBLE.format(body=body)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def end(process: subprocess.Popen[str], act: Callable[[], None] = lambda: None) -> tuple[int, list[str], float]:
    """Act, and return the exit code, what was said, and how long it took."""
    began = time.perf_counter()
    act()
    with process:
        # not `communicate`, which does not look into the buffer that `readline` may have filled with more than its line
        assert process.stdout is not None
        assert process.stderr is not None
        out, errors = process.stdout.read(), process.stderr.read()
    assert "Traceback" not in errors
    return process.returncode, out.split("\n")[:-1], time.perf_counter() - began


def test_ctrl_c_cleans_up_and_is_told() -> None:
    process = start("run(wait)")
    code, said, took = end(process, lambda: process.send_signal(signal.SIGINT))
    assert (code, said) == (130, ["cleaned up", "interrupted"])
    assert took < AT_ONCE_S


def test_ctrl_c_does_not_wait_for_a_thread_that_computes() -> None:
    process = start("""
    async def busy():
        say("ready")
        await to_thread.run_sync(time.sleep, 30)
    run(busy)""")
    code, _, took = end(process, lambda: process.send_signal(signal.SIGINT))
    assert code == 130
    assert took < AT_ONCE_S


def test_sigterm_drains_first_and_is_no_failure() -> None:
    process = start("""
    async def drain():
        say("draining")
        await anyio.sleep(0.2)
    run(wait, drain=drain)""")
    code, said, took = end(process, process.terminate)
    assert (code, said) == (0, ["draining", "cleaned up"])
    assert took >= 0.2


def test_ctrl_c_ends_a_drain_that_takes_too_long() -> None:
    process = start("""
    async def drain():
        say("draining")
        await anyio.sleep_forever()
    run(wait, drain=drain)""")
    process.terminate()
    assert process.stdout is not None
    assert process.stdout.readline() == "draining\n"
    process.terminate()  # a second one changes nothing
    code, said, took = end(process, lambda: process.send_signal(signal.SIGINT))
    assert (code, said) == (130, ["cleaned up", "interrupted"])
    assert took < AT_ONCE_S


def test_what_ends_by_itself_is_done() -> None:
    process = start("""
    async def once():
        say("ready")
    run(once)
    say("done")""")
    assert end(process)[:2] == (0, ["done"])
