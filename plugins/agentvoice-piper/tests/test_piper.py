from array import array

import pytest

from agentvoice.interfaces import SpokenPiece
from agentvoice_piper import PiperEngine
from agentvoice_piper._voice import with_output
from agentvoice_piper._words import match


def never(token: str) -> int:
    raise AssertionError(token)


def test_as_many_words_as_tokens_belong_together_one_by_one() -> None:
    assert match(["a", "b"], 2, never) == [(0, 1), (1, 2)]


def test_a_token_that_is_spoken_as_several_words_has_all_of_them() -> None:
    assert match(["at", "7:30", "then"], 4, {"at": 1, "7:30": 2, "then": 1}.__getitem__) == [(0, 1), (1, 3), (3, 4)]


def test_tokens_that_are_run_together_share_their_word() -> None:
    spans = match(["for", "a", "group"], 2, lambda _: 1)

    assert spans == [(0, 1), (1, 2), (1, 2)]


def test_what_has_no_sound_has_the_word_beside_it() -> None:
    assert match(["well", "—"], 1, {"well": 1, "—": 0}.__getitem__) == [(0, 1), (0, 1)]


def test_one_more_output_is_a_message_that_is_merged() -> None:
    assert with_output(b"model", "/C") == b"model" + b"\x3a\x06" + b"\x62\x04" + b"\x0a\x02/C"


@pytest.fixture(scope="module")
def engine() -> PiperEngine:
    engine = PiperEngine()
    engine.prepare()
    engine.prepare()  # twice is once
    return engine


def speak(engine: PiperEngine, text: str, *, speed: float = 1.0) -> list[SpokenPiece]:
    return list(engine.synthesize(text, voice="joe", speed=speed, sample_rate=engine.sample_rate("joe", 8000)))


@pytest.mark.speech
@pytest.mark.parametrize(
    "text",
    [
        "Good evening. How may I help you?",
        "Your table for 4 at 7:30 is booked, Dr. Smith.",
        "I have a table for a group of 12 - really!",
        "Sure.",
    ],
)
def test_every_token_is_timed_once_as_written_and_in_order(engine: PiperEngine, text: str) -> None:
    pieces = speak(engine, text)

    words = [word for piece in pieces for word in piece.words]
    seconds = sum(len(piece.pcm) for piece in pieces) / 2 / 22050
    assert [word.word for word in words] == text.split()
    assert all(word.start_s <= word.end_s <= seconds for word in words)
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)


@pytest.mark.speech
def test_a_word_is_where_its_sound_is(engine: PiperEngine) -> None:
    (piece,) = speak(engine, "Stop now.")
    pcm = array("h", piece.pcm)

    def loudness(start_s: float, end_s: float) -> float:
        part = pcm[round(start_s * 22050) : round(end_s * 22050)]
        return sum(map(abs, part)) / max(1, len(part))

    first, second = piece.words
    assert first.start_s < 0.1
    assert loudness(first.start_s, first.end_s) > 500
    assert loudness(second.start_s, second.end_s) > 500
    assert loudness(second.end_s + 0.05, len(pcm) / 22050) < 500


@pytest.mark.speech
def test_speed_is_speed(engine: PiperEngine) -> None:
    slow, fast = (sum(len(piece.pcm) for piece in speak(engine, "One, two, three.", speed=s)) for s in (0.8, 1.4))

    assert fast < 0.75 * slow
