"""How much a worker makes in one go. What follows from it for clients is in `test_exchange.py`."""

from __future__ import annotations

from collections.abc import Iterator

from agentvoice.audio import AudioFormat, Encoding
from agentvoice.speech.contexts import Job
from agentvoice.speech.convert import Spoken, Utterance
from agentvoice.speech.scheduler import _make

JOB = Job(1, Utterance(text="yes", voice="tone", output=AudioFormat(Encoding.S16LE, 8000)))
FIFTH = Spoken(bytes(3200))
"""A fifth of a second."""


def speech(stretches: int, *, error: Exception | None = None) -> Iterator[Spoken]:
    for _ in range(stretches):
        yield FIFTH
    if error:
        raise error


def test_without_time_one_stretch_is_made() -> None:
    assert _make(speech(9), 0.0, JOB) == [FIFTH]


def test_a_quick_engine_is_asked_for_a_second_of_speech_at_the_most() -> None:
    assert _make(speech(9), 60.0, JOB) == [FIFTH] * 5


def test_the_end_is_told_with_what_came_before_it() -> None:
    assert _make(speech(2), 60.0, JOB) == [FIFTH, FIFTH, None]
    assert _make(speech(0), 0.0, JOB) == [None]


def test_what_was_made_before_an_engine_broke_is_not_lost() -> None:
    error = RuntimeError("out of breath")
    assert _make(speech(2, error=error), 60.0, JOB) == [FIFTH, FIFTH, error]
