from __future__ import annotations

import math
from array import array
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from agentvoice.audio import TELEPHONE, AudioFormat, Encoding, from_linear, linear_to_mulaw
from agentvoice.events import CallerAudio
from agentvoice.intake import Intake, Sound


def tone(rate: int, seconds: float) -> bytes:
    """A tone of 300 Hz."""
    return array(
        "h", [round(9000 * math.sin(600 * math.pi * n / rate)) for n in range(round(rate * seconds))]
    ).tobytes()


def heard(intake: Intake, audio: bytes, form: AudioFormat) -> list[Sound]:
    """What comes of audio that arrives in frames of 20 ms, each at the moment when it has been spoken."""
    size = form.size(0.02)
    sounds: list[Sound] = []
    for number, at in enumerate(range(0, len(audio), size)):
        frame = CallerAudio(audio[at : at + size], number * size // form.sample_bytes)
        sounds += [each for each in intake.receive(frame, now=100 + (number + 1) * 0.02) if isinstance(each, Sound)]
    return sounds


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 44100, 48000])
def test_every_encoding_and_rate_of_a_line_is_heard_as_linear_audio(encoding: Encoding, rate: int) -> None:
    form = AudioFormat(encoding, rate)
    intake = Intake(form)

    sounds = heard(intake, from_linear(tone(rate, 1.0), encoding), form)

    pcm = array("h", b"".join(sound.pcm for sound in sounds))
    assert intake.sample_rate == (rate if rate in {8000, 16000} else 16000)
    assert len(pcm) / intake.sample_rate == pytest.approx(1.0, abs=0.05)
    crossings = sum(a < 0 <= b for a, b in pairwise(pcm))
    assert crossings == pytest.approx(300 * len(pcm) / intake.sample_rate, abs=3), "it is the same tone"
    assert max(pcm) == pytest.approx(9000, rel=0.05)


def test_sound_says_when_it_was_spoken_also_when_it_was_resampled() -> None:
    form = AudioFormat(Encoding.S16LE, 48000)
    intake = Intake(form)

    sounds = heard(intake, tone(48000, 1.0), form)

    at = 100.0
    for sound in sounds:
        assert sound.at == pytest.approx(at, abs=0.001)
        at += len(sound.pcm) / 2 / 16000


class Whisperer:
    """A cleaner that halves everything, and is 10 ms late."""

    delay_s = 0.01

    def __init__(self) -> None:
        self.far: list[bytes] = []
        self._late = bytes(160)

    def prepare(self) -> None: ...

    def cleaning(self, sample_rate: int) -> Whisperer:
        return self

    def clean(self, pcm: bytes) -> bytes:
        self._late += array("h", [each // 2 for each in array("h", pcm)]).tobytes()
        out, self._late = self._late[: len(pcm)], self._late[len(pcm) :]
        return out

    def played(self, pcm: bytes) -> None:
        self.far.append(pcm)


def test_a_cleaner_has_its_way_with_the_sound_and_its_delay_is_taken_off_the_time() -> None:
    intake = Intake(TELEPHONE, Whisperer())

    sounds = heard(intake, linear_to_mulaw(tone(8000, 0.5)), TELEPHONE)

    assert max(array("h", b"".join(sound.pcm for sound in sounds))) == pytest.approx(4500, rel=0.05)
    assert sounds[0].at == pytest.approx(100.0 - 0.01)


def test_a_cleaner_is_told_what_the_far_end_plays_meanwhile() -> None:
    cleaner = Whisperer()
    intake = Intake(TELEPHONE, cleaner)
    agent = linear_to_mulaw(tone(8000, 0.1))
    intake.sent(agent, now=100.04)
    intake.sent(agent, now=100.05)
    intake.cleared(now=100.2)

    sounds = heard(intake, b"\xff" * 3200, TELEPHONE)

    far = b"".join(cleaner.far)
    assert [len(piece) for piece in cleaner.far] == [len(sound.pcm) for sound in sounds]
    loud = [number for number, sample in enumerate(array("h", far)) if abs(sample) > 500]
    assert min(loud) / 8000 == pytest.approx(0.04, abs=0.01)
    assert max(loud) / 8000 == pytest.approx(0.2, abs=0.01), "the rest was cleared"


def test_what_is_sent_matters_to_nobody_without_a_cleaner() -> None:
    intake = Intake(TELEPHONE)
    intake.sent(b"\0" * 80_000, now=100.0)
    intake.cleared(now=100.0)

    assert intake._loudspeaker.played(1, at=100.0) == b"\0\0"


def test_a_line_that_declares_the_wrong_rate_is_told_of_in_the_log() -> None:
    intake = Intake(TELEPHONE)

    with capture_logs() as logs:
        for number in range(400):
            intake.arrived(CallerAudio(bytes(320), number * 320), now=number * 0.02)

    assert logs == [
        {
            "event": "wrong_sample_rate",
            "declared": 8000,
            "comes": pytest.approx(16000, rel=0.02),
            "log_level": "warning",
        }
    ]


def test_of_odd_bytes_whole_samples_are_heard() -> None:
    form = AudioFormat(Encoding.S16LE, 8000)

    [sound] = Intake(form).receive(CallerAudio(bytes(321), 0), now=1.0)

    assert isinstance(sound, Sound)
    assert len(sound.pcm) == 320
