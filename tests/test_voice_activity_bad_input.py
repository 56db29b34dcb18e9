"""What the real model makes of lines that something is wrong with: no false speech, no error, no growth."""

from __future__ import annotations

import tracemalloc
import wave
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agentvoice.audio import linear_to_mulaw, mulaw_to_linear
from agentvoice.events import SpeechStarted, SpeechStopped
from agentvoice.interfaces import VoiceDetector
from agentvoice.plugins import load
from agentvoice.voice_gate import VoiceGate

pytest.importorskip("agentvoice_silero")
pytestmark = [pytest.mark.anyio, pytest.mark.speech]

Samples = NDArray[np.float64]
LINE = Path(__file__).parents[1] / "examples" / "caller" / "lines" / "yes_sarah_johnson.wav"
SECOND = 8000
FRAME = 320
T = np.arange(10 * SECOND) / SECOND


def noise(kind: Callable[[np.random.Generator], Samples]) -> Samples:
    return kind(np.random.default_rng(6))


WITHOUT_SPEECH = {
    "dead": np.zeros(len(T)),
    "the hiss of a quiet line": noise(lambda chance: chance.uniform(-20, 20, len(T))),
    "white noise": noise(lambda chance: chance.uniform(-3000, 3000, len(T))),
    "white noise at full scale": noise(lambda chance: chance.uniform(-32768, 32767, len(T))),
    "clipped noise": noise(lambda chance: 40000 * chance.standard_normal(len(T))),
    "a clipped tone": 100_000 * np.sin(2 * np.pi * 440 * T),
    "the hum of the mains": 2000 * np.sin(2 * np.pi * 50 * T),
    "full scale from sample to sample": np.where(np.arange(len(T)) % 2, 32767.0, -32768.0),
    "clicks": np.where(np.arange(len(T)) % 4000 == 0, 32767.0, 0.0),
    "an offset": np.full(len(T), 200.0),
    "the largest offset": np.full(len(T), -32768.0),
    "an offset with hiss": noise(lambda chance: 200 + chance.uniform(-20, 20, len(T))),
    "an offset that wanders": 3000 * np.sin(2 * np.pi * T / 20),
    "an offset that jumps": np.where((2 * T).astype(int) % 2, 3000.0, -3000.0),
}


@cache
def activity() -> Callable[[], VoiceDetector]:
    vad = load("vad", "silero")()
    vad.prepare()
    return lambda: vad.detector(SECOND)


def pcm(samples: Samples) -> bytes:
    """Return samples as a telephone brings them: clipped, and through mu-law."""
    return mulaw_to_linear(linear_to_mulaw(samples.clip(-32768, 32767).astype("<i2").tobytes()))


def spoken() -> Samples:
    """Return a sentence with a second of silence on either side."""
    with wave.open(str(LINE)) as file:
        line = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return np.concatenate((np.zeros(SECOND), line, np.zeros(SECOND)))


def pieces(line: bytes, size: int = FRAME) -> Iterator[bytes]:
    return (line[at : at + size] for at in range(0, len(line), size))


async def events(line: bytes, size: int = FRAME) -> list[SpeechStarted | SpeechStopped]:
    """Return what the gate says of a line that comes in pieces of `size` bytes."""
    detector, gate = activity()(), VoiceGate()
    told, judged = [], 0
    for piece in pieces(line, size):
        for probability in await detector.feed(piece):
            start, judged = judged * detector.window_s, judged + 1
            if event := gate.receive(probability, start=start, end=judged * detector.window_s):
                told.append(event)
    assert judged == len(line) // round(2 * SECOND * detector.window_s)
    return told


@pytest.mark.parametrize("name", WITHOUT_SPEECH)
async def test_where_nobody_speaks_no_speech_is_heard(name: str) -> None:
    assert await events(pcm(WITHOUT_SPEECH[name])) == []


async def test_after_an_hour_of_silence_speech_is_heard_as_at_first() -> None:
    detector, minute = activity()(), pcm(WITHOUT_SPEECH["the hiss of a quiet line"]) * 6
    heard = list[float]()
    for _ in range(60):
        heard += await detector.feed(minute[: 1875 * 512])

    assert heard == [0.0] * (60 * 1875)
    assert await detector.feed(pcm(spoken())) == pytest.approx(await activity()().feed(pcm(spoken())), abs=0.01)


@pytest.mark.parametrize("name", ["dead", "white noise", "an offset that jumps"])
async def test_what_a_call_keeps_does_not_grow(name: str) -> None:
    detector, line = activity()(), pcm(WITHOUT_SPEECH[name])

    async def traced() -> int:
        for piece in pieces(line):
            await detector.feed(piece)
        return tracemalloc.get_traced_memory()[0]

    await traced()
    tracemalloc.start()
    try:
        kept = [await traced() for _ in range(5)]
    finally:
        tracemalloc.stop()

    assert (
        min(after - before for before, after in pairwise(kept)) < 1000
    )  # others of this process keep things now and then


@pytest.mark.parametrize("gain", [5, 20, 100])
async def test_speech_that_is_clipped_is_still_one_stretch_of_speech(gain: int) -> None:
    [started, stopped] = await events(pcm(gain * spoken()))
    [first, last] = await events(pcm(spoken()))

    assert first.at - 0.1 <= started.at <= first.at + 0.6
    assert stopped.at == pytest.approx(last.at, abs=0.15)


@pytest.mark.parametrize("offset", [200, -200, 3000])
async def test_speech_on_a_line_with_an_offset_is_heard_when_it_is_spoken(offset: int) -> None:
    [started, stopped] = await events(pcm(spoken() + offset))
    [first, last] = await events(pcm(spoken()))

    assert started.at == pytest.approx(first.at, abs=0.07)
    assert stopped.at == pytest.approx(last.at, abs=0.15)


@pytest.mark.parametrize("size", [1, 3, 319, 511, 513, 4097, 1_000_000])
async def test_pieces_of_any_size_are_the_same_line(size: int) -> None:
    line = pcm(spoken())

    assert await events(line, size) == await events(line)
