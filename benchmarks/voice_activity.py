"""What it costs to tell speech from silence in many calls at once, and how soon speech is noticed.

    python -m benchmarks.voice_activity                       # 1, 10, 50 and 100 calls; three minutes
    python -m benchmarks.voice_activity --calls 100 --rounds 5

Beside each figure stands that of the plain model, asked about one window after the other, in the same run and at the
same pace. Costs are the least of some rounds, since whatever else the machine does only ever adds to them, and without
what it costs to pace the calls. Speech is the caller's lines of the demo, through mu-law at 8 kHz, in frames of 20 ms
that come in real time, each call's at a moment of its own.
"""

from __future__ import annotations

import argparse
import tracemalloc
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

import anyio
import numpy as np
from anyio import create_task_group, current_time, sleep_until, to_thread

from agentvoice.assets import ensure
from agentvoice.audio import mulaw_to_linear
from agentvoice.events import SpeechStarted
from agentvoice.interfaces import VoiceActivity
from agentvoice.plugins import load
from agentvoice.voice_gate import VoiceGate
from agentvoice_silero import ASSETS

from .__main__ import percentile
from .selectivity.corpus import active, coded
from .selectivity.sounds import RATE, Sound

LINES: Final = Path(__file__).parents[1] / "examples" / "caller" / "lines"
NO_SPEECH: Final = "cough"
FRAME: Final = 320
"""Bytes of PCM in 20 ms."""
WINDOW: Final = 256
CONTEXT: Final = 32
FAINTEST: Final = 10 / 32768
"""The noise of a line on which nobody speaks."""
TOO_EARLY_S: Final = 0.1
"""Speech that is noticed so long before it begins is something else."""


@cache
def spoken() -> Mapping[str, Sound]:
    """Return the caller's lines, by name."""
    sounds = {}
    for path in sorted(LINES.glob("*.wav")):
        with wave.open(str(path)) as file:
            sounds[path.stem] = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    return sounds


def telephone(sound: Sound) -> bytes:
    """Return PCM as it comes out of the phone network."""
    return mulaw_to_linear(coded(sound))


def talk(number: int, seconds: float, *, silent: bool) -> bytes:
    """Return what one caller says: line after line, and when `silent`, silence as long as the line after each."""
    chance, names = np.random.default_rng((7, number)), [name for name in spoken() if name != NO_SPEECH]
    parts: list[Sound] = []
    while sum(map(len, parts)) < (seconds + 4) * RATE:
        line = spoken()[names[chance.integers(len(names))]]
        parts += [line, np.zeros(len(line))] if silent else [line]
    begin = chance.integers(4 * RATE)
    sound = np.concatenate(parts)[begin : begin + round(seconds * RATE)]
    return telephone(sound + FAINTEST * chance.standard_normal(len(sound)))


# ---------------------------------------------------------------------- the plain model


@cache
def plain_session() -> Any:
    """Return the model, without anything around it."""
    import onnxruntime  # noqa: PLC0415 - takes a third of a second

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = ensure(ASSETS[0]) / ASSETS[0].files[0].name
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Plain:
    """As `VoiceActivity`: the model asked at once about each window of each call, loud or not."""

    def prepare(self) -> None:
        plain_session()

    def detector(self, sample_rate: int) -> PlainDetector:
        return PlainDetector(sample_rate)


class PlainDetector:
    window_s = WINDOW / RATE

    def __init__(self, sample_rate: int) -> None:
        self._rate = np.array(sample_rate, np.int64)
        self._pcm = b""
        self._samples = np.zeros((1, CONTEXT + WINDOW), np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)

    async def feed(self, pcm: bytes) -> Sequence[float]:
        self._pcm += pcm
        probabilities = []
        while len(self._pcm) >= 2 * WINDOW:
            self._samples[0, :CONTEXT] = self._samples[0, -CONTEXT:]
            self._samples[0, CONTEXT:] = np.frombuffer(self._pcm, "<i2", WINDOW) / 32768
            self._pcm = self._pcm[2 * WINDOW :]
            given = {"input": self._samples, "state": self._state, "sr": self._rate}
            probability, self._state = plain_session().run(None, given)
            probabilities.append(float(probability[0, 0]))
        return probabilities


