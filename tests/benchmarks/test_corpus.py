import numpy as np
import pytest

from benchmarks.selectivity.corpus import Clip, Corpus, Kind, active, at_level, coded, trimmed
from benchmarks.selectivity.sounds import NOISES, RATE, Sound, coloured, far_away, hum


def tone(seconds: float, amplitude: float = 0.5) -> Sound:
    return np.asarray(amplitude * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE))


def clip(sound: Sound, number: int = 0) -> Clip:
    return Clip(number, Kind.INTERRUPTION, "Stop.", "a tone", sound, -24.0, 1.5)


@pytest.mark.parametrize("name", NOISES)
def test_a_seed_makes_the_same_noise_again(name: str) -> None:
    first, second = (NOISES[name](np.random.default_rng(5)) for _ in range(2))

    assert np.array_equal(first, second)
    assert np.isfinite(first).all()
    assert 0.05 * RATE < len(first) < 6 * RATE


def test_a_hum_and_a_voice_from_across_the_room_are_sounds() -> None:
    assert np.abs(hum(np.random.default_rng(1))).max() > 0
    assert len(far_away(tone(1.0), np.random.default_rng(1))) > RATE


def test_a_level_is_that_of_the_sound_not_of_its_silence() -> None:
    sound = np.concatenate((np.zeros(RATE), tone(0.5), np.zeros(RATE)))

    assert 20 * np.log10(active(at_level(sound, -24.0))) == pytest.approx(-24.0, abs=0.1)
    assert len(trimmed(sound)) == pytest.approx(RATE / 2, abs=5)


def test_noise_has_the_decibels_that_were_asked_for() -> None:
    corpus = Corpus([], [tone(2.0)])

    for number in (0, 1):  # a machine's, and people's
        noise = corpus.noise(clip(tone(0.5), number), 10.0, 2.0)
        assert 20 * np.log10(active(noise)) == pytest.approx(-34.0, abs=0.2)


def test_the_line_carries_the_sound_where_it_belongs_and_ends_after_it() -> None:
    corpus = Corpus([], [tone(2.0)])
    said = clip(at_level(tone(0.5), -24.0))

    line = corpus.line(said, None)

    assert len(line) == round((1.5 + 0.5 + 1.5) * RATE)
    assert line[: round(1.45 * RATE)] != line[round(1.5 * RATE) :]
    assert corpus.detectable_s(said, None) == pytest.approx(1.52, abs=0.02)


def test_what_the_noise_covers_cannot_be_detected_before_it_is_louder() -> None:
    corpus = Corpus([], [tone(2.0)])
    swelling = clip(at_level(np.concatenate((tone(0.4, 0.1), tone(0.4, 1.0))), -24.0))

    assert corpus.detectable_s(swelling, None) < corpus.detectable_s(swelling, 10.0)


def test_the_digest_names_the_sounds() -> None:
    one, other = (Corpus([clip(tone(0.5, amplitude))], []) for amplitude in (0.5, 0.4))

    assert one.digest == Corpus([clip(tone(0.5))], []).digest
    assert one.digest != other.digest


def test_what_is_too_loud_is_clipped_not_wrapped() -> None:
    assert coded(np.array([2.0, -2.0])) == coded(np.array([1.0, -1.0]))


def test_coloured_noise_keeps_to_its_band() -> None:
    spectrum = np.abs(np.fft.rfft(coloured(RATE, 1000, 2000, np.random.default_rng(0))))

    assert spectrum[1000:2000].min() > 100 * spectrum[2010:].max()
