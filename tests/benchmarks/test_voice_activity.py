import numpy as np
import pytest
from anyio import current_time

from agentvoice.interfaces import VoiceDetector
from agentvoice.testing.hearing import LoudnessActivity
from benchmarks.selectivity.corpus import active
from benchmarks.voice_activity import Line, Plain, line, onsets, paced, spoken, talk

pytestmark = pytest.mark.anyio

TONE = 0.25 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)


def samples(pcm: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.frombuffer(pcm, "<i2") / 32768


def chance() -> np.random.Generator:
    return np.random.default_rng(1)


def test_a_line_tells_when_its_sound_begins() -> None:
    made = line(np.concatenate((np.zeros(2000), TONE)), None, chance())
    first = int(np.argmax(np.abs(samples(made.pcm)) > 0.01))

    assert made.begins_s == pytest.approx(first / 8000, abs=0.001)
    assert 1.25 <= made.begins_s <= 1.29


def test_noise_is_as_far_below_the_sound_as_was_asked() -> None:
    noise = samples(line(TONE, 10.0, chance()).pcm)[:8000]

    assert 20 * np.log10(active(TONE) / np.sqrt(np.mean(noise**2))) == pytest.approx(10, abs=0.5)


def test_a_caller_with_pauses_speaks_half_the_time() -> None:
    def share(*, silent: bool) -> float:
        lines = np.concatenate([samples(talk(number, 20.0, silent=silent)) for number in range(3)])
        return float(np.mean(np.abs(lines.reshape(-1, 800)).max(axis=1) > 0.01))

    assert share(silent=False) > 0.8
    assert share(silent=True) == pytest.approx(share(silent=False) / 2, abs=0.1)


def test_two_callers_do_not_say_the_same() -> None:
    assert talk(1, 2.0, silent=False) == talk(1, 2.0, silent=False) != talk(2, 2.0, silent=False)


async def test_onsets_count_from_the_first_loud_sample_to_the_frame_that_tells() -> None:
    found = await onsets(LoudnessActivity(), [line(TONE, None, chance())])

    assert found.delays == [pytest.approx(0.08, abs=0.04)]
    assert (found.missed, found.early) == (0, 0)


async def test_speech_that_nobody_noticed_is_missed_and_what_comes_before_it_is_early() -> None:
    heard = line(TONE, None, chance())
    silence = Line(bytes(16000), 0.5)
    found = await onsets(LoudnessActivity(), [silence, Line(heard.pcm, heard.begins_s + 0.5)])

    assert (found.delays, found.missed, found.early) == ([], 2, 1)


async def test_calls_are_paced_and_every_frame_is_answered() -> None:
    began, waits = current_time(), list[float]()
    share = await paced([talk(number, 1.0, silent=False) for number in range(3)], LoudnessActivity(), waits)

    assert len(waits) == 3 * 50
    assert 1.0 <= current_time() - began <= 1.03
    assert share > 0


@pytest.mark.speech
async def test_the_plain_model_hears_what_the_plugin_hears() -> None:
    silero = pytest.importorskip("agentvoice_silero").Silero()
    sound = samples(talk(0, 2.0, silent=False))

    async def hear(detector: VoiceDetector) -> list[float]:
        return list(await detector.feed((sound * 32768).astype("<i2").tobytes()))

    assert await hear(Plain().detector(8000)) == pytest.approx(await hear(silero.detector(8000)), abs=1e-5)


def test_the_lines_of_the_demo_are_there() -> None:
    assert len(spoken()) == 10
