from __future__ import annotations

import numpy as np
import pytest

from agentvoice_smart_turn._features import BANDS, HOP, RATE, SAMPLES, Floats, features, filters

REFERENCE = {
    (0, 0): -0.2161,
    (3, 510): 0.3597,
    (10, 520): 1.6812,
    (30, 600): 0.1035,
    (40, 650): -0.0723,
    (55, 750): 1.3360,
    (60, 780): 1.3230,
    (60, 790): 1.6568,
    (79, 799): -0.2161,
}
"""By band and hop."""


def tone(hertz: float, seconds: float) -> Floats:
    return np.asarray(0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE))


@pytest.mark.parametrize("samples", [0, 1, HOP, RATE, SAMPLES, SAMPLES + 1, 2 * SAMPLES])
def test_any_length_becomes_eighty_bands_by_eight_hundred_hops(samples: int) -> None:
    seen = features(np.random.default_rng(0).normal(0, 0.1, samples))

    assert seen.shape == (BANDS, SAMPLES // HOP)
    assert seen.dtype == np.float32
    assert np.isfinite(seen).all()


def test_short_sound_stands_at_the_end_with_silence_before_it() -> None:
    seen = features(tone(440, 1.0))

    assert (seen[:, :690] == seen.min()).all()
    assert (seen[:, 710:].max(axis=0) > seen.min() + 1).all()


def test_of_long_sound_the_end_counts() -> None:
    recent = tone(440, 8.0) * np.linspace(0, 1, SAMPLES)

    assert np.array_equal(features(np.concatenate((tone(2000, 5.0), recent))), features(recent))


def test_loudness_and_an_offset_do_not_matter() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, SAMPLES)

    assert features(0.1 * sound + 0.3) == pytest.approx(features(sound), abs=1e-3)


@pytest.mark.parametrize("hertz", [150, 440, 1000, 2500, 7000])
def test_a_tone_is_brightest_in_the_band_around_its_frequency(hertz: float) -> None:
    brightest = features(tone(hertz, 4.0))[:, 600].argmax()
    lines = np.arange(0, RATE / 2 + 1, 40)

    assert abs(lines[filters()[brightest].argmax()] - hertz) <= max(40, 0.06 * hertz)


def test_bands_have_equal_areas() -> None:
    areas = filters().sum(axis=1) * 40  # a line every 40 Hz

    assert areas[40:] == pytest.approx(1.0, abs=0.08)  # the lower ones are too narrow to be sampled well


def test_the_numbers_are_those_of_the_reference() -> None:
    """A tone that rises from 200 to 3800 Hz, as the extractor that the model was made with sees it."""
    t = np.arange(3 * RATE) / RATE
    seen = features(np.asarray(0.5 * np.sin(2 * np.pi * (200 * t + 600 * t * t))))

    assert [seen[place] for place in REFERENCE] == pytest.approx(list(REFERENCE.values()), abs=1e-4)
