"""What it costs to listen to many calls at once: voice activity and recognition, in one process and in real time.

    python -m benchmarks.hearing                       # 1, 10, 50 and 100 calls, 20 seconds each, by moonshine
    python -m benchmarks.hearing --calls 10 --recognizer vosk

Each call hears a caller who speaks about two fifths of the time. Latency is from the end of a segment of speech, as
voice activity found it, to its final transcript; onset from the first sound to `SpeechStarted`. A transcript that was
not there in time counts as late: the call goes on with what it has. The first row is the same calls without ears.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import anyio
import numpy as np
from anyio import create_task_group, current_time, sleep_until, to_thread

from agentvoice import logs
from agentvoice.audio import TELEPHONE
from agentvoice.events import CallerAudio, Event, SpeechStarted, SpeechStopped, Transcript
from agentvoice.hearing import Hearing
from agentvoice.interfaces import SpeechRecognizer, VoiceActivity
from agentvoice.plugins import load

from .__main__ import percentile
from .recognizers import SENTENCES, _spoken
from .selectivity.corpus import coded
from .selectivity.sounds import RATE

FRAME = 160
PAUSE_S = (3.0, 6.0)
VERDICT_S = 1.4
"""A final transcript that takes longer is late."""


@dataclass
class Tally:
    onsets: list[float] = field(default_factory=list)
    finals: list[float] = field(default_factory=list)
    late: int = 0
    segments: int = 0


def caller(seconds: float, number: int) -> tuple[bytes, list[float]]:
    """Return one caller's line, and when each sentence begins."""
    chance = np.random.default_rng((11, number))
    line = np.zeros(round(seconds * RATE))
    at, starts = chance.uniform(0.5, 4.0), list[float]()
    while True:
        sound = _spoken(SENTENCES[chance.integers(8)])
        if at + len(sound) / RATE + 1.5 > seconds:
            return coded(line), starts
        begin = round(at * RATE)
        line[begin : begin + len(sound)] = sound
        starts.append(at)
        at += len(sound) / RATE + chance.uniform(*PAUSE_S)


async def call(
    vad: VoiceActivity, recognizer: SpeechRecognizer, line: bytes, starts: list[float], tally: Tally
) -> None:
    began = current_time() + np.random.default_rng(len(line) + len(starts)).uniform(0, 0.02)
    stopped: list[float] = []

    def deliver(event: Event) -> None:
        match event:
            case SpeechStarted(at):
                near = [start for start in starts if abs(at - began - start) < 0.3]
                tally.onsets += [current_time() - began - start for start in near]
            case SpeechStopped():
                stopped.append(current_time())
                tally.segments += 1
            case Transcript(final=True) if stopped:
                took = current_time() - stopped.pop(0)
                tally.finals.append(took)
                tally.late += took > VERDICT_S

    hearing = Hearing(vad, recognizer, TELEPHONE, deliver)
    async with create_task_group() as group:
        group.start_soon(hearing.run)
        await _feed(hearing, line, began)
        await sleep_until(current_time() + 2.0)
        group.cancel_scope.cancel()


async def _feed(hearing: Hearing | None, line: bytes, began: float) -> None:
    for number, at in enumerate(range(0, len(line), FRAME)):
        await sleep_until(began + (number + 1) * 0.02)
        if hearing:
            hearing.feed(CallerAudio(line[at : at + FRAME], at))


async def run(counts: Sequence[int], seconds: float, name: str) -> None:
    vad, recognizer = load("vad", "silero")(), load("recognizer", name)()
    await to_thread.run_sync(vad.prepare)
    await to_thread.run_sync(recognizer.prepare)
    lines = [caller(seconds, number) for number in range(max(counts))]
    await call(vad, recognizer, *caller(6.0, 999), Tally())  # everything that is loaded on first use
    print(f"{name}; {seconds:.0f} s each")
    print("calls   CPU, % of a core   a call   deaf   onset p50/p99 ms   final p50/p99 ms   late     MB a call")
    memory = _memory_mb()
    for count in counts:
        tally, cpu, began = Tally(), process_time(), current_time()
        async with create_task_group() as group:
            for line, starts in lines[:count]:
                group.start_soon(call, vad, recognizer, line, starts, tally)
        lasted, peak = current_time() - began, _memory_mb()
        share = (process_time() - cpu) / lasted * 100
        deaf = await _deaf(lines[:count])
        onset = f"{percentile(tally.onsets, 0.5) * 1e3:5.0f} /{percentile(tally.onsets, 0.99) * 1e3:5.0f}"
        final = f"{percentile(tally.finals, 0.5) * 1e3:6.0f} /{percentile(tally.finals, 0.99) * 1e3:6.0f}"
        late = f"{tally.late + tally.segments - len(tally.finals)}/{tally.segments}"
        row = f"{count:5}   {share:16.1f}   {share / count:6.2f}   {deaf:4.1f}   {onset:>16}   {final:>16}   {late:>7}"
        print(f"{row}   {max(0.0, peak - memory) / count:7.2f}", flush=True)


async def _deaf(lines: Sequence[tuple[bytes, list[float]]]) -> float:
    """Return the same share for calls that do nothing but take their frames."""
    cpu, began = process_time(), current_time()
    async with create_task_group() as group:
        for line, _ in lines:
            group.start_soon(_feed, None, line[: 5 * RATE], began)
    return (process_time() - cpu) / (current_time() - began) * 100


def _memory_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="*", default=[1, 10, 50, 100])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--recognizer", default="moonshine")
    asked = parser.parse_args()
    logs.configure(level="error", format="json")
    anyio.run(run, asked.calls, asked.seconds, asked.recognizer, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
