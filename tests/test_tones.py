"""Synthesised keys as ITU-T Q.24 wants them taken or left alone, and speech, which is none."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from agentvoice.audio import alaw_to_linear, linear_to_alaw, linear_to_mulaw, mulaw_to_linear
from agentvoice.events import KeyPressed
from agentvoice.tones import HIGH, KEYS, LOW, InBandKeys, Tone, ToneDetector, _Fit, _Tones

LINES = Path(__file__).parents[1] / "examples" / "caller" / "lines"
ALL_KEYS = "".join(KEYS)
PHASES = (0.0, 0.9, 2.1, 3.3)


def tone(
    key: str,
    *,
    ms: float = 40,
    rate: int = 8000,
    level: float = 3000,
    twist: float = 0,
    off: tuple[float, float] = (0, 0),
    phase: float = 0.5,
) -> list[float]:
    """A key: `level` is the amplitude of the low tone, `twist` how many dB stronger the high one is."""
    row = next(number for number, keys in enumerate(KEYS) if key in keys)
    low, high = LOW[row] * (1 + off[0]), HIGH[KEYS[row].index(key)] * (1 + off[1])
    turns = [2 * math.pi * n / rate for n in range(round(ms * rate / 1000))]
    over = 10 ** (twist / 20)
    return [level * (math.sin(low * t + phase) + over * math.sin(high * t + 2 * phase)) for t in turns]


def quiet(ms: float, rate: int = 8000) -> list[float]:
    return [0.0] * round(ms * rate / 1000)


def pcm(samples: list[float]) -> bytes:
    return array("h", [max(-32768, min(32767, round(sample))) for sample in samples]).tobytes()


def noisy(samples: list[float], snr_db: float, *, seed: int = 1) -> list[float]:
    """With white noise so many dB below the mean power of what is not silent."""
    random = Random(seed)
    loud = [sample for sample in samples if sample]
    deviation = math.sqrt(sum(sample**2 for sample in loud) / len(loud)) * 10 ** (-snr_db / 20)
    return [sample + random.gauss(0, deviation) for sample in samples]


def heard(samples: list[float], rate: int = 8000) -> str:
    return "".join(found.key for found in ToneDetector(rate).feed(pcm(samples)))


def pressed(key: str, **how: float | tuple[float, float]) -> list[list[float]]:
    """The same key with other phases and other places in the detector's blocks."""
    rate = how.get("rate", 8000)
    return [
        quiet(20 + 3.7 * n, rate) + tone(key, phase=phase, **how) + quiet(60, rate) for n, phase in enumerate(PHASES)
    ]


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("key", ALL_KEYS)
def test_each_key_of_forty_milliseconds_is_heard_wherever_it_lies(key: str, rate: int) -> None:
    assert [heard(samples, rate) for samples in pressed(key, rate=rate)] == [key] * len(PHASES)


@pytest.mark.parametrize("dbm", [0, -10, -25, -29])
def test_keys_are_heard_as_loud_and_as_faint_as_telephones_send_them(dbm: float) -> None:
    level = 32767 * 10 ** ((dbm - 3.14) / 20)  # 3.14 dBm0 is full scale
    assert "".join(heard(samples) for key in "159D" for samples in pressed(key, level=level)) == "111155559999DDDD"


@pytest.mark.parametrize("key", "1590")
def test_crosstalk_of_minus_fifty_five_dbm_is_no_key(key: str) -> None:
    level = 32767 * 10 ** ((-55 - 3.14) / 20)
    assert [heard(samples) for samples in pressed(key, level=level)] == [""] * len(PHASES)


@pytest.mark.parametrize("twist", [4, -8])
@pytest.mark.parametrize("key", "147#AD")
def test_a_key_may_be_out_of_balance_as_lines_make_it(key: str, twist: float) -> None:
    assert [heard(samples) for samples in pressed(key, twist=twist)] == [key] * len(PHASES)


