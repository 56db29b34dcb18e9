"""What can be seen and measured in a recording."""

import math
import wave
from array import array
from pathlib import Path

import pytest

from agentvoice.errors import UsageError
from agentvoice.trace.recording import Column, Track, read_recording
from agentvoice.trace.story import Sound


def track(*samples: int, rate: int = 1000) -> Track:
    return Track(array("h", samples), rate)


def write(path: Path, data: bytes, *, channels: int = 2, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(data)
    return path


def test_the_caller_is_left_and_the_agent_right(tmp_path: Path) -> None:
    path = write(tmp_path / "call.wav", array("h", [1, -1, 2, -2, 3, -3]).tobytes())

    recording = read_recording(path)

    assert list(recording.caller.samples) == [1, 2, 3]
    assert list(recording.agent.samples) == [-1, -2, -3]
    assert recording.seconds == 3 / 8000
    assert recording.wav == path.read_bytes()


def test_a_recording_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"RIFFnoise")

    with pytest.raises(UsageError, match=r"1 channels of 16 bits.*caller left"):
        read_recording(write(tmp_path / "mono.wav", bytes(8), channels=1))
    with pytest.raises(UsageError, match=r"cannot read.*noise\.wav"):
        read_recording(tmp_path / "noise.wav")
    with pytest.raises(UsageError, match=r"cannot read.*none\.wav"):
        read_recording(tmp_path / "none.wav")


def test_a_column_shows_lowest_highest_and_loudness() -> None:
    columns = track(16384, -16384, 0, 0, 8192, 8192).columns(0.0, 0.006, 3)

    assert columns == [
        Column(-0.5, 0.5, 0.5),
        Column(0.0, 0.0, 0.0),
        Column(0.25, 0.25, 0.25),
    ]


def test_beyond_the_recording_there_is_nothing_to_see() -> None:
    assert track(100, 100).columns(-0.002, 0.004, 3) == [
        Column(0.0, 0.0, 0.0),
        Column(100 / 32768, 100 / 32768, 100 / 32768),
        Column(0.0, 0.0, 0.0),
    ]


def test_the_level_is_that_of_the_loud_moments_and_not_of_a_single_click() -> None:
    steady = [8192, -8192] * 500

    assert track(*steady).level == 0.25
    assert track(*steady, 32767).level == 0.25
    assert track(*[0] * 1000, *steady).level == 0.25
    assert track(*[10] * 100).level == track().level == 0.0


def test_sound_is_what_is_louder_than_a_quiet_line() -> None:
    tone = [round(5000 * math.sin(n)) for n in range(20)]
    found = track(*[10] * 10, *tone, *[-10] * 30, *tone, *[0] * 3)

    assert found.sounds() == [Sound(0.01, 0.03), Sound(0.06, 0.08)]
    assert found.sounds(bridge_s=0.03) == [Sound(0.01, 0.08)]
    assert found.sounds(above=6000) == []
