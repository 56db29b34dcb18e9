import wave
from pathlib import Path

import pytest

from agentvoice.errors import UsageError
from agentvoice.testing.script import (
    BargesIn,
    HangsUp,
    Pauses,
    Presses,
    Says,
    WaitsForAgent,
    WaitsForHangUp,
    read_line,
    read_script,
)

EXAMPLE = Path(__file__).parents[2] / "examples/caller/booking.yaml"


def write(folder: Path, text: str) -> Path:
    path = folder / "script.yaml"
    path.write_text(text)
    return path


def sound(path: Path, *, rate: int = 8000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\0\0" * 80 * channels)
    return path


def test_every_kind_of_step_can_be_written(tmp_path: Path) -> None:
    sound(tmp_path / "hello.wav")
    script = """
- wait_for_agent
- wait_for_agent: {silence_s: 0.5}
- say: Hello.
  audio: hello.wav
- barge_in: Wait!
  after_s: 2
- barge_in: Stop!
  at_word: 5
- press: "5#"
- pause: 0.5
- hang_up
- hang_up: {after_s: 2}
- wait_for_hang_up:
    limit_s: 3.5
"""
    assert read_script(write(tmp_path, script)) == [
        WaitsForAgent(),
        WaitsForAgent(silence_s=0.5),
        Says("Hello.", b"\xff" * 80),
        BargesIn("Wait!", after_s=2),
        BargesIn("Stop!", at_word=5),
        Presses("5#"),
        Pauses(0.5),
        HangsUp(),
        HangsUp(after_s=2),
        WaitsForHangUp(limit_s=3.5),
    ]


def test_the_script_of_the_demo_can_be_read() -> None:
    assert [type(step) for step in read_script(EXAMPLE)].count(BargesIn) == 1


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("", "is not a script"),
        ("say: Hello.", "is not a script"),
        ("- say: [", "is not YAML"),
        ("- dance", "line 1: no step that is known"),
        ("- 5", "line 1: no step that is known"),
        ("# A rude caller.\n- hang_up\n\n- shout: Hello.", "line 4: no step that is known"),
        ("- hang_up\n- pause: [1", "line 2, is not YAML: expected ',' or ']'"),
        ("- say: 2026-13-45", "is not YAML: month must be in 1..12"),
        ("- pause: .inf", "seconds has to be from 0 to 3600 seconds, not inf"),
        ("- wait_for_agent: {limit_s: .nan}", "limit_s has to be from 0 to 3600 seconds, not nan"),
        ("- pause: -1", "seconds has to be from 0 to 3600 seconds, not -1"),
        ("- pause: yes", "seconds has to be a number, not True"),
        ("- say: ''", "text has to be a text in quotes, not ''"),
        ("- say: No", "text has to be a text in quotes, not False"),
        ("- say:", "text has to be a text in quotes, not None"),
        ("- press: 5#x", r"keys has to be keys of a telephone \(0-9 \* # A-D\), not '5#x'"),
        ("- barge_in: Wait!\n  at_word: 0", "at_word has to be 1 or more, not 0"),
        ("- barge_in: Wait!\n  at_word: 1.5", "at_word has to be a whole number, not 1.5"),
        ("- hang_up: {after: 3}", r"'hang_up' has no after \(it has: after_s, at_s\)"),
        ("- say: Hello.\n  volume: 3", "'say' has no volume"),
        ("- hang_up: now", "'hang_up' takes no value"),
        ("- press: 5", "keys has to be a text in quotes, not 5"),
        ("- pause: soon", "seconds has to be a number, not 'soon'"),
        ("- say: Hello.\n  audio: nowhere.wav", "cannot read the sound"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, script: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_script(write(tmp_path, script))


def test_a_script_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_bytes(b"- say: \xff\xfe")

    with pytest.raises(UsageError, match="is not YAML"):
        read_script(tmp_path / "script.yaml")


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the script"):
        read_script(tmp_path / "nowhere.yaml")


def test_a_sound_of_another_kind_is_refused_with_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is 16000 Hz, 16 bits, 2 channels; it has to be 8000, 16, 1"):
        read_line(sound(tmp_path / "loud.wav", rate=16000, channels=2))
