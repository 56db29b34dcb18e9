"""The engine: text in, sentences of PCM with the times of their words and phonemes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final

from agentvoice.assets import ensure
from agentvoice.interfaces import PhonemeTime, SpokenPiece, Voice, WordTime
from agentvoice_piper import match, sounds, spoken

from ._weights import KOKORO

if TYPE_CHECKING:
    from ._voice import LoadedVoices

SAMPLE_RATE: Final = 24000
LANGUAGES: Final = {"a": "en-us", "b": "en"}
"""How espeak calls what the first letter of a voice's id stands for: plain `en` is the English of Great Britain."""
_LEAD_IN_S: Final = 0.02
"""How much silence is left in front of a text's first word: the model begins with a third of a second of it."""
_BREATH_S: Final = 0.05
"""How long a text is silent in which there is nothing to say."""


class KokoroEngine:
    """`SpeechEngine` on Kokoro 82M. Several texts may be spoken at once, by several workers."""

    voices: Sequence[Voice] = (
        Voice("af_heart", "Heart", "en", "A warm woman from the United States", gender="feminine"),
        Voice("af_bella", "Bella", "en", "A lively woman from the United States", gender="feminine"),
        Voice("am_michael", "Michael", "en", "A calm man from the United States", gender="masculine"),
        Voice("am_fenrir", "Fenrir", "en", "A firm man from the United States", gender="masculine"),
        Voice("bf_emma", "Emma", "en", "A woman from Great Britain", gender="feminine"),
        Voice("bm_george", "George", "en", "A man from Great Britain", gender="masculine"),
    )

    def __init__(self, *, threads: int = 2) -> None:
        """Prepare an engine that speaks each text on so many `threads`."""
        self._threads = threads
        self._loaded: LoadedVoices | None = None
        self._lock = Lock()

    def prepare(self) -> None:
        """Load the model, and fetch it if need be."""
        with self._lock:
            if self._loaded is None:
                from ._voice import LoadedVoices  # noqa: PLC0415 - heavy: numpy, onnxruntime, piper

                names = [voice.id for voice in self.voices]
                self._loaded = LoadedVoices(ensure(KOKORO), names, threads=self._threads)

    def sample_rate(self, voice: str, wanted: int) -> int:  # noqa: ARG002 - all have one rate
        """Return the voices' own rate."""
        return SAMPLE_RATE

    def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:  # noqa: ARG002
        """Speak `text`, yielding its sentences; see `SpeechEngine.synthesize`."""
        self.prepare()
        assert self._loaded is not None  # noqa: S101 - `prepare` has just seen to it
        return _speak(self._loaded, text, voice=voice, speed=speed)


def _speak(loaded: LoadedVoices, text: str, *, voice: str, speed: float) -> Iterator[SpokenPiece]:
    from ._voice import LONGEST  # noqa: PLC0415

    language = LANGUAGES[voice[0]]
    tokens = text.split()
    readings = [spoken(token) for token in tokens]
    sentences = [
        sentence[start : start + LONGEST]
        for sentence in loaded.phonemes(" ".join(readings), language=language)
        for start in range(0, len(sentence), LONGEST)
    ]
    if not sentences:
        if tokens:
            yield SpokenPiece(
                bytes(2 * round(_BREATH_S * SAMPLE_RATE)), [WordTime(token, 0.0, 0.0) for token in tokens]
            )
        return
    alone = [_joined(loaded.phonemes(reading, language=language)) for reading in readings]
    words = list(zip(tokens, match(alone, _joined(sentences)), strict=True))
    at = place = 0  # samples spoken so far, and phonemes
    for number, sentence in enumerate(sentences, 1):
        samples, starts = loaded.speak(sentence, voice=voice, speed=speed)
        end = place + len(sentence) + 1
        here = words if number == len(sentences) else [word for word in words if word[1][0] < end]
        words = words[len(here) :]
        spans = [
            (starts[min(first - place, len(sentence))], starts[min(last - place, len(sentence))])
            for _, (first, last) in here
        ]
        phonemes = [(sound, starts[first], starts[last]) for sound, first, last in sounds(sentence)]
        lead = max(0, spans[0][0] - round(_LEAD_IN_S * SAMPLE_RATE)) if number == 1 and spans else 0
        at -= lead
        pcm: bytes = (samples[lead:].clip(-1.0, 1.0) * 32767).astype("<i2").tobytes()
        yield SpokenPiece(
            pcm,
            [WordTime(token, *_seconds(at, *span)) for (token, _), span in zip(here, spans, strict=True)],
            [PhonemeTime(sound, *_seconds(at, first, last)) for sound, first, last in phonemes],
        )
        at += len(samples)
        place = end


def _seconds(at: int, first: int, last: int) -> tuple[float, float]:
    return max(0, at + first) / SAMPLE_RATE, max(0, at + last) / SAMPLE_RATE


def _joined(sentences: Sequence[Sequence[str]]) -> list[str]:
    """Return the phonemes of several sentences, a space between two of them."""
    return [sound for sentence in sentences for sound in [*sentence, " "]][:-1]