@pytest.mark.parametrize("twist", [9, -13, -60])
@pytest.mark.parametrize("key", "147#AD")
def test_what_is_out_of_balance_beyond_that_is_no_key(key: str, twist: float) -> None:
    assert [heard(samples) for samples in pressed(key, ms=80, twist=twist)] == [""] * len(PHASES)


@pytest.mark.parametrize("off", [(0.015, 0.015), (-0.015, 0.015), (0.018, -0.018), (-0.018, -0.018)])
@pytest.mark.parametrize("key", ALL_KEYS)
def test_frequencies_may_be_off_by_as_much_as_senders_may(key: str, off: tuple[float, float]) -> None:
    assert [heard(samples) for samples in pressed(key, off=off)] == [key] * len(PHASES)


@pytest.mark.parametrize(
    "off", [(0.03, 0), (0, 0.03), (-0.03, 0), (0, -0.03), (0.035, 0), (0, -0.035), (0.035, -0.035)]
)
@pytest.mark.parametrize("key", ALL_KEYS)
def test_frequencies_beyond_that_are_no_key(key: str, off: tuple[float, float]) -> None:
    assert [heard(samples) for samples in pressed(key, ms=80, off=off)] == [""] * len(PHASES)


@pytest.mark.parametrize("key", ALL_KEYS)
def test_a_key_is_heard_in_noise_of_fifteen_decibels(key: str) -> None:
    assert [heard(noisy(samples, 15, seed=n)) for n, samples in enumerate(pressed(key))] == [key] * len(PHASES)


@pytest.mark.parametrize("key", ALL_KEYS)
def test_a_key_is_heard_when_all_is_as_bad_as_may_be(key: str) -> None:
    lying = [quiet(1.37 * n) + tone(key, off=(0.015, 0.015), twist=-8, phase=n) + quiet(60) for n in range(12)]

    assert [heard(noisy(samples, 15, seed=n)) for n, samples in enumerate(lying)] == [key] * len(lying)


@pytest.mark.parametrize("key", ALL_KEYS)
def test_the_companding_of_the_phone_network_leaves_keys_as_they_are(key: str) -> None:
    for samples in pressed(key, level=500, twist=-4):
        audio = pcm(samples)
        for decoded in (mulaw_to_linear(linear_to_mulaw(audio)), alaw_to_linear(linear_to_alaw(audio))):
            assert [found.key for found in ToneDetector(8000).feed(decoded)] == [key]


@pytest.mark.parametrize("ms", [10, 16, 23])
def test_what_is_shorter_than_a_key_is_none(ms: float) -> None:
    assert [heard(samples) for key in ALL_KEYS for samples in pressed(key, ms=ms)] == [""] * 16 * len(PHASES)


def test_a_key_is_told_once_however_long_it_is_held_and_as_soon_as_it_is_certain() -> None:
    detector = ToneDetector(8000)
    audio = pcm(quiet(100) + tone("7", ms=3000))

    told = [(at / 16000, found) for at in range(0, len(audio), 320) for found in detector.feed(audio[at : at + 320])]

    ((told_at, found),) = told
    assert found == Tone("7", pytest.approx(0.1, abs=0.008))
    assert told_at <= 0.14


def test_each_key_says_when_it_began() -> None:
    samples = quiet(500) + tone("4", ms=60) + quiet(240) + tone("2", ms=45) + quiet(55)

    assert ToneDetector(16000).feed(pcm([value for value in samples for _ in range(2)])) == [
        Tone("4", pytest.approx(0.5, abs=0.008)),
        Tone("2", pytest.approx(0.8, abs=0.008)),
    ]


@pytest.mark.parametrize("lead", range(0, 16, 2))
def test_the_fastest_dialling_is_heard_key_by_key(lead: float) -> None:
    number = "11230*#DD99"
    samples = quiet(lead) + [value for key in number for value in tone(key, ms=53) + quiet(40)] + quiet(30)

    assert heard(samples) == number


