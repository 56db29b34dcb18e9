"""The contract of speech engines, kept by the tone engine, and broken on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from agentvoice.interfaces import PhonemeTime, SpokenPiece, Voice
from agentvoice.speech.tone import ToneEngine
from agentvoice.testing.contracts.engine import check_engine


def test_the_tone_engine_keeps_it() -> None:
    check_engine(ToneEngine)


def broken(change: str) -> ToneEngine:
    """Return a tone engine that does one thing wrongly."""

    class Broken(ToneEngine):
        def sample_rate(self, voice: str, wanted: int) -> int:
            return wanted * 2 if change == "rate" else wanted

        def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:
            speed = 1.0 if change == "speed" else speed
            for piece in super().synthesize(text, voice=voice, speed=speed, sample_rate=sample_rate):
                [word] = piece.words
                match change:
                    case "case":
                        yield replace(piece, words=[replace(word, word=word.word.upper())])
                    case "twice":
                        yield replace(piece, words=[word, word])
                    case "late":
                        yield replace(piece, words=[replace(word, start_s=word.start_s + 60, end_s=word.end_s + 60)])
                    case "early":
                        yield replace(piece, words=[replace(word, start_s=0.0)])
                    case "half":
                        yield replace(piece, pcm=piece.pcm[:-1])
                    case "space":
                        yield replace(piece, phonemes=[PhonemeTime(" ", word.start_s, word.end_s)])
                    case "back":
                        times = [PhonemeTime("a", word.end_s, word.end_s), PhonemeTime("b", word.start_s, word.end_s)]
                        yield replace(piece, phonemes=times)
                    case _:
                        yield piece
            if change == "nothing" and not text.strip():
                yield SpokenPiece(bytes(2))

    engine = Broken()
    if change == "ids":
        engine.voices = (Voice("a", "A", "en"), Voice("a", "B", "en"))
    if change == "names":
        engine.voices = (Voice("a", "", "en"),)
    if change == "voices":
        engine.voices = ()
    return engine


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("voices", "there is a voice"),
        ("ids", "no two voices have the same id"),
        ("names", "voices have names"),
        ("rate", "what is delivered can be asked for"),
        ("case", "as written"),
        ("twice", "each token is told once"),
        ("late", "times are of the audio"),
        ("early", "told with what it begins in"),
        ("half", "whole samples"),
        ("space", "silence is no phoneme"),
        ("back", "never run back"),
        ("nothing", "of nothing comes nothing"),
        ("speed", "speed is speed"),
    ],
)
def test_an_engine_that_breaks_it_is_found(change: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_engine(lambda: broken(change))
