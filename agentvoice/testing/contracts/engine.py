"""What every `SpeechEngine` has to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, pairwise
from typing import Final

from agentvoice.interfaces import PhonemeTime, SpeechEngine, SpokenPiece, WordTime

TEXTS: Final = (
    "Good evening. How may I help you?",
    "Your table for 4 at 7:30 is booked, Dr. Smith - really!",
    "One of the tables costs $5.50, doesn't it? Call 555-0123 (or me) … please…",
    "  Sure.\n",
    "— and?",
    "...",
)
"""What people, and language models, write: numbers, quotes, marks that are no word, and no word at all."""
_RATES: Final = (8000, 16000, 24000, 44100)
_SLACK_S: Final = 0.001


def check_engine(make: Callable[[], SpeechEngine], *, texts: Sequence[str] = TEXTS) -> None:
    """Check a plugin, or a double. Blocks; speaks the `texts`, and a word with each voice.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    engine = make()
    ids = [voice.id for voice in engine.voices]
    assert ids, "there is a voice, and it is known before anything was loaded"
    assert len(set(ids)) == len(ids), "no two voices have the same id"
    assert all(voice.name and voice.language for voice in engine.voices), "voices have names and languages"
    engine.prepare()
    engine.prepare()
    for voice in ids:
        for wanted in _RATES:
            rate = engine.sample_rate(voice, wanted)
            assert rate == engine.sample_rate(voice, rate), "what is delivered can be asked for"
        assert _seconds(_speak(engine, "Yes.", voice=voice), engine, voice) > 0.1, f"the voice {voice} speaks"
    for text in texts:
        _check_text(engine, text)
    assert not _speak(engine, " \n"), "of nothing comes nothing"

    slow, fast = (_seconds(_speak(engine, "One, two, three.", speed=speed), engine, ids[0]) for speed in (0.8, 1.3))
    assert fast < 0.85 * slow, "speed is speed"

    speech = engine.synthesize(texts[0], voice=ids[0], speed=1.0, sample_rate=engine.sample_rate(ids[0], 16000))
    next(iter(speech))
    if callable(close := getattr(speech, "close", None)):
        close()
    with ThreadPoolExecutor(2) as workers:
        for text, pieces in zip(texts, workers.map(lambda text: _speak(engine, text), texts), strict=True):
            told = [word.word for piece in pieces for word in piece.words]
            assert told == text.split(), "what is spoken at the same time does not mix"


def _speak(engine: SpeechEngine, text: str, *, voice: str | None = None, speed: float = 1.0) -> list[SpokenPiece]:
    voice = voice or engine.voices[0].id
    rate = engine.sample_rate(voice, 16000)
    return list(engine.synthesize(text, voice=voice, speed=speed, sample_rate=rate))


def _seconds(pieces: Sequence[SpokenPiece], engine: SpeechEngine, voice: str) -> float:
    return sum(len(piece.pcm) for piece in pieces) / 2 / engine.sample_rate(voice, 16000)


def _check_text(engine: SpeechEngine, text: str) -> None:
    pieces = _speak(engine, text)
    rate = engine.sample_rate(engine.voices[0].id, 16000)
    assert all(piece.pcm and len(piece.pcm) % 2 == 0 for piece in pieces), f"pieces are whole samples, and some: {text}"
    words = [word for piece in pieces for word in piece.words]
    assert [word.word for word in words] == text.split(), f"each token is told once, as written, in order: {text}"
    phonemes = [phoneme for piece in pieces for phoneme in piece.phonemes]
    assert all(phoneme.phoneme.strip() for phoneme in phonemes), f"silence is no phoneme: {text}"

    ends = list(accumulate(len(piece.pcm) / 2 / rate for piece in pieces))
    for spans in (_spans(words), _spans(phonemes)):
        assert all(0 <= start <= end <= ends[-1] + _SLACK_S for start, end in spans), f"times are of the audio: {text}"
        assert all(a <= b for (a, _), (b, _) in pairwise(spans)), f"times never run back: {text}"
    for piece, begins, end in zip(pieces, [0.0, *ends], ends, strict=False):
        spans = _spans(piece.words) + _spans(piece.phonemes)
        inside = [start for start, stop in spans if stop > start]  # where nothing is said makes no difference
        assert all(begins - _SLACK_S <= start <= end for start in inside), f"told with what it begins in: {text}"


def _spans(timed: Sequence[WordTime] | Sequence[PhonemeTime]) -> list[tuple[float, float]]:
    return [(one.start_s, one.end_s) for one in timed]
