from __future__ import annotations

import numpy as np
import pytest
from anyio import CancelScope, create_task_group, lowlevel

from agentvoice.errors import ProviderError
from agentvoice_silero._desk import CROWD, Desk
from agentvoice_silero._detector import AT_A_TIME, SETTLED, Detector
from agentvoice_silero._model import Floats

pytestmark = pytest.mark.anyio

SILENT, LOUD = bytes(512), b"\x00\x10\x00\xf0" * 128


class CountingModel:
    """Keeps what it was given, one window after the other."""

    def __init__(self) -> None:
        self.given: list[Floats] = []
        self.states: list[Floats] = []
        self.broken = False

    def __call__(self, samples: Floats, states: Floats, sample_rate: int) -> tuple[Floats, Floats]:
        if self.broken:
            raise RuntimeError("the model is broken")
        self.given += [row.copy() for row in samples]
        self.states += [states[:, number].copy() for number in range(len(samples))]
        return np.full(len(samples), 0.75, np.float32), states + 1


def detector(model: CountingModel) -> Detector:
    return Detector(Desk(model, 8000), 8000)  # type: ignore[arg-type]


async def test_silence_never_reaches_the_model() -> None:
    model = CountingModel()

    assert await detector(model).feed(SILENT * 1000) == [0.0] * 1000
    assert model.given == []


async def test_the_model_hears_the_end_of_speech_before_it_is_left_alone() -> None:
    model = CountingModel()
    probabilities = await detector(model).feed(LOUD + SILENT * 20)

    assert probabilities == [0.75] * (1 + SETTLED) + [0.0] * (20 - SETTLED)


@pytest.mark.parametrize("offset", [200, -200, 3000, -32768])
async def test_silence_with_an_offset_is_silence(offset: int) -> None:
    model = CountingModel()
    line = np.full(256 * 100, offset, "<i2").tobytes()

    assert await detector(model).feed(line) == [0.0] * 100
    assert model.given == []


async def test_each_window_is_given_with_the_end_of_the_one_before_it_and_in_floats() -> None:
    model = CountingModel()
    await detector(model).feed(LOUD + LOUD)

    assert [given.shape for given in model.given] == [(288,), (288,)]
    assert np.array_equal(model.given[1], np.tile(np.array([0.125, -0.125], np.float32), 144))
    assert not model.given[0][:32].any()


async def test_what_the_model_remembers_is_kept_from_window_to_window_and_forgotten_in_silence() -> None:
    model = CountingModel()
    await detector(model).feed(LOUD * 2 + SILENT * 20 + LOUD)

    assert [state[0, 0] for state in model.states[:3]] == [0, 1, 2]
    assert model.states[-1][0, 0] == 0


async def test_a_single_negative_click_is_loud() -> None:
    model = CountingModel()
    await detector(model).feed(b"\x00\x80" + SILENT[2:])

    assert len(model.given) == 1


async def test_half_a_sample_waits_for_its_other_half() -> None:
    whole, halves = CountingModel(), CountingModel()
    line = np.random.default_rng(2).integers(-9000, 9000, 1000).astype("<i2").tobytes()
    await detector(whole).feed(line)
    piecewise, count = detector(halves), 0
    for at in range(0, len(line), 333):
        count += len(await piecewise.feed(line[at : at + 333]))

    assert count == len(line) // 512
    assert np.array_equal(halves.given, whole.given)


async def test_nothing_is_nothing() -> None:
    model = CountingModel()

    assert await detector(model).feed(b"") == []


async def test_long_audio_lets_others_have_their_turn() -> None:
    model, seen = CountingModel(), list[int]()

    async def watch() -> None:
        while len(model.given) < 100:
            seen.append(len(model.given))
            await lowlevel.checkpoint()

    async with create_task_group() as group:
        group.start_soon(watch)
        await detector(model).feed(LOUD * 100)

    assert max(np.diff(seen)) <= AT_A_TIME


async def test_a_window_that_fails_counts_as_silence_and_the_next_begins_afresh() -> None:
    model = CountingModel()
    one = detector(model)
    await one.feed(LOUD * 3)
    model.broken = True
    with pytest.raises(ProviderError, match="the model is broken"):
        await one.feed(LOUD)
    model.broken = False

    assert await one.feed(LOUD) == [0.0, 0.75]
    assert model.states[-1][0, 0] == 0


async def test_a_feed_that_is_cancelled_loses_nothing() -> None:
    model = CountingModel()
    desk = Desk(model, 8000)  # type: ignore[arg-type]
    crowd = [Detector(desk, 8000) for _ in range(CROWD)]
    for other in crowd:
        with CancelScope() as scope:
            scope.cancel()
            await other.feed(LOUD)

    assert await crowd[-1].feed(LOUD) == [0.75, 0.75]
    assert [state[0, 0] for state in model.states[-2:]] == [0, 1]
    assert len(model.given) == CROWD + 1  # it was the last of them that had to wait
