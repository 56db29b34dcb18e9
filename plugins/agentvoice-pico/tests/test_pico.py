"""The real voices."""

from itertools import pairwise

import numpy as np
import pytest

from agentvoice.interfaces import SpokenPiece
from agentvoice.testing.contracts.engine import check_engine
from agentvoice_pico import PicoEngine
from agentvoice_pico._engine import SAMPLE_RATE

pytestmark = pytest.mark.speech


@pytest.fixture(scope="module")
def engine() -> PicoEngine:
    engine = PicoEngine()
    engine.prepare()
    return engine


def speak(engine: PicoEngine, text: str, *, voice: str = "en-US", speed: float = 1.0) -> list[SpokenPiece]:
    return list(engine.synthesize(text, voice=voice, speed=speed, sample_rate=engine.sample_rate(voice, 8000)))


def seconds(pieces: list[SpokenPiece]) -> float:
    return sum(len(piece.pcm) for piece in pieces) / 2 / SAMPLE_RATE


@pytest.mark.parametrize(
    "text",
    [
        "Good evening. How may I help you?",
        "Your table for 4 at 7:30 is booked, Dr. Smith.",
        "I have a table for a group of 12 - really!",
        "One of the tables costs $5.50, doesn't it? Call 555-0123 (or me) … please…",
        "  Sure.\n",
        "— and?",
        "...",
        "😀 日本語",
        f"A word of {'x' * 300} letters, and </speed> <break> markup.",
    ],
)
def test_every_token_is_timed_once_as_written_in_order(engine: PicoEngine, text: str) -> None:
    pieces = speak(engine, text)

    words = [word for piece in pieces for word in piece.words]
    assert [word.word for word in words] == text.split()
    assert all(0 <= word.start_s <= word.end_s <= seconds(pieces) for word in words)
    assert all(earlier.start_s <= later.start_s for earlier, later in pairwise(words))
    assert all(piece.pcm for piece in pieces)


def test_it_keeps_the_contract_of_engines(engine: PicoEngine) -> None:
    check_engine(lambda: engine)


def test_nothing_to_say_is_said_at_once(engine: PicoEngine) -> None:
    assert speak(engine, " \n") == []


def test_sentences_come_one_by_one(engine: PicoEngine) -> None:
    assert len(speak(engine, "One moment, please. I will look it up. Here it is.")) == 3


def test_a_word_is_where_its_sound_is(engine: PicoEngine) -> None:
    """Each word stands after a pause, so that its beginning can be heard."""
    pieces = speak(engine, "Certainly, madam, today, tomorrow, Monday, Tuesday, or seven, nine, eight.")
    pcm = np.frombuffer(b"".join(piece.pcm for piece in pieces), "<i2").astype(float)
    loud = np.convolve(np.abs(pcm), np.ones(80) / 80, "same") > 60
    onsets = np.flatnonzero(loud[1:] & ~loud[:-1]) / SAMPLE_RATE

    errors = [np.abs(onsets - word.start_s).min() for piece in pieces for word in piece.words]

    assert np.median(errors) < 0.02


@pytest.mark.parametrize("voice", [voice.id for voice in PicoEngine.voices])
def test_all_voices_speak(engine: PicoEngine, voice: str) -> None:
    assert seconds(speak(engine, "Radio, taxi, hotel.", voice=voice)) > 1


def test_speed_is_speed(engine: PicoEngine) -> None:
    slow, fast = (seconds(speak(engine, "One, two, three.", speed=speed)) for speed in (0.8, 1.4))

    assert fast < 0.75 * slow
