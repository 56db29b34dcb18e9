"""The real library, on the caller's lines of the demo."""

from __future__ import annotations

import wave
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import soxr

from agentvoice.errors import AssetUnavailable
from agentvoice.plugins import load
from agentvoice.testing.contracts.cleaner import check_cleaner
from agentvoice_rnnoise import RNNoise, _cleaner
from agentvoice_rnnoise._cleaning import SETTLED

pytestmark = pytest.mark.speech

LINES = Path(__file__).parents[3] / "examples" / "caller" / "lines"


def line(sample_rate: int) -> bytes:
    with wave.open(str(LINES / "table_for_two.wav")) as file:
        samples = np.frombuffer(file.readframes(3 * 4000), "<i2")
    converted: bytes = soxr.resample(samples, 8000, sample_rate).astype("<i2").tobytes()
    return converted


def rnnoise() -> RNNoise:
    cleaner = load("cleaner", "rnnoise")()
    assert isinstance(cleaner, RNNoise)
    return cleaner


def power(samples: np.ndarray) -> float:
    return float(np.mean(samples.astype(float) ** 2))


def test_rnnoise_keeps_the_contract() -> None:
    check_cleaner(rnnoise, speech=line)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_white_noise_is_fifteen_decibels_fainter_after_two_seconds(rate: int) -> None:
    noise = np.random.default_rng(1).normal(0, 800, 4 * rate).astype("<i2")

    cleaned = np.frombuffer(rnnoise().cleaning(rate).clean(noise.tobytes()), "<i2")

    assert 10 * np.log10(power(cleaned[2 * rate :]) / power(noise[2 * rate :])) < -15


@pytest.mark.parametrize("rate", [8000, 16000])
def test_speech_in_noise_stands_out_more(rate: int) -> None:
    speech = np.frombuffer(line(rate), "<i2").astype(float)
    noise = np.random.default_rng(1).normal(0, np.sqrt(power(speech) / 10), len(speech))
    cleaning = rnnoise().cleaning(rate)
    late = round(cleaning.delay_s * rate)

    cleaned = np.frombuffer(cleaning.clean((speech + noise).astype("<i2").tobytes() + bytes(2 * late)), "<i2")[late:]

    left = cleaned - speech * (cleaned @ speech) / (speech @ speech)
    assert 10 * np.log10(power(speech) / power(left)) > 13  # it was 10


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_faint_line_becomes_silent_for_nothing_and_speech_after_it_is_as_ever(rate: int) -> None:
    hiss = np.random.default_rng(1).integers(-60, 60, 60 * rate).astype("<i2").tobytes()
    patient, fresh = rnnoise().cleaning(rate), rnnoise().cleaning(rate)

    patient._denoise = asked = Mock(side_effect=patient._denoise)
    faint = patient.clean(hiss)
    assert asked.call_count == SETTLED  # of 6,000 frames in the minute

    after, at_once = (np.frombuffer(cleaning.clean(line(rate)), "<i2").astype(float) for cleaning in (patient, fresh))

    assert not any(faint[rate:])
    assert np.corrcoef(after, at_once)[0, 1] > 0.98


def test_a_machine_without_a_library_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cleaner, "ASSETS", ())

    with pytest.raises(AssetUnavailable, match=r"no RNNoise for .*set no cleaner"):
        RNNoise().prepare()
