"""How OpenAI's `/audio/transcriptions` words it: the form, and the answer as `json` or `verbose_json`."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Sequence
from typing import Any, Final

from agentvoice.events import Transcript
from agentvoice.token_shapes import at
from agentvoice.utterance import HeardWord

from ._languages import code

_LOOPING: Final = 2.4
_SILENT: Final = 0.6
_GUESSED: Final = -1.0
"""What OpenAI's own code for Whisper goes by: a segment that compresses better than the first repeats itself; one that
is more than the second silence, and less likely than the third, is made up."""


def form(model: str, *, language: str = "", prompt: str = "", words: bool = False) -> dict[str, str | Sequence[str]]:
    """Return the fields of a request. With `words` the answer tells when each was spoken, which not every model can."""
    fields: dict[str, str | Sequence[str]] = {"model": model, "response_format": "verbose_json" if words else "json"}
    if words:
        fields["timestamp_granularities[]"] = ["word", "segment"]
    elif model.startswith("gpt-4o") and "diarize" not in model:
        fields["include[]"] = ["logprobs"]
    return fields | {name: each for name, each in {"language": language, "prompt": prompt}.items() if each}


def wav(pcm: bytes, sample_rate: int) -> bytes:
    """Return PCM as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(pcm)
    return file.getvalue()


def transcript(answer: Any, *, language: str = "") -> Transcript:
    """Return what an answer says. `language` is that of the request, for an answer that names none.

    Raises:
        ValueError: it is not an answer.
    """
    text = at(answer, "text")
    if not isinstance(text, str):
        raise ValueError("there is no text in it")  # noqa: TRY004 - what came was wrong, not who called
    segments = at(answer, "segments") or []
    spoken = [segment for segment in segments if not _is_made_up(segment)]
    words = [(at(word, "word") or "", *_span(word)) for word in at(answer, "words") or []]
    if len(spoken) < len(segments):
        text = " ".join((at(segment, "text") or "").strip() for segment in spoken)
        spans = [_span(segment) for segment in spoken]
        words = [word for word in words if any(start <= word[1] < end for start, end in spans)]
    text = text.strip()
    return Transcript(
        text,
        final=True,
        confidence=_confidence(spoken, at(answer, "logprobs") or []) if text else None,
        words=_as_written(words, text),
        language=code(str(at(answer, "language") or at(answer, "languages.0.code") or language)) if text else "",
    )


def _span(timed: Any) -> tuple[float, float]:
    return float(at(timed, "start") or 0), float(at(timed, "end") or 0)


def _is_made_up(segment: Any) -> bool:
    ratio, silent = at(segment, "compression_ratio") or 0.0, at(segment, "no_speech_prob") or 0.0
    likely = at(segment, "avg_logprob") or 0.0
    return bool(ratio > _LOOPING or (silent > _SILENT and likely < _GUESSED))


def _confidence(segments: Sequence[Any], tokens: Sequence[Any]) -> float | None:
    """Return how sure the recogniser is, between 0 and 1: the mean of the tokens, or that of the least likely segment.

    vLLM fills in -1 where it does not know.
    """
    known = [each for each in segments if (at(each, "compression_ratio") or 0) >= 0]
    of_segments = [each for segment in known if (each := at(segment, "avg_logprob")) is not None]
    of_tokens = [each for token in tokens if (each := at(token, "logprob")) is not None]
    if of_tokens:
        return math.exp(min(0.0, sum(of_tokens) / len(of_tokens)))
    return math.exp(min(0.0, *of_segments)) if of_segments else None


def _as_written(words: Sequence[tuple[str, float, float]], text: str) -> tuple[HeardWord, ...]:
    """Return the words as they stand in the text: whisper-1 tells their times without punctuation."""
    written = text.split()
    if len(written) != len(words):
        written = [word.strip() for word, _, _ in words]
    return tuple(HeardWord(word, start, end) for word, (_, start, end) in zip(written, words, strict=True) if word)
