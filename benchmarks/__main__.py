"""What agentvoice costs, beside a bare relay that does the same work in the same run.

    python -m benchmarks                 # 10 and 50 calls, 20 seconds each
    python -m benchmarks --calls 100 --seconds 30

`python -m benchmarks.speech_server` measures the speech server and its client in the same manner,
`python -m benchmarks.barge_in` how soon the line is silent when everything around misbehaves,
`python -m benchmarks.tokens` how long a call keeps a token, `python -m benchmarks.tools` what a storm of barge-ins
leaves behind, `python -m benchmarks.selectivity` whom the agent yields to, `python -m benchmarks.recognizers` how well
and how soon recognisers understand, `python -m benchmarks.end_of_turn` who is cut off and who is kept waiting,
`python -m benchmarks.voice_activity` how soon speech is noticed and what that costs, `python -m benchmarks.hearing`
what it costs to listen to many calls at once, `python -m benchmarks.cleaners` what noise and echo leave of the words,
`python -m benchmarks.word_times` how near a voice's word times are, and `python -m benchmarks.simulated` how fast whole
calls pass in virtual time.

Three processes: stub speech, the relay or agentvoice, and the carriers; a machine with two cores holds 50 calls.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import anyio

from .load import load

HZ = os.sysconf("SC_CLK_TCK")
FIGURES = (
    ("CPU, s a call-minute", "{:8.2f}"),
    ("first audio p50, ms", "{:8.1f}"),
    ("first audio p99, ms", "{:8.1f}"),
    ("barge-in to clear p50, ms", "{:8.2f}"),
    ("barge-in to clear p99, ms", "{:8.2f}"),
    ("memory, MB a call", "{:8.2f}"),
)


@dataclass
class Process:
    pid: int
    port: int
    last_words: str = ""
    """What it printed besides its port, once it has ended."""

    @property
    def cpu_s(self) -> float:
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / HZ

    @property
    def memory_mb(self) -> float:
        with open(f"/proc/{self.pid}/status") as file:
            line = next(line for line in file if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


@contextmanager
def process(module: str, *arguments: str) -> Iterator[Process]:
    """Run a module that prints its port; stop it in the end."""
    with subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        running = None
        try:
            running = Process(started.pid, int(started.stdout.readline()))
            yield running
        finally:
            started.send_signal(signal.SIGINT)
            try:
                last_words, _ = started.communicate(timeout=3)
                if running is not None:
                    running.last_words = last_words
            except subprocess.TimeoutExpired:
                started.kill()


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values) or [float("nan")]
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def measure(module: str, path: str, calls: int, seconds: float) -> tuple[list[float], int, int]:
    with process("benchmarks.speech") as speech:
        address = f"ws://127.0.0.1:{speech.port}/tts/websocket"
        with process(module, address) as server:
            anyio.run(load, f"ws://127.0.0.1:{server.port}{path}", 1, 2.0)  # warm
            cpu, memory = server.cpu_s, server.memory_mb
            times = anyio.run(
                partial(load, f"ws://127.0.0.1:{server.port}{path}", calls, seconds),
                backend_options={"use_uvloop": True},
            )
            used, grown = server.cpu_s - cpu, max(0.0, server.memory_mb - memory)
    first, silence = times.first_audio, times.silence
    figures = [
        used / calls / (seconds / 60),
        percentile(first, 0.5) * 1e3,
        percentile(first, 0.99) * 1e3,
        percentile(silence, 0.5) * 1e3,
        percentile(silence, 0.99) * 1e3,
        grown / calls,
    ]
    return figures, times.holes, times.stale


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, nargs="+", default=[10, 50], help="how many at once")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each lasts")
    wanted = parser.parse_args()
    for calls in wanted.calls:
        floor, floor_holes, floor_stale = measure("benchmarks.relay", "/", calls, wanted.seconds)
        ours, holes, stale = measure("benchmarks.framework", "/twilio/media", calls, wanted.seconds)
        print(f"\n{calls} calls at once, {wanted.seconds:.0f} s    bare relay   agentvoice   ratio")
        for (name, form), low, high in zip(FIGURES, floor, ours, strict=True):
            ratio = f"{high / low:7.2f}" if low else "      -"
            print(f"  {name:28}{form.format(low)}    {form.format(high)}    {ratio}")
        print(f"  {'holes over 20 ms':28}{floor_holes:8}    {holes:8}")
        print(f"  {'stale audio messages':28}{floor_stale:8}    {stale:8}")


if __name__ == "__main__":
    main()
