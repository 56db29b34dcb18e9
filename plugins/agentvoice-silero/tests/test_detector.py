from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from agentvoice_silero._detector import SETTLED, Detector
from agentvoice_silero._model import Floats

pytestmark = pytest.mark.anyio

SILENT, LOUD = bytes(512), b"\x00\x10" * 256


class CountingModel:
    """Says how often it was asked, and keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[Floats] = []
        self.states: list[Floats] = []

    def __call__(self, samples: Floats, state: Floats, sample_rate: int) -> tuple[float, Floats]:
        self.given.append(samples)
        self.states.append(state)
        return 0.7, state + 1


def detector(model: CountingModel) -> Detector:
    return Detector(model, 8000)  # type: ignore[arg-type]


async def test_silence_never_reaches_the_model() -> None:
    model = CountingModel()

    assert await detector(model).feed(SILENT * 1000) == [0.0] * 1000
    assert model.given == []


async def test_the_model_hears_the_end_of_speech_before_it_is_left_alone() -> None:
    model = CountingModel()
    probabilities = await detector(model).feed(LOUD + SILENT * 20)

    assert probabilities == [0.7] * (1 + SETTLED) + [0.0] * (20 - SETTLED)


async def test_each_window_is_given_with_the_end_of_the_one_before_it_and_in_floats() -> None:
    model = CountingModel()
    await detector(model).feed(LOUD + LOUD)

    assert [given.shape for given in model.given] == [(288,), (288,)]
    expected: NDArray[np.float32] = np.full(288, 4096 / 32768, np.float32)
    assert np.array_equal(model.given[1], expected)
    assert not model.given[0][:32].any()


async def test_what_the_model_remembers_is_kept_from_window_to_window_and_forgotten_in_silence() -> None:
    model = CountingModel()
    await detector(model).feed(LOUD * 2 + SILENT * 20 + LOUD)

    assert [state[0, 0, 0] for state in model.states[:3]] == [0, 1, 2]
    assert model.states[-1][0, 0, 0] == 0


async def test_the_loudest_negative_sample_is_loud() -> None:
    model = CountingModel()
    await detector(model).feed(b"\x00\x80" * 256)

    assert len(model.given) == 1
