"""The engine: text in, stretches of PCM with the times of words and phonemes out, while the sentence is being made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from agentvoice.assets import ensure
from agentvoice.interfaces import PhonemeTime, SpokenPiece, Voice, WordTime

from ._sounds import sounds
from ._spoken import spoken
from ._weights import JOE
from ._words import match

if TYPE_CHECKING:
    from ._voice import LoadedVoice, Plan

FRAMES: Final = (24, 48, 96)
"""How long the stretches of a sentence are, in frames of 12 ms: the first is soon there, and of the last size are all
others, as each costs the work of 20 frames more than its own."""
SAMPLE_RATE: Final = 22050
_QUIET: Final = 0.01
"""A share of full scale below which a voice's sound is silence."""
_LEAD_IN_S: Final = 0.01
"""How much silence is left in front of a text: more of it only makes the answer late."""
_BREATH_S: Final = 0.05
"""How long a text is silent in which there is nothing to say."""

Timed: TypeAlias = tuple[str, int, int]
"""A word or a phoneme, its first sample, and the one after its last, within its sentence."""


class PiperEngine:
    """`SpeechEngine` on Piper. Several texts may be spoken at once, by several workers."""

    voices: Sequence[Voice] = (Voice("joe", "Joe", "en", "A calm man from the United States", gender="masculine"),)

    def __init__(self, *, threads: int = 1) -> None:
        """Prepare an engine that speaks each text on so many `threads`."""
        self._threads = threads
        self._voice: LoadedVoice | None = None
        self._lock = Lock()

    def prepare(self) -> None:
        """Load the voice, and speak a word, so that the first sentence is as fast as the others."""
        with self._lock:
            if self._voice is None:
                from ._voice import LoadedVoice  # noqa: PLC0415 - heavy: numpy, onnxruntime, piper

                self._voice = LoadedVoice(ensure(JOE), threads=self._threads)
                for _ in self._speak("Ready.", 1.0, self._voice):
                    pass

    def sample_rate(self, voice: str, wanted: int) -> int:  # noqa: ARG002 - it has one voice, of one rate
        """Return the voice's own rate."""
        return SAMPLE_RATE

    def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:  # noqa: ARG002
        """Speak `text`, yielding stretches of its sentences; see `SpeechEngine.synthesize`."""
        self.prepare()
        assert self._voice is not None  # noqa: S101 - `prepare` has just seen to it
        return self._speak(text, speed, self._voice)

    def _speak(self, text: str, speed: float, voice: LoadedVoice) -> Iterator[SpokenPiece]:
        tokens = text.split()
        readings = [spoken(token) for token in tokens]
        sentences = voice.phonemes(" ".join(readings))
        if not sentences:
            if tokens:
                silence = bytes(2 * round(_BREATH_S * SAMPLE_RATE))
                yield SpokenPiece(silence, [WordTime(token, 0.0, 0.0) for token in tokens])
            return
        alone = [_joined(voice.phonemes(reading)) for reading in readings]
        words = list(zip(tokens, match(alone, _joined(sentences)), strict=True))
        at = place = 0  # samples spoken so far, and phonemes
        for sentence in sentences:
            plan = voice.plan(sentence, speed=speed)
            end = place + len(sentence) + 1
            here = words if sentence is sentences[-1] else [word for word in words if word[1][0] < end]
            words = words[len(here) :]
            times = [(token, plan.start(first - place), plan.start(last - place)) for token, (first, last) in here]
            phonemes = [(sound, plan.start(first), plan.start(last)) for sound, first, last in sounds(sentence)]
            for piece in _stretches(voice, plan, times, phonemes, at):
                at += len(piece.pcm) // 2
                yield piece
            place = end


def _joined(sentences: Sequence[Sequence[str]]) -> list[str]:
    """Return the phonemes of several sentences, a space between two of them."""
    return [sound for sentence in sentences for sound in [*sentence, " "]][:-1]


def _stretches(
    voice: LoadedVoice, plan: Plan, words: list[Timed], phonemes: list[Timed], at: int
) -> Iterator[SpokenPiece]:
    """Yield one sentence, which begins `at` samples into the text."""
    start = 0
    sizes = chain(FRAMES, repeat(FRAMES[-1]))
    while start < len(plan):
        end = min(start + next(sizes), len(plan))
        sound = voice.sound(plan, start, end)
        if at == 0 and start == 0 and words:
            lead = _lead_in(sound, first_word=words[0][1])
            sound, at = sound[lead:], -lead
        until = math.inf if end == len(plan) else plan.samples(end)
        begun, words = _before(until, words)
        sounding, phonemes = _before(until, phonemes)
        yield SpokenPiece(
            _pcm(sound),
            [WordTime(token, *_seconds(at, first, last)) for token, first, last in begun],
            [PhonemeTime(phoneme, *_seconds(at, first, last)) for phoneme, first, last in sounding],
        )
        start = end


def _before(sample: float, timed: list[Timed]) -> tuple[list[Timed], list[Timed]]:
    """Return what begins before a sample, and the rest."""
    begun = [one for one in timed if one[1] < sample]
    return begun, timed[len(begun) :]


def _seconds(at: int, first: int, last: int) -> tuple[float, float]:
    return max(0, at + first) / SAMPLE_RATE, max(0, at + last) / SAMPLE_RATE


def _lead_in(sound: Any, *, first_word: int) -> int:
    """Return how many samples of silence to leave out in front of a text: never of its first word."""
    loud = (abs(sound) > _QUIET).nonzero()[0]
    silent = min(int(loud[0]) if len(loud) else 0, first_word)
    return max(0, silent - round(_LEAD_IN_S * SAMPLE_RATE))


def _pcm(sound: Any) -> bytes:
    data: bytes = (sound.clip(-1.0, 1.0) * 32767).astype("<i2").tobytes()
    return data