def batch(count: int, *, runs: int = 100) -> tuple[float, float]:
    """Return what `count` windows cost in milliseconds, one by one and at once."""
    session, rate = plain_session(), np.array(RATE, np.int64)
    samples = (0.1 * np.random.default_rng(1).standard_normal((count, CONTEXT + WINDOW))).astype(np.float32)
    state = np.zeros((2, count, 128), np.float32)
    singly: list[float] = []
    at_once: list[float] = []
    for _ in range(runs):
        began = process_time()
        for number in range(count):
            row = slice(number, number + 1)
            session.run(None, {"input": samples[row], "state": state[:, row], "sr": rate})
        singly.append(process_time() - began)
        began = process_time()
        session.run(None, {"input": samples, "state": state, "sr": rate})
        at_once.append(process_time() - began)
    return percentile(singly, 0.5) * 1e3, percentile(at_once, 0.5) * 1e3


# ---------------------------------------------------------------------- what calls cost


@dataclass
class Cost:
    """The least share of one core, in percent, that was seen of each."""

    pace: float = float("inf")
    """Calls that take their frames and do nothing with them."""
    plain: float = float("inf")
    ours: float = float("inf")
    waits: list[float] = field(default_factory=list)
    """How long each frame's answer took, in seconds."""


async def paced(lines: Sequence[bytes], vad: VoiceActivity | None, waits: list[float]) -> float:
    """Have calls in real time; return the share of a core that they take, in percent.

    That is of what the audio lasts: on a machine that does not keep up, the calls last longer.
    """
    cpu, began = process_time(), current_time()
    async with create_task_group() as group:
        for number, line in enumerate(lines):
            group.start_soon(_call, line, vad, began + 0.02 * np.random.default_rng(number).random(), waits)
    return 100 * (process_time() - cpu) / (len(lines[0]) / 2 / RATE)


async def _call(line: bytes, vad: VoiceActivity | None, began: float, waits: list[float]) -> None:
    detector, gate, judged_s = vad.detector(RATE) if vad else None, VoiceGate(), 0.0
    for at in range(0, len(line), FRAME):
        await sleep_until(began + (at + FRAME) / 2 / RATE)
        if detector is None:
            continue
        asked = perf_counter()
        for probability in await detector.feed(line[at : at + FRAME]):
            gate.receive(probability, start=judged_s, end=judged_s + detector.window_s)
            judged_s += detector.window_s
        waits.append(perf_counter() - asked)


async def cost(vad: VoiceActivity, calls: int, *, silent: bool, rounds: int, seconds: float) -> Cost:
    lines, least = [talk(number, seconds, silent=silent) for number in range(calls)], Cost()
    for _ in range(rounds):
        least.pace = min(least.pace, await paced(lines, None, []))
        least.plain = min(least.plain, await paced(lines, Plain(), []))
        least.ours = min(least.ours, await paced(lines, vad, least.waits))
    return least


async def memory(vad: VoiceActivity, calls: int) -> float:
    """Return the kilobytes that each of many calls in speech keeps."""
    line = talk(0, 1.0, silent=False)
    await vad.detector(RATE).feed(line)  # whatever is made on first use
    tracemalloc.start()
    try:
        detectors = [vad.detector(RATE) for _ in range(calls)]
        async with create_task_group() as group:
            for detector in detectors:
                group.start_soon(detector.feed, line)
        return tracemalloc.get_traced_memory()[0] / calls / 1024
    finally:
        tracemalloc.stop()


# ---------------------------------------------------------------------- how soon speech is noticed


@dataclass(frozen=True, slots=True)
class Line:
    """What the phone network delivers: silence or noise, and speech from a moment that is known."""

    pcm: bytes
    begins_s: float


def line(sound: Sound, snr_db: float | None, chance: np.random.Generator) -> Line:
    """Return a line with `sound` after a second, and white noise as far below it as `snr_db` says."""
    lead = RATE + int(chance.integers(WINDOW))
    begins = lead + int(np.argmax(np.abs(sound) > 0.05 * np.abs(sound).max()))
    padded = np.concatenate((np.zeros(lead), sound, np.zeros(RATE)))
    if snr_db is not None:
        padded += active(sound) * 10 ** (-snr_db / 20) * chance.standard_normal(len(padded))
    return Line(telephone(padded), begins / RATE)


