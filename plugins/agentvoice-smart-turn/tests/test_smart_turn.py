"""The real model, on the caller's lines of the demo, as they come out of the phone network."""

from __future__ import annotations

import wave
from pathlib import Path

import anyio
import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from agentvoice.audio import linear_to_mulaw, mulaw_to_linear
from agentvoice.plugins import load
from agentvoice.testing.contracts.end_of_turn import check_end_of_turn
from agentvoice_smart_turn import SmartTurn

pytestmark = [pytest.mark.anyio, pytest.mark.speech]

LINES = Path(__file__).parents[3] / "examples" / "caller" / "lines"


def said(name: str, sample_rate: int = 8000, *, share: float = 1.0) -> bytes:
    """The beginning of what a line says, and a third of a second of silence."""
    with wave.open(str(LINES / f"{name}.wav")) as file:
        pcm = mulaw_to_linear(linear_to_mulaw(file.readframes(file.getnframes())))
    samples = np.frombuffer(pcm, "<i2")
    loud = (np.abs(samples) > 0.03 * np.abs(samples).max()).nonzero()[0]
    speech = samples[loud[0] : loud[0] + round(share * (loud[-1] - loud[0]))]
    sound = np.concatenate((speech, np.zeros(2400, np.int16)))
    return bytes(soxr.resample(sound, 8000, sample_rate).astype("<i2").tobytes())


def smart_turn() -> SmartTurn:
    model = load("end_of_turn", "smart-turn")()
    assert isinstance(model, SmartTurn)
    return model


async def test_smart_turn_keeps_the_contract() -> None:
    await check_end_of_turn(
        smart_turn,
        finished=lambda rate: said("make_it_four", rate),
        unfinished=lambda rate: said("make_it_four", rate, share=0.8),
    )


@pytest.mark.parametrize("name", ["good_evening", "table_for_two", "make_it_four", "when_do_you_close", "okay"])
async def test_a_whole_line_is_finished(name: str) -> None:
    assert await smart_turn().judge(said(name), 8000, "") > 0.5


async def test_one_judgement_at_a_time_takes_a_core() -> None:
    model = smart_turn()
    model.prepare()
    inside, most = 0, 0
    judge = model._model
    assert judge

    class Counting:
        def __call__(self, pcm: bytes, sample_rate: int) -> float:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            probability = judge(pcm, sample_rate)
            inside -= 1
            return probability

    model._model = Counting()  # type: ignore[assignment]
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(model.judge, said("okay"), 8000, "")

    assert most == 1


@pytest.mark.parametrize(("sample_rate", "filled"), [(8000, True), (16000, False)])
async def test_what_a_telephone_leaves_out_is_filled_with_faint_noise(sample_rate: int, filled: bool) -> None:  # noqa: FBT001
    model = smart_turn()
    model.prepare()
    assert model._model
    given: list[NDArray[np.float32]] = []

    class Recorder:
        def run(self, _: None, features: dict[str, NDArray[np.float32]]) -> list[list[list[float]]]:
            given.append(features["input_features"][0])
            return [[[0.5]]]

    model._model._session = Recorder()
    tone = 8000 * np.sin(2 * np.pi * 700 * np.arange(sample_rate) / sample_rate)
    await model.judge(tone.astype("<i2").tobytes(), sample_rate, "")

    above_5_khz = given[0][70:, 720:780]
    assert (above_5_khz.mean() > given[0].min() + 0.2) == filled
    assert above_5_khz.max() < given[0].max() - 0.5
