from __future__ import annotations

import numpy as np
import pytest

from agentvoice_whisper._samples import floats, sounding


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_audio_of_any_rate_is_given_to_the_model_at_its_own(rate: int) -> None:
    tone = (16384 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype("<i2")

    samples = floats(tone.tobytes(), rate)

    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(16000, abs=2)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.02)


def test_the_faint_sounds_before_and_after_are_told_from_the_speech() -> None:
    random = np.random.default_rng(1)
    samples = np.concatenate([random.normal(0, level, 16000) for level in (0.001, 0.2, 0.001)]).astype(np.float32)

    assert sounding(samples) == pytest.approx((1.0, 2.0), abs=0.02)


@pytest.mark.parametrize("length", [0, 100, 16000])
def test_silence_sounds_as_long_as_it_is(length: int) -> None:
    assert sounding(np.zeros(length, np.float32)) == (0.0, length / 16000)
