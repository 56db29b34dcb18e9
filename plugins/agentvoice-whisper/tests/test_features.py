"""The features, against those that another implementation of them makes of the same sound (faster-whisper 1.2.1)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from agentvoice_whisper._features import log_mel

REFERENCE = {
    (2, 3): 0.3212,
    (8, 20): -0.2472,
    (20, 80): -0.6604,
    (55, 10): 0.941,
    (60, 195): 1.2283,
    (79, 199): -0.5616,
}
"""By band and frame, for the sound below."""


def rising_tone() -> NDArray[np.float32]:
    time = np.arange(2 * 16000) / 16000
    sound = 0.3 * np.sin(2 * np.pi * (200 + 900 * time) * time) + 0.1 * np.sin(2 * np.pi * 3000 * time)
    return sound.astype(np.float32)


def test_they_are_those_that_the_model_was_taught_with() -> None:
    features = log_mel(rising_tone(), 2.0)

    assert features.shape == (80, 200)
    assert features.dtype == np.float32
    assert {at: float(features[at]) for at in REFERENCE} == pytest.approx(REFERENCE, abs=1e-3)


def test_a_sound_is_filled_up_with_silence_and_one_that_is_too_long_is_cut() -> None:
    filled = log_mel(rising_tone(), 8.0)

    assert filled.shape == (80, 800)
    assert np.allclose(filled[:, :198], log_mel(rising_tone(), 2.0)[:, :198], atol=1e-4)
    assert np.ptp(filled[:, 202:]) == 0
    assert log_mel(rising_tone(), 1.0).shape == (80, 100)


def test_next_to_no_sound_has_features_too() -> None:
    assert np.isfinite(log_mel(np.zeros(1, np.float32), 8.0)).all()
