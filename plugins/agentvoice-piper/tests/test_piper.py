"""The real voice."""

from __future__ import annotations

from array import array
from itertools import pairwise
from threading import Thread

import numpy as np
import pytest

from agentvoice.interfaces import SpokenPiece
from agentvoice.testing.contracts.engine import check_engine
from agentvoice_piper import PiperEngine
from agentvoice_piper._engine import FRAMES, SAMPLE_RATE

pytestmark = pytest.mark.speech


@pytest.fixture(scope="module")
def engine() -> PiperEngine:
    engine = PiperEngine()
    engine.prepare()
    engine.prepare()  # twice is once
    return engine


def speak(engine: PiperEngine, text: str, *, speed: float = 1.0) -> list[SpokenPiece]:
    return list(engine.synthesize(text, voice="joe", speed=speed, sample_rate=engine.sample_rate("joe", 8000)))


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
        "yes?No!",
    ],
)
def test_every_token_is_timed_once_as_written_in_order_and_told_with_the_piece_that_it_begins_in(
    engine: PiperEngine, text: str
) -> None:
    pieces = speak(engine, text)

    words = [word for piece in pieces for word in piece.words]
    assert [word.word for word in words] == text.split()
    assert all(0 <= word.start_s <= word.end_s <= seconds(pieces) for word in words)
    assert all(earlier.start_s <= later.start_s for earlier, later in pairwise(words))
    assert all(piece.pcm for piece in pieces)
    for number, piece in enumerate(pieces):
        begin, end = seconds(pieces[:number]), seconds(pieces[: number + 1])
        assert all(begin - 0.001 <= word.start_s <= end for word in piece.words if word.end_s > word.start_s)


def test_phonemes_are_timed_within_their_words(engine: PiperEngine) -> None:
    pieces = speak(engine, "Good evening. How may I help you?")

    phonemes = [phoneme for piece in pieces for phoneme in piece.phonemes]
    assert "".join(phoneme.phoneme for phoneme in phonemes[:7]) == "ɡˈʊdˈiːvnɪ"
    assert all(earlier.end_s <= later.start_s + 1e-9 for earlier, later in pairwise(phonemes))
    for word in (word for piece in pieces for word in piece.words):
        inside = [phoneme for phoneme in phonemes if word.start_s <= phoneme.start_s < word.end_s]
        assert inside[0].start_s == word.start_s
        assert inside[-1].end_s == pytest.approx(word.end_s)
        assert all(0.01 < phoneme.end_s - phoneme.start_s < 0.4 for phoneme in inside)


def test_it_keeps_the_contract_of_engines(engine: PiperEngine) -> None:
    check_engine(lambda: engine)


def test_nothing_to_say_is_said_at_once(engine: PiperEngine) -> None:
    assert speak(engine, " \n") == []


def test_a_sentence_comes_in_stretches_and_the_first_is_short(engine: PiperEngine) -> None:
    first, *rest = speak(engine, "Good evening, how may I help you with your booking tonight?")

    assert len(rest) >= 2
    assert seconds([first]) <= FRAMES[0] * 256 / SAMPLE_RATE


def test_stretches_join_as_if_the_sentence_had_been_made_whole(engine: PiperEngine) -> None:
    voice = engine._voice
    assert voice is not None
    plan = voice.plan(voice.phonemes("Good evening, how may I help you?")[0], speed=1.0)

    whole = voice.sound(plan, 0, len(plan))
    joined = np.concatenate([voice.sound(plan, at, min(at + 24, len(plan))) for at in range(0, len(plan), 24)])

    assert len(whole) == plan.samples(len(plan))
    assert len(joined) == len(whole)
    assert np.abs(whole - joined).max() < 1e-4


def test_a_word_is_where_its_sound_is(engine: PiperEngine) -> None:
    """Each number stands after a pause, so that its beginning can be heard."""
    pieces = speak(engine, "One, nine, eight, one, eleven, nine.")
    pcm = np.frombuffer(b"".join(piece.pcm for piece in pieces), "<i2").astype(float)
    words = [word for piece in pieces for word in piece.words]
    loud = np.sqrt(np.convolve(pcm**2, np.ones(220) / 220, "same")) > 400

    errors = []
    for word in words[1:]:
        near = np.arange(round((word.start_s - 0.15) * SAMPLE_RATE), round(word.end_s * SAMPLE_RATE))
        quiet = near[~loud[near]]
        onset = quiet[quiet < (word.start_s + word.end_s) / 2 * SAMPLE_RATE].max() / SAMPLE_RATE
        errors.append(abs(onset - word.start_s))

    assert np.median(errors) < 0.05


def test_a_text_begins_with_sound(engine: PiperEngine) -> None:
    for text in ("Sure.", "For you.", "How are you?"):
        first, *_ = speak(engine, text)
        assert max(map(abs, array("h", first.pcm)[: SAMPLE_RATE // 10])) > 300


def test_speed_is_speed(engine: PiperEngine) -> None:
    slow, fast = (seconds(speak(engine, "One, two, three.", speed=speed)) for speed in (0.8, 1.4))

    assert fast < 0.75 * slow


def test_two_workers_do_not_disturb_each_other(engine: PiperEngine) -> None:
    spoken: dict[str, float] = {}

    def work(text: str) -> None:
        spoken[text] = seconds(speak(engine, text))

    workers = [Thread(target=work, args=(text,)) for text in ("One moment, please.", "Certainly, I will look it up.")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(spoken) == 2
    assert all(1 < length < 4 for length in spoken.values())
