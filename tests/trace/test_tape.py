"""The sound of a call, as this end knows it, beside its trace."""

import wave
from array import array
from functools import partial
from pathlib import Path

import anyio
import pytest

from agentvoice import Agent
from agentvoice.audio import TELEPHONE, from_linear
from agentvoice.call import Call
from agentvoice.cli.assembly import _observe
from agentvoice.commands import ClearPlayout, SendAudio
from agentvoice.errors import UsageError
from agentvoice.events import CallerAudio
from agentvoice.markup import NO_MARKUP
from agentvoice.settings import Settings
from agentvoice.trace.folder import pictures
from agentvoice.trace.recording import read_recording
from agentvoice.trace.tape import Tape

RATE = TELEPHONE.sample_rate


def sound(seconds: float, level: int = 8031) -> bytes:
    return from_linear(array("h", [level] * round(seconds * RATE)).tobytes(), TELEPHONE.encoding)


def stretches(track) -> list[tuple[float, float]]:
    return [(round(one.start, 2), round(one.end, 2)) for one in track.sounds()]


def test_the_caller_is_on_the_left_and_the_agent_on_the_right_when_they_spoke(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "deep" / "c.wav", TELEPHONE, started_at=100.0)
    for number in range(5):  # the line's own count began long before, and one frame is lost
        if number != 2:
            tape.heard(101.0 + number * 0.02, CallerAudio(sound(0.02), 16000 + number * 160))
    tape.decided(102.0, [SendAudio("c-1", sound(0.2)), SendAudio("c-1", sound(0.2))])
    tape.received(104.0, None)
    tape.decided(104.5, [SendAudio("c-1", sound(0.4))])
    tape.decided(104.6, [ClearPlayout()])
    tape.closed()
    tape.closed()

    recording = read_recording(tmp_path / "deep" / "c.wav")
    assert stretches(recording.caller) == [(1.0, 1.04), (1.06, 1.1)]
    assert stretches(recording.agent) == [(2.0, 2.4), (4.5, 4.6)]


def test_a_crash_loses_the_last_second(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "c.wav", TELEPHONE, started_at=0.0)
    tape.decided(1.0, [SendAudio("c-1", sound(2))])
    tape.received(3.5, None)

    with wave.open(str(tmp_path / "c.wav")) as file:
        assert file.getnframes() == 2.5 * RATE
    tape.closed()


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write the sound"):
        Tape(tmp_path, TELEPHONE, started_at=0.0)


class Line:
    audio = TELEPHONE
    has_marks = True


class Voice:
    markup = NO_MARKUP


class Ears:
    judges = False

    def __init__(self, deliver) -> None: ...
    def feed(self, event) -> None: ...
    async def run(self) -> None: ...


@pytest.mark.parametrize(("words", "audio"), [(True, True), (True, False), (False, False)])
def test_settings_say_what_is_kept(tmp_path: Path, words, audio) -> None:
    async def watched() -> None:
        call = Call("c/1", Agent(), Line(), Voice(), Ears)
        settings = Settings(trace_dir=tmp_path, trace_words=words, trace_audio=audio)
        for observer in _observe(settings, call):
            observer.closed()
        assert len(call.taps) == audio

    anyio.run(watched)

    assert (tmp_path / "c_1.wav").exists() is audio
    assert ('"keep":"words"' in (tmp_path / "c_1.jsonl").read_text()) is words


def test_the_tape_beside_a_trace_is_drawn(tmp_path: Path, booking) -> None:
    (tmp_path / "CA1.jsonl").write_text("\n".join(booking.trace_lines) + "\n")
    draw = partial(pictures, tmp_path / "CA1.jsonl", png=False)
    draw()
    silent = (tmp_path / "CA1.html").stat().st_size
    (tmp_path / "CA1.wav").write_bytes(booking.wav)
    draw()

    assert (tmp_path / "CA1.html").stat().st_size > silent + len(booking.wav)