async def started(vad: VoiceActivity, pcm: bytes) -> list[float]:
    """Return how much audio had been fed each time that speech was said to start, in seconds."""
    detector, gate = vad.detector(RATE), VoiceGate()
    judged_s, told = 0.0, list[float]()
    for at in range(0, len(pcm), FRAME):
        for probability in await detector.feed(pcm[at : at + FRAME]):
            event = gate.receive(probability, start=judged_s, end=judged_s + detector.window_s)
            judged_s += detector.window_s
            if isinstance(event, SpeechStarted):
                told.append((at + FRAME) / 2 / RATE)
    return told


@dataclass
class Onsets:
    delays: list[float] = field(default_factory=list)
    """From the first loud sample of a line to the frame at which speech is said to have started, in seconds."""
    missed: int = 0
    early: int = 0
    """How often something before the speech was taken for it."""


async def onsets(vad: VoiceActivity, lines: Sequence[Line]) -> Onsets:
    found = Onsets()
    for one in lines:
        told = await started(vad, one.pcm)
        found.early += sum(at < one.begins_s - TOO_EARLY_S for at in told)
        delay = next((at - one.begins_s for at in told if at >= one.begins_s - TOO_EARLY_S), None)
        if delay is None:
            found.missed += 1
        else:
            found.delays.append(delay)
    return found


# ---------------------------------------------------------------------- tables


def _row(*cells: object, widths: Sequence[int]) -> None:
    print("  ".join(f"{cell!s:>{width}}" for cell, width in zip(cells, widths, strict=True)), flush=True)


async def run(counts: Sequence[int], rounds: int, seconds: float) -> None:
    vad = load("vad", "silero")()
    await to_thread.run_sync(vad.prepare)

    print("\nthe model alone, CPU ms")
    table: Callable[..., None] = partial(_row, widths=(7, 10, 8, 8))
    table("windows", "one by one", "at once", "ratio")
    for count in (1, 2, 5, 10, 32, 50, 100):
        singly, at_once = batch(count)
        table(count, f"{singly:.3f}", f"{at_once:.3f}", f"{singly / at_once:.1f}")

    print("\nvoice activity of whole calls, % of a core")
    table = partial(_row, widths=(5, 12, 11, 10, 6, 18))
    table("calls", "sound", "plain model", "agentvoice", "ratio", "answer p50/p99 ms")
    for count in counts:
        for silent in (False, True):
            least = await cost(vad, count, silent=silent, rounds=rounds, seconds=seconds)
            waits = f"{percentile(least.waits, 0.5) * 1e3:.2f} / {percentile(least.waits, 0.99) * 1e3:.2f}"
            plain, ours = least.plain - least.pace, least.ours - least.pace
            sound = "half silence" if silent else "speech"
            table(count, sound, f"{plain:.1f}", f"{ours:.1f}", f"{ours / plain:.2f}", waits)
    print(f"\nmemory: {await memory(vad, 200):.1f} kB a call")

    print("\nfrom the first loud sample to SpeechStarted, ms")
    table = partial(_row, widths=(8, 5, 5, 5, 5, 6, 5))
    table("noise", "lines", "p50", "p90", "max", "missed", "early")
    for snr_db in (None, 20.0, 10.0, 5.0):
        chance = np.random.default_rng(5)
        sounds = [sound for name, sound in spoken().items() if name != NO_SPEECH]
        lines = [line(sound, snr_db, chance) for sound in sounds for _ in range(10)]
        found = await onsets(vad, lines)
        delays = [f"{percentile(found.delays, share) * 1e3:.0f}" for share in (0.5, 0.9, 1.0)]
        table("clean" if snr_db is None else f"{snr_db:.0f} dB", len(lines), *delays, found.missed, found.early)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="*", default=[1, 10, 50, 100])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each round's calls last")
    asked = parser.parse_args()
    anyio.run(run, asked.calls, asked.rounds, asked.seconds, backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
