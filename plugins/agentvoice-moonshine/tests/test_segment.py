from __future__ import annotations

import numpy as np
import pytest

from agentvoice_moonshine._segment import Segment


def noise(seconds: float, *, peak: int) -> bytes:
    samples = np.random.default_rng(1).integers(-peak, peak + 1, round(8000 * seconds))
    return samples.astype("<i2").tobytes()


def test_a_segment_is_given_to_the_model_at_its_own_rate() -> None:
    segment = Segment(8000)
    segment.add(noise(0.5, peak=9000))

    assert segment.seconds == segment.fresh_s == 0.5
    assert segment.samples().shape == (8000,)
    assert segment.samples().dtype == np.float32


def test_a_long_segment_is_cut_in_the_pause_that_is_nearest_its_end() -> None:
    segment = Segment(8000)
    for pcm in (noise(5, peak=9000), bytes(3200), noise(6, peak=9000), bytes(3200), noise(1, peak=9000)):
        segment.add(pcm)

    samples, size = segment.part()
    segment.cut(size, "hello there,")

    assert len(samples) / 16000 == pytest.approx(11.3, abs=0.06)
    assert segment.seconds == pytest.approx(1.1, abs=0.06)
    assert segment.spell("my name is Joe") == "hello there, my name is Joe"
    assert segment.spell("") == "hello there,"


def test_half_a_sample_at_the_end_does_no_harm() -> None:
    segment = Segment(8000)
    segment.add(noise(0.5, peak=9000) + b"x")

    assert segment.samples().shape == (8000,)
