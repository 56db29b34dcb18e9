"""The real module, on lines of the demo, and on an echo that is made of them."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr

from agentvoice.audio import linear_to_mulaw, mulaw_to_linear
from agentvoice.interfaces import AudioCleaner, Cleaning
from agentvoice.plugins import load
from agentvoice.testing.contracts.cleaner import check_cleaner

pytestmark = pytest.mark.speech

LINES = Path(__file__).parents[3] / "examples" / "caller" / "lines"
PAGE = (Path(__file__).parents[3] / "docs/how-to/noisy-lines.md").read_text(encoding="utf-8")
FRAME = 320


def spoken(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    with wave.open(str(LINES / f"{name}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def line(sample_rate: int) -> bytes:
    converted: bytes = soxr.resample(spoken("table_for_two")[:16000], 8000, sample_rate).astype("<i2").tobytes()
    return converted


def telephone(samples: np.ndarray[Any, np.dtype[np.float64]]) -> bytes:
    return mulaw_to_linear(linear_to_mulaw(samples.astype("<i2").tobytes()))


def cleaning(name: str) -> Cleaning:
    cleaner: AudioCleaner = load("cleaner", name)()
    cleaner.prepare()
    return cleaner.cleaning(8000)


def level(pcm: bytes) -> float:
    """In dB."""
    return float(10 * np.log10(np.mean(np.frombuffer(pcm, "<i2").astype(float) ** 2) + 1e-9))


def cleaned(name: str, near: bytes, far: bytes) -> bytes:
    state = cleaning(name)
    out = b""
    for at in range(0, len(near), FRAME):
        state.played(far[at : at + FRAME])
        out += state.clean(near[at : at + FRAME])
    return out


AGENT = np.tile(
    np.concatenate([spoken(name) for name in ("yes_sarah_johnson", "when_do_you_close", "good_evening")]), 3
)


def echo(delay_ms: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What comes back of the agent's words: late, 12 dB fainter, and smeared over 8 ms."""
    random = np.random.default_rng(1)
    path = random.normal(size=64) * np.exp(-np.arange(64) / 16)
    path *= 10 ** (-12 / 20) / np.sqrt(np.sum(path**2))
    return np.concatenate((np.zeros(8 * delay_ms), np.convolve(AGENT, path)))[: len(AGENT)]


@pytest.mark.parametrize("name", ["echo", "echo-noise", "noise"])
def test_each_setting_keeps_the_contract(name: str) -> None:
    check_cleaner(load("cleaner", name), speech=line)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("name", ["echo", "echo-noise", "noise"])
def test_the_delay_is_known_to_half_a_millisecond(name: str, rate: int) -> None:
    state = load("cleaner", name)().cleaning(rate)
    before = np.frombuffer(line(rate) + bytes(rate // 5), "<i2").astype(float)
    after = np.frombuffer(state.clean(before.astype("<i2").tobytes()), "<i2").astype(float)

    hertz = np.fft.rfftfreq(len(before), 1 / rate)
    band = (hertz > 800) & (hertz < 3200)  # the filter against hum turns what is below
    cross = (np.conj(np.fft.rfft(before)) * np.fft.rfft(after))[band]
    delays = np.arange(0, 0.06, 0.0001)
    found = max(delays, key=lambda delay: float(abs(np.sum(cross * np.exp(2j * np.pi * hertz[band] * delay)))))

    assert state.delay_s == pytest.approx(found, abs=0.0005)


@pytest.mark.parametrize("delay_ms", [40, 100, 200])
def test_an_echo_of_the_agent_is_thirty_decibels_fainter_after_two_seconds(delay_ms: int) -> None:
    near = telephone(echo(delay_ms))

    out = cleaned("echo", near, AGENT.astype("<i2").tobytes())

    assert level(out[2 * 16000 :]) < level(near[2 * 16000 :]) - 30


def test_a_caller_who_speaks_over_the_agent_is_heard() -> None:
    caller = spoken("table_for_two")
    near, began = echo(100), 5 * 8000
    near[began : began + len(caller)] += caller

    out = cleaned("echo", telephone(near), AGENT.astype("<i2").tobytes())

    heard = out[2 * began : 2 * (began + len(caller))]
    assert level(heard) > level(telephone(caller)) - 4


def test_an_echo_stays_when_nobody_says_what_was_played() -> None:
    near = telephone(echo(100))

    assert level(cleaned("echo", near, bytes(len(near)))[32000:]) > level(near[32000:]) - 3


def test_what_was_played_may_be_left_out_for_a_while() -> None:
    near, far = telephone(echo(100)), AGENT.astype("<i2").tobytes()
    state = cleaning("echo")
    out = state.clean(near[:1000])
    for at in range(1000, len(near), FRAME):
        state.played(far[at : at + FRAME])
        out += state.clean(near[at : at + FRAME])

    assert level(out[2 * 16000 :]) < level(near[2 * 16000 :]) - 30


@pytest.mark.parametrize("rate", [8000, 16000])
def test_steady_noise_is_ten_decibels_fainter_after_two_seconds(rate: int) -> None:
    noise = np.random.default_rng(1).normal(0, 800, 4 * rate).astype("<i2").tobytes()

    out = load("cleaner", "noise")().cleaning(rate).clean(noise)

    assert level(out[4 * rate :]) < level(noise[4 * rate :]) - 10


def test_the_script_of_the_how_to_cleans_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    near = telephone(echo(100))
    both = np.stack((np.frombuffer(near, "<i2"), AGENT.astype("<i2")), axis=1)
    with wave.open(str(tmp_path / "CA0001.wav"), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(both.tobytes())
    monkeypatch.chdir(tmp_path)

    exec(compile(PAGE.split("```python\n")[1].split("```")[0], "noisy-lines.md", "exec"), {})

    with wave.open(str(tmp_path / "cleaned.wav")) as file:
        out = file.readframes(file.getnframes())
    assert len(out) == len(near)
    assert level(out[2 * 16000 :]) < level(near[2 * 16000 :]) - 30
