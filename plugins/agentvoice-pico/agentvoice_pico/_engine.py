"""The engine: text in, sentences of PCM with the times of their words out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from agentvoice.interfaces import SpokenPiece, Voice, WordTime
from agentvoice.speech.sentences import split_sentences

from ._spoken import joined, spoken
from ._worker import Worker

if TYPE_CHECKING:
    from ._align import Frames

SAMPLE_RATE: Final = 16000
_LEAD_IN_S: Final = 0.01
"""How much silence is left in front of a text: more of it only makes the answer late."""
_REST_S: Final = 0.2
"""How much silence is left behind a sentence."""
_BREATH_S: Final = 0.05
"""How long a text is silent in which there is nothing to say."""
_REMEMBERED: Final = 4000
"""Words whose sound alone is kept: 20 kB each."""


class PicoEngine:
    """`SpeechEngine` on Pico. Several texts may be spoken at once, by several workers."""

    voices: Sequence[Voice] = (
        Voice("en-US", "Pico, American", "en", "A small synthetic voice, English of the United States"),
        Voice("en-GB", "Pico, British", "en", "A small synthetic voice, English of Great Britain"),
        Voice("de-DE", "Pico, German", "de", "A small synthetic voice, German"),
        Voice("es-ES", "Pico, Spanish", "es", "A small synthetic voice, Spanish"),
        Voice("fr-FR", "Pico, French", "fr", "A small synthetic voice, French"),
        Voice("it-IT", "Pico, Italian", "it", "A small synthetic voice, Italian"),
    )

    def __init__(self) -> None:
        self._worker = Worker()
        self._alone = lru_cache(_REMEMBERED)(self._hear_alone)

    def prepare(self) -> None:
        """Start the process that speaks, and have it speak a word."""
        for _ in self.synthesize("Ready.", voice="en-US", speed=1.0, sample_rate=SAMPLE_RATE):
            pass

    def sample_rate(self, voice: str, wanted: int) -> int:  # noqa: ARG002 - all have one rate
        """Return the voices' own rate."""
        return SAMPLE_RATE

    def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:  # noqa: ARG002
        """Speak `text`, yielding its sentences; see `SpeechEngine.synthesize`."""
        at_s = 0.0
        for sentence in _sentences(text):
            if tokens := sentence.split():
                piece = self._sentence(tokens, voice=voice, speed=speed, at_s=at_s)
                at_s += len(piece.pcm) / 2 / SAMPLE_RATE
                yield piece

    def _sentence(self, tokens: Sequence[str], *, voice: str, speed: float, at_s: float) -> SpokenPiece:
        from ._align import align, seconds, spectra, trimmed  # noqa: PLC0415 - heavy: numpy

        readings = [spoken(token) for token in tokens]
        text = joined(readings)
        pcm = text and trimmed(self._worker.speak(text, voice=voice, speed=speed), lead_s=_LEAD_IN_S, rest_s=_REST_S)
        if not pcm:
            silence = bytes(2 * round(_BREATH_S * SAMPLE_RATE))
            return SpokenPiece(silence, [WordTime(token, at_s, at_s) for token in tokens])
        spans = align([self._alone(voice, reading.rstrip(",.?")) for reading in readings], spectra(pcm))
        words = [
            WordTime(token, at_s + seconds(first), at_s + seconds(last))
            for token, (first, last) in zip(tokens, spans, strict=True)
        ]
        return SpokenPiece(pcm, words)

    def _hear_alone(self, voice: str, reading: str) -> Frames:
        from ._align import spectra, trimmed  # noqa: PLC0415 - heavy: numpy

        return spectra(trimmed(self._worker.speak(reading, voice=voice, speed=1.0)) if reading else b"")


def _sentences(text: str) -> list[str]:
    """Cut text into sentences, between tokens only."""
    parts: list[str] = []
    for part in split_sentences(text):
        if parts and not (part[0].isspace() or parts[-1][-1].isspace()):
            parts[-1] += part
        else:
            parts.append(part)
    return parts
