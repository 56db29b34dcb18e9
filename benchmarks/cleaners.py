"""What cleaners gain, and what they cost those who listen.

    python -m benchmarks.cleaners                   # those that are installed; ten minutes
    python -m benchmarks.cleaners rnnoise --prompts 20

Recordings of a woman who reads prompts (`apt install asterisk-core-sounds-en-wav asterisk-core-sounds-en`) with white
noise, or a dozen voices at once, 10 and 5 dB below them, as 8 kHz mu-law. SNR is by what the clean recording explains
of what comes out, its delay taken off. Word errors are Moonshine's, false alarms Silero's: what share of the pauses it
takes for speech. For echo, the agent's words come back 12 dB fainter, smeared over 8 ms; double talk adds a caller as
loud as the agent. CPU is that of the process, for each second of the call.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from time import process_time
from typing import Final

import anyio
import numpy as np

from agentvoice import logs
from agentvoice.audio import mulaw_to_linear
from agentvoice.interfaces import AudioCleaner, SpeechRecognizer, VoiceActivity
from agentvoice.plugins import installed, load

from .recognizers import Said, framework, prompts
from .selectivity.corpus import active, coded
from .selectivity.sounds import RATE, Sound, murmur

FRAME: Final = 320  # bytes of 16-bit PCM in 20 ms
SEED: Final = 11
PAUSE_S: Final = 1.5
LEVELS: Final = (10.0, 5.0)
DELAYS_MS: Final = (40, 100, 200, 400)


@dataclass(frozen=True)
class Line:
    """A recording with a pause before and after it, as a line carries it."""

    text: str
    clean: Sound
    pcm: bytes


def linear(pcm: bytes) -> Sound:
    return np.frombuffer(pcm, "<i2").astype(np.float64) / 32768


def carried(sound: Sound) -> bytes:
    return mulaw_to_linear(coded(sound))


def lines(said: Sequence[Said], noise: str, snr_db: float) -> Iterator[Line]:
    voices = [linear(each.pcm) for each in said]
    for number, each in enumerate(said):
        chance = np.random.default_rng((SEED, number))
        pause = np.zeros(round(PAUSE_S * RATE))
        clean = np.concatenate((pause, linear(each.pcm), pause))
        others = [voice for n, voice in enumerate(voices) if n != number]
        added = murmur(len(clean), others, chance) if noise == "babble" else chance.standard_normal(len(clean))
        added *= active(linear(each.pcm)) * 10 ** (-snr_db / 20) / np.sqrt(np.mean(added**2))
        yield Line(each.text, clean, carried(clean + added) if noise else carried(clean))


def cleaned(cleaner: AudioCleaner | None, pcm: bytes, far: bytes = b"") -> tuple[bytes, float]:
    """Return what comes out, its delay taken off, and the CPU that it took."""
    if cleaner is None:
        return pcm, 0.0
    state = cleaner.cleaning(RATE)
    late = 2 * round(state.delay_s * RATE)
    out = []
    began = process_time()
    for at in range(0, len(pcm) + late, FRAME):
        piece = pcm[at : at + FRAME].ljust(FRAME, b"\0")
        state.played(far[at : at + FRAME].ljust(FRAME, b"\0"))
        out.append(state.clean(piece))
    return b"".join(out)[late : late + len(pcm)], process_time() - began


def snr(clean: Sound, heard: Sound) -> float:
    """Return by how many dB the clean sound stands out, after the filter against hum that some begin with is undone."""
    spectrum, other = np.fft.rfft(clean), np.fft.rfft(heard)
    smooth = np.ones(201) / 201
    cross = np.convolve(np.conj(spectrum) * other, smooth, "same")
    power = np.convolve(np.abs(spectrum) ** 2, smooth, "same") + 1e-9
    explained = spectrum * cross / power
    return float(10 * np.log10(np.sum(np.abs(explained) ** 2) / np.sum(np.abs(other - explained) ** 2)))


async def noisy(
    cleaner: AudioCleaner | None, recognizer: SpeechRecognizer, vad: VoiceActivity, said: Sequence[Said]
) -> None:
    for noise, snr_db in (("", 99.0), *((noise, level) for noise in ("white", "babble") for level in LEVELS)):
        gains, alarms, windows, cpu_s, audio_s = [], 0, 0, 0.0, 0.0
        understood: list[Said] = []
        for line in lines(said, noise, snr_db):
            pcm, took_s = cleaned(cleaner, line.pcm)
            cpu_s, audio_s = cpu_s + took_s, audio_s + len(pcm) / 2 / RATE
            gains.append(snr(line.clean, linear(pcm)))
            pause = round((PAUSE_S - 0.3) * RATE) * 2
            understood.append(Said(line.text, pcm[pause:-pause], 0.3))
            probabilities = await vad.detector(RATE).feed(pcm[: pause + FRAME])
            settled = probabilities[len(probabilities) // 3 :]  # half a second to get used to the noise
            alarms, windows = alarms + sum(p >= 0.5 for p in settled), windows + len(settled)
        score = await framework(recognizer, understood)
        print(
            f"  {noise or 'clean':>7} {snr_db:>4.0f} dB   snr {np.mean(gains):5.1f}"
            f"   word errors {100 * score.error_rate:5.1f} %"
            f"   false alarms {100 * alarms / windows:4.1f} %   cpu {100 * cpu_s / audio_s:5.2f} %",
            flush=True,
        )


def echoes(cleaner: AudioCleaner | None, said: Sequence[Said]) -> None:
    chance = np.random.default_rng(SEED)
    agent = np.resize(np.concatenate([linear(each.pcm) for each in said]), 30 * RATE)
    caller = np.resize(np.concatenate([linear(each.pcm) for each in reversed(said)]), 10 * RATE)
    path = chance.standard_normal(8 * RATE // 1000) * np.exp(-np.arange(8 * RATE // 1000) / (RATE / 500))
    path *= 10 ** (-12 / 20) / np.sqrt(np.sum(path**2))
    far = (agent * 32767).astype("<i2").tobytes()
    for delay_ms in DELAYS_MS:
        back = np.concatenate((np.zeros(delay_ms * RATE // 1000), np.convolve(agent, path)))[: len(agent)]
        near = carried(back)
        quieter = [level(linear(near), a, b) - level(linear(cleaned(cleaner, near, far)[0]), a, b) for a, b in SPANS]
        both = back.copy()
        both[15 * RATE : 15 * RATE + len(caller)] += caller
        heard, took_s = cleaned(cleaner, carried(both), far)
        change = level(linear(heard), 15, 25) - level(linear(carried(caller)), 0, 10)
        told = ", ".join(f"{db:.0f} dB ({a} to {b} s)" for db, (a, b) in zip(quieter, SPANS, strict=True))
        print(
            f"  echo after {delay_ms:>3} ms: {told};"
            f" the caller in double talk {change:+.1f} dB; cpu {100 * took_s / 30:.2f} %"
        )


SPANS: Final = ((0, 2), (2, 5), (5, 30))


def level(sound: Sound, begin_s: float, end_s: float) -> float:
    return float(10 * np.log10(np.mean(sound[round(begin_s * RATE) : round(end_s * RATE)] ** 2) + 1e-12))


async def run(names: Sequence[str], count: int) -> None:
    said = prompts(count)
    if not said:
        raise SystemExit("no recordings of people: apt install asterisk-core-sounds-en-wav asterisk-core-sounds-en")
    recognizer, vad = load("recognizer", "moonshine")(), load("vad", "silero")()
    recognizer.prepare()
    vad.prepare()
    for name in chain(("",), names):
        cleaner = load("cleaner", name)() if name else None
        if cleaner is not None:
            cleaner.prepare()
        print(name or "without a cleaner", flush=True)
        await noisy(cleaner, recognizer, vad, said)
        if "echo" in name:
            echoes(cleaner, said)


def main() -> None:
    parser = argparse.ArgumentParser(description="What cleaners gain, and what they cost those who listen.")
    parser.add_argument("names", nargs="*", help="cleaners; all that are installed, if none is named")
    parser.add_argument("--prompts", type=int, default=60)
    args = parser.parse_args()
    logs.configure(level="error", format="json")
    anyio.run(run, args.names or installed("cleaner"), args.prompts)


if __name__ == "__main__":
    main()
