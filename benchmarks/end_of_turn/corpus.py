"""The corpus: callers who say one thing after another, pausing as is their habit. A seed makes the same ones again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from benchmarks.selectivity import voices
from benchmarks.selectivity.corpus import at_level, coded
from benchmarks.selectivity.sounds import RATE, Chance, Sound, coloured

from .phrases import PAUSED, WHOLE, Kind
from .recordings import Said, cut, prompts, recorded

SEED: Final = 6
LEAD_S: Final = 1.0
TAIL_S: Final = 2.5
LEVEL_DB: Final = -24.0
SPEAKERS: Final[Sequence[tuple[str, str]]] = (
    ("piper", "joe"),
    ("pico", "en-US"),
    ("piper", "joe"),
    ("pico", "en-GB"),
    ("recorded", "Allison"),
)
HABITS_S: Final = (0.5, 0.8, 1.3)
"""How long a caller's pauses usually are."""
SHORTEST_S, LONGEST_S = 0.4, 2.0
TURNS: Final = 8
"""What each caller says; five of them have pauses."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """What is said between two pauses."""

    text: str
    start_s: float
    """Since the beginning of the line."""
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """One thing that a caller says, with the pauses in it."""

    caller: int
    number: int
    kind: Kind | None
    """Where its pauses fall; none when it has none."""
    parts: Sequence[Part]
    speech: Sound
    """From the beginning of the line to the end of the last part."""

    @property
    def recorded(self) -> bool:
        """Whether a person said it."""
        return SPEAKERS[self.caller % len(SPEAKERS)][0] == "recorded"

    @property
    def end_s(self) -> float:
        """When the caller has finished."""
        return self.parts[-1].end_s

    @property
    def pauses(self) -> Sequence[tuple[float, float]]:
        """From when to when the caller is silent, and has not finished."""
        return [(one.end_s, other.start_s) for one, other in pairwise(self.parts)]

    def line(self, snr_db: float | None) -> bytes:
        """Return the caller's side of the line: mu-law, 8 kHz, with a machine's noise. `None` is a line that is merely
        not dead."""
        chance = np.random.default_rng((SEED, self.caller, self.number, 7))
        size = len(self.speech) + round(TAIL_S * RATE)
        if snr_db is None:
            noise = at_level(coloured(size, 100, 3800, chance), -72.0)
        else:
            noise = at_level(coloured(size, 60, 3800, chance, tilt=0.5), LEVEL_DB - snr_db)
        noise[: len(self.speech)] += self.speech
        return coded(noise)


@dataclass(frozen=True, slots=True)
class Corpus:
    contributions: Sequence[Contribution]

    @property
    def digest(self) -> str:
        """Names these very sounds."""
        digest = hashlib.sha256()
        for each in self.contributions:
            digest.update(np.round(each.speech * 2048).astype("<i2").tobytes())
        return digest.hexdigest()[:16]


# ------------------------------------------------------------------ how it is made


def build(callers: int, cache: Path, told: Callable[[str], None]) -> Corpus:
    """Make so many callers; every fifth is a person, if the recordings can be had."""
    recordings = list(recorded(prompts(cache, told)))
    chance = np.random.default_rng(SEED)
    whole, paused = _shuffled(WHOLE, chance), {kind: _shuffled(texts, chance) for kind, texts in PAUSED.items()}
    calm = _shuffled([each for each in recordings if len(each) == 1], chance)
    broken = _shuffled([each for each in recordings if len(each) > 1], chance)
    contributions = []
    for caller in range(callers):
        speaker = SPEAKERS[caller % len(SPEAKERS)]
        if speaker[0] == "recorded" and not recordings:
            continue
        habit = HABITS_S[caller % len(HABITS_S)]
        speed, pitch = round(chance.uniform(0.9, 1.2), 2), round(chance.uniform(0.9, 1.15), 2)
        kinds = [*_kinds(caller), None, None, None]
        for number, place in enumerate(chance.permutation(TURNS).tolist()):
            kind = kinds[place]
            if speaker[0] == "recorded":
                said, kind = next(broken if kind else calm), kind and Kind.RECORDED
            else:
                said = spoken(next(paused[kind] if kind else whole), speaker, speed, pitch)
            contributions.append(placed(caller, number, kind, said, habit, chance))
        told(f"caller {caller + 1} of {callers}: {'/'.join(speaker)}, pauses of about {habit} s")
    return Corpus(contributions)


def _kinds(caller: int) -> list[Kind]:
    """Each kind once, and one of them twice."""
    kinds = list(PAUSED)
    return [*kinds, kinds[caller % len(kinds)]]


def _shuffled(items: Sequence[T], chance: Chance) -> Iterator[T]:
    return cycle([items[place] for place in chance.permutation(len(items)).tolist()])


def spoken(text: str, speaker: tuple[str, str], speed: float, pitch: float) -> Said:
    """Have a voice speak the whole, and cut it where the bars are: so it does not sound finished before its end."""
    texts = [part.strip() for part in text.split("|")]
    sound, words = voices.spoken(" ".join(texts), speaker, speed=speed, pitch=pitch)
    cuts, count = [0], 0
    for part in texts[:-1]:
        count += len(part.split())
        cuts.append(_quietest(sound, words[count - 1][2] - 0.05, words[count][1] + 0.05))
    return cut(texts, sound, [*cuts, len(sound)])


def _quietest(sound: Sound, start_s: float, end_s: float) -> int:
    """Return the middle of the weakest 20 ms between two instants."""
    size, start = RATE // 50, max(0, round(start_s * RATE))
    places = range(start, max(start + 1, round(end_s * RATE) - size), size // 4)
    return min(places, key=lambda at: float(np.square(sound[at : at + size]).sum())) + size // 2


def placed(caller: int, number: int, kind: Kind | None, said: Said, habit_s: float, chance: Chance) -> Contribution:
    """Put the parts on a line, with pauses between them as is the caller's habit."""
    level = at_level(np.concatenate([sound for _, sound in said]), LEVEL_DB)
    at, parts, line = LEAD_S + chance.uniform(0, 0.25), [], np.zeros(0)
    for text, sound in said:
        start, level_sound = round(at * RATE), level[: len(sound)]
        level = level[len(sound) :]
        line = np.concatenate((line, np.zeros(start - len(line)), _faded(level_sound)))
        parts.append(Part(text, start / RATE, len(line) / RATE))
        at = len(line) / RATE + float(np.clip(habit_s * chance.lognormal(0.0, 0.3), SHORTEST_S, LONGEST_S))
    return Contribution(caller, number, kind, parts, line)


def _faded(sound: Sound) -> Sound:
    """Return `sound` without a click where it was cut."""
    size = min(len(sound) // 2, RATE // 200)
    ramp = np.linspace(0.0, 1.0, size)
    middle, last = sound[size : len(sound) - size], sound[len(sound) - size :]
    return np.concatenate((sound[:size] * ramp, middle, last * ramp[::-1]))