@pytest.mark.parametrize("lead", range(0, 16, 2))
def test_a_lost_packet_does_not_make_two_keys_of_one(lead: float) -> None:
    samples = quiet(lead) + tone("3", ms=60) + quiet(20) + tone("3", ms=60) + quiet(60)

    assert heard(samples) == "3"


def test_one_key_may_follow_another_without_a_pause() -> None:
    assert heard(tone("1", ms=200) + tone("9", ms=200)) == "19"


def test_a_key_is_heard_on_a_line_with_a_constant_offset() -> None:
    assert heard([sample + 2000 for sample in quiet(50) + tone("8", level=700) + quiet(60)]) == "8"


@pytest.mark.parametrize("key", "15#D")
def test_a_voice_that_hits_both_frequencies_has_harmonics_and_is_no_key(key: str) -> None:
    row = next(number for number, keys in enumerate(KEYS) if key in keys)
    column = KEYS[row].index(key)
    plain = tone(key, ms=200)
    turns = [2 * math.pi * n / 8000 for n in range(len(plain))]
    for fundamental in (LOW[row], HIGH[column]):
        voice = [value + 1100 * math.sin(2 * fundamental * turn) for value, turn in zip(plain, turns, strict=True)]
        assert heard(voice) == ""
    assert heard(plain) == key


@pytest.mark.parametrize("key", "15#D")
def test_two_tones_amid_much_else_are_no_key(key: str) -> None:
    assert [heard(noisy(samples, 3, seed=n)) for n, samples in enumerate(pressed(key, ms=80))] == [""] * len(PHASES)


def test_tones_that_waver_are_no_key() -> None:
    turns = [2 * math.pi * n / 8000 for n in range(1600)]
    wavering = [
        3000 * (math.sin(770 * t + 1.5 * math.sin(30 * t)) + math.sin(1336 * t + 1.5 * math.sin(30 * t))) for t in turns
    ]

    assert heard(tone("5", ms=200)) == "5"
    assert heard(wavering) == ""


@pytest.mark.parametrize("path", sorted(LINES.glob("*.wav")), ids=lambda path: path.stem)
def test_speech_presses_no_key(path: Path) -> None:
    for audio in (spoken(path), mulaw_to_linear(linear_to_mulaw(spoken(path)))):
        assert ToneDetector(8000).feed(audio) == []
        assert ToneDetector(16000).feed(audio) == []  # the same voice at twice the pitch


def test_keys_are_heard_between_words() -> None:
    words = spoken(LINES / "table_for_two.wav")
    assert InBandKeys(8000).receive(words + pcm(tone("0", ms=80) + quiet(80)) + words) == [KeyPressed("0")]


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=8))
@settings(max_examples=30)
def test_it_does_not_matter_in_what_pieces_audio_comes(sizes: list[int]) -> None:
    audio = pcm(quiet(33) + tone("6", ms=70) + quiet(50) + tone("6", ms=70) + quiet(50) + tone("B", ms=50) + quiet(50))
    detector, found, at, size = ToneDetector(8000), [], 0, cycle(sizes)
    while at < len(audio):
        taken = next(size)
        found += detector.feed(audio[at : at + taken])
        at += taken

    assert found == ToneDetector(8000).feed(audio)
    assert [tone.key for tone in found] == ["6", "6", "B"]


@pytest.mark.parametrize("rate", [0, 11025, 48000])
def test_audio_of_another_rate_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="resample"):
        ToneDetector(rate)


def test_ordinary_speech_costs_no_more_than_the_first_sieve(monkeypatch: pytest.MonkeyPatch) -> None:
    fits = list[_Fit]()

    def fit(self: _Tones, samples: Sequence[float], plain: Callable[..., _Fit] = _Tones.fit) -> _Fit:
        fits.append(plain(self, samples))
        return fits[-1]

    monkeypatch.setattr(_Tones, "fit", fit)
    for path in LINES.glob("*.wav"):
        ToneDetector(8000).feed(spoken(path))
    assert not fits

    assert heard(tone("6", ms=100)) == "6"
    assert fits


def spoken(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        frames: bytes = file.readframes(file.getnframes())
    return frames
