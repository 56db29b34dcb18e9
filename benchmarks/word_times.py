"""How far the word times of a real voice are from where its words are heard.

    python -m benchmarks.word_times piper        # and kokoro, pico; half a minute each

Two measures, neither of which knows what the engine knows:

- **after a pause**: words between commas. A word's sound begins where loudness rises out of the silence in front of it,
  and ends where it falls into the silence behind it. A stop is silent until it bursts, and so counts late.
- **in running speech**: the same voice speaks each word alone, and the sentence is laid against the row of these by how
  alike they sound (the aligner of agentvoice-pico). Its own error is some 30 ms.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from agentvoice import plugins
from agentvoice.interfaces import SpeechEngine, WordTime
from agentvoice_pico._align import RATE, align, seconds, spectra, trimmed

from .__main__ import percentile

APART = (
    "Monday, table, evening, booking, dinner, garden, window. Nine, seven, eleven, eight, one, fourteen, twenty."
    " Market, river, mountain, number, yellow, open, always. Water, under, ready, letter, answer, every, morning."
    " Lemon, orange, apple, salad, mineral, ginger, vanilla. Doctor, nurse, dentist, lawyer, builder, gardener, driver."
).split(". ")
RUNNING = (
    "Good evening, this is the Bella Vista restaurant, how may I help you?",
    "I have a table for four people at seven on Friday evening.",
    "The kitchen closes at ten, but the bar stays open until midnight.",
    "May I have your name and a telephone number, please?",
    "You can park behind the house, there is always room on weekdays.",
    "I am afraid that we are fully booked tonight, would tomorrow suit you?",
    "Let me read that back to you before I write it down.",
    "We will keep the table by the window for a quarter of an hour.",
)
QUIET = 0.02
"""A share of the loudest 10 ms, below which it is silent: -34 dB."""


def speak(engine: SpeechEngine, text: str) -> tuple[NDArray[np.int16], list[WordTime], int]:
    voice = engine.voices[0].id
    rate = engine.sample_rate(voice, 16000)
    pieces = list(engine.synthesize(text, voice=voice, speed=1.0, sample_rate=rate))
    pcm = np.frombuffer(b"".join(piece.pcm for piece in pieces), np.int16)
    return pcm, [word for piece in pieces for word in piece.words], rate


def apart(engine: SpeechEngine, text: str) -> Iterator[tuple[float, float]]:
    """Yield how many seconds too early each word is said to begin, and to end."""
    pcm, words, rate = speak(engine, text)
    size = rate // 100
    loudness = np.sqrt(np.convolve(pcm.astype(float) ** 2, np.ones(size) / size, "same"))
    loud = loudness > QUIET * loudness.max()
    rises, falls = np.flatnonzero(loud[1:] & ~loud[:-1]) / rate, np.flatnonzero(loud[:-1] & ~loud[1:]) / rate
    silences = [(fall, rises[rises > fall].min(initial=len(pcm) / rate)) for fall in falls]
    pauses = [silence for silence in silences if silence[1] - silence[0] > 0.12]  # a stop's closure is shorter
    for before, word, after in zip(words, words[1:], words[2:], strict=False):
        left = [end for start, end in pauses if before.start_s < (start + end) / 2 < (word.start_s + word.end_s) / 2]
        right = [start for start, end in pauses if (word.start_s + word.end_s) / 2 < (start + end) / 2 < after.end_s]
        if left and right:
            yield left[-1] - word.start_s, right[0] - word.end_s


def running(engine: SpeechEngine, text: str) -> Iterator[float]:
    """Yield the same for each beginning of a word in the midst of others."""
    pcm, words, rate = speak(engine, text)

    def heard(pcm: NDArray[np.int16]) -> bytes:
        return bytes(soxr.resample(pcm, rate, RATE).tobytes())

    alone = [spectra(trimmed(heard(speak(engine, word.word.strip(",.?"))[0]))) for word in words]
    spans = align(alone, spectra(heard(pcm)))
    for word, (first, _) in list(zip(words, spans, strict=True))[1:]:
        yield seconds(first) - word.start_s


def row(name: str, errors: list[float]) -> None:
    size = sorted(abs(error) * 1000 for error in errors)
    figures = (statistics.median(size), percentile(size, 0.9), size[-1])
    print(f"  {name:34}{len(errors):5}" + "".join(f"{figure:9.0f}" for figure in figures), end="")
    print(f"{statistics.median(errors) * 1000:+9.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.word_times", description=__doc__.splitlines()[0])
    parser.add_argument("engine", nargs="+")
    print(f"{'':36}words   median      p90      max     bias   ms")
    for name in parser.parse_args().engine:
        engine: SpeechEngine = plugins.load("engine", name)()
        engine.prepare()
        edges = [edge for text in APART for edge in apart(engine, text)]
        row(f"{name}, begins after a pause", [begin for begin, _ in edges])
        row(f"{name}, ends before a pause", [end for _, end in edges])
        if name != "pico":  # that is how it finds its words itself
            row(f"{name}, begins in running speech", [late for text in RUNNING for late in running(engine, text)])


if __name__ == "__main__":
    main()
