"""The real model, on the caller's lines of the demo."""

from __future__ import annotations

import wave
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import soxr
from anyio import create_task_group

from agentvoice.audio import linear_to_mulaw, mulaw_to_linear
from agentvoice.plugins import load
from agentvoice.testing.contracts.vad import check_voice_activity
from agentvoice_silero import Silero
from agentvoice_silero._detector import SETTLED

pytestmark = [pytest.mark.anyio, pytest.mark.speech]

LINES = Path(__file__).parents[3] / "examples" / "caller" / "lines"
WINDOW_S = 0.032


def telephone(name: str) -> bytes:
    """A line as PCM, as it comes out of the phone network."""
    with wave.open(str(LINES / f"{name}.wav")) as file:
        return mulaw_to_linear(linear_to_mulaw(file.readframes(file.getnframes())))


def line(sample_rate: int) -> bytes:
    samples = np.frombuffer(telephone("yes_sarah_johnson"), "<i2")
    converted: bytes = soxr.resample(samples, 8000, sample_rate).astype("<i2").tobytes()
    return converted


def silero() -> Silero:
    activity = load("vad", "silero")()
    assert isinstance(activity, Silero)
    activity.prepare()
    return activity


async def test_silero_keeps_the_contract() -> None:
    await check_voice_activity(silero, speech=line)


@pytest.mark.parametrize("name", sorted(path.stem for path in LINES.glob("*.wav") if path.stem != "cough"))
async def test_speech_is_noticed_within_three_windows_of_its_first_loud_sample(name: str) -> None:
    pcm = telephone(name)
    samples = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32))
    onset_s = 1.0 + int(np.argmax(samples > 0.05 * samples.max())) / 8000

    probabilities = await silero().detector(8000).feed(bytes(16000) + pcm)
    noticed_s = next(n for n, probability in enumerate(probabilities) if probability >= 0.5) * WINDOW_S

    assert -0.15 <= noticed_s - onset_s <= 3 * WINDOW_S


@pytest.mark.parametrize("sample_rate", [8000, 16000])
async def test_many_calls_at_once_hear_what_each_would_hear_alone(sample_rate: int) -> None:
    activity, speech, frame = silero(), line(sample_rate), sample_rate // 25
    lines = [bytes(1000 * number) + speech[: 3 * sample_rate] for number in range(15)]
    alone = [await activity.detector(sample_rate).feed(pcm) for pcm in lines]
    together: list[list[float]] = [[] for _ in lines]

    async def call(number: int) -> None:
        detector = activity.detector(sample_rate)
        for at in range(0, len(lines[number]), frame):
            together[number] += await detector.feed(lines[number][at : at + frame])

    async with create_task_group() as group:
        for number in range(len(lines)):
            group.start_soon(call, number)

    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize("offset", [200, -200, 1000])
async def test_speech_on_a_line_with_an_offset_is_noticed_as_soon(offset: int) -> None:
    samples = np.frombuffer(bytes(16000) + telephone("yes_sarah_johnson") + bytes(16000), "<i2").astype(np.int32)
    shifted = linear_to_mulaw((samples + offset).clip(-32768, 32767).astype("<i2").tobytes())

    plain = np.array(await silero().detector(8000).feed(samples.astype("<i2").tobytes())) >= 0.5
    heard = np.array(await silero().detector(8000).feed(mulaw_to_linear(shifted))) >= 0.5

    assert abs(int(heard.argmax()) - int(plain.argmax())) <= 1
    assert not heard[-20:].any()
    assert np.mean(heard == plain) > 0.95


@pytest.mark.parametrize("peak", [100, 1000, 10000])
async def test_white_noise_is_not_speech(peak: int) -> None:
    noise = np.random.default_rng(3).integers(-peak, peak, 8000 * 10).astype("<i2").tobytes()

    probabilities = await silero().detector(8000).feed(noise)

    assert sum(probability >= 0.5 for probability in probabilities) <= 0.05 * len(probabilities)


async def test_the_model_is_not_asked_about_lasting_silence() -> None:
    detector = silero().detector(8000)
    asked = Mock(side_effect=detector._desk._model)
    detector._desk._model = asked

    await detector.feed(telephone("table_for_two"))
    about_speech = asked.call_count
    await detector.feed(bytes(16000 * 60))

    assert about_speech > 0.9 * len(telephone("table_for_two")) // 512
    assert asked.call_count - about_speech <= SETTLED + 1  # of 1,875 windows in the minute
