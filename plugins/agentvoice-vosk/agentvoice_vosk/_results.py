"""What Vosk says, in JSON, as transcripts. Pure.

Its shapes are those of `vosk_api.h`: `{"partial": text}` while somebody speaks, and `{"text": text, "result": words}`
at the end, with no `result` where nothing was understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from agentvoice.events import Transcript
from agentvoice.utterance import HeardWord

LANGUAGE: Final = "en"


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float
    conf: float


class _Result(msgspec.Struct):
    text: str = ""
    partial: str = ""
    result: list[_Word] = []


def partial(settled: Sequence[HeardWord], said: str) -> Transcript:
    """Return what is known of a segment: what will not change, and Vosk's word on the rest."""
    words = [word.word for word in settled]
    return Transcript(" ".join([*words, *_parse(said).partial.split()]), final=False, language=LANGUAGE)


def heard(said: str, *, began_s: float) -> list[HeardWord]:
    """Return the words of a result. The segment began `began_s` after what Vosk counts from."""
    return [
        HeardWord(word.word, max(0.0, word.start - began_s), max(0.0, word.end - began_s), word.conf)
        for word in _parse(said).result
    ]


def final(words: Sequence[HeardWord]) -> Transcript:
    """Return the whole of a segment, which is as certain as its least certain word."""
    return Transcript(
        " ".join(word.word for word in words),
        final=True,
        confidence=min((word.confidence for word in words if word.confidence is not None), default=None),
        words=tuple(words),
        language=LANGUAGE,
    )


def _parse(said: str) -> _Result:
    return msgspec.json.decode(said, type=_Result)
