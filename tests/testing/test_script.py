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
- press: "5#"
- pause: 0.5
- hang_up
- wait_for_hang_up:
    limit_s: 3.5
"""
    assert read_script(write(tmp_path, script)) == [
        WaitsForAgent(),
        WaitsForAgent(silence_s=0.5),
        Says("Hello.", b"\xff" * 80),
        BargesIn("Wait!", after_s=2),
        Presses("5#"),
        Pauses(0.5),
        HangsUp(),
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
        ("- dance", "step 1: no step that is known"),
        ("- 5", "step 1: no step that is known"),
        ("- hang_up\n- shout: Hello.", "step 2: no step that is known"),
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


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the script"):
        read_script(tmp_path / "nowhere.yaml")


def test_a_sound_of_another_kind_is_refused_with_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is 16000 Hz, 16 bits, 2 channels; it has to be 8000, 16, 1"):
        read_line(sound(tmp_path / "loud.wav", rate=16000, channels=2))
