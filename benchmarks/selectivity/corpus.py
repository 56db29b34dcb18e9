"""The corpus: who makes which sound, how loud, over what noise. The same seed makes the same calls."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle, islice
from typing import Final

import numpy as np

from agentvoice.audio import linear_to_mulaw

from . import voices
from .phrases import AGENT, BACKCHANNELS, INTERRUPTIONS, SIDE_TALK
from .sounds import NOISES, RATE, Chance, Sound, coloured, far_away, hum, murmur

SEED: Final = 4
LEAD_S: Final = 1.5
"""The caller is silent at first; up to a quarter of a second more is drawn by lot."""
TAIL_S: Final = 1.5
"""The caller is silent afterwards: who has not been yielded to by then has not been yielded to."""


class Kind(StrEnum):
    """What is heard on the caller's line."""

    INTERRUPTION = "interruption"
    BACKCHANNEL = "backchannel"
    NOISE = "cough, noise"
    SIDE_TALK = "side talk"
    ECHO = "echo of the agent"


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A sound, and how it is to be heard."""

    number: int
    kind: Kind
    name: str
    source: str
    """Which voice, recording or recipe."""
    sound: Sound
    """At the level at which it is on the line."""
    level_db: float
    """How loud a caller speaks in this call, relative to full scale: noise is measured against that."""
    lead_s: float
    delay_s: float = 0.0
    """Of an echo: how late it is."""

    @property
    def end_s(self) -> float:
        """When the sound is over."""
        return self.lead_s + len(self.sound) / RATE

    @property
    def agent(self) -> int:
        """Which of its texts the agent speaks meanwhile."""
        return self.number % len(AGENT)

    @property
    def murmured(self) -> bool:
        """Whether the noise in this call is of people; otherwise it is of a machine."""
        return self.number % 2 == 1


def active(sound: Sound) -> float:
    """Return the level of the louder half of a sound's 20 ms stretches, as a factor of full scale."""
    return float(np.median(_levels(sound)[_levels(sound) > 0.05 * _levels(sound).max()])) if len(sound) else 0.0


def _levels(sound: Sound, size: int = RATE // 50) -> Sound:
    whole = sound[: max(size, len(sound) // size * size)]
    return np.asarray(np.sqrt(np.mean(np.resize(whole, (max(1, len(whole) // size), size)) ** 2, axis=1)) + 1e-9)


def at_level(sound: Sound, db: float) -> Sound:
    """Return `sound` so loud."""
    return sound * (10 ** (db / 20) / active(sound))


def trimmed(sound: Sound) -> Sound:
    """Return `sound` without the silence around it."""
    loud = (np.abs(sound) > 0.02 * np.abs(sound).max()).nonzero()[0]
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound


@dataclass(frozen=True)
class Corpus:
    clips: Sequence[Clip]
    crowd: Sequence[Sound]
    """Voices that murmur in the background."""

    @property
    def digest(self) -> str:
        """Names these very sounds."""
        digest = hashlib.sha256()
        for clip in self.clips:
            digest.update(np.round(clip.sound * 2048).astype("<i2").tobytes())
        return digest.hexdigest()[:16]

    def noise(self, clip: Clip, snr_db: float | None, seconds: float) -> Sound:
        """Return what is heard on the line of `clip` besides the caller. `None` is a line that is merely not dead."""
        chance = np.random.default_rng((SEED, clip.number, 7))
        size = round(seconds * RATE)
        if snr_db is None:
            return at_level(coloured(size, 100, 3800, chance), -72.0)
        made = murmur(size, list(self.crowd), chance) if clip.murmured else coloured(size, 60, 3800, chance, tilt=0.5)
        return at_level(made, clip.level_db - snr_db)

    def line(self, clip: Clip, snr_db: float | None) -> bytes:
        """Return the caller's side of the line: mu-law, 8 kHz."""
        mixed = self.noise(clip, snr_db, clip.end_s + TAIL_S)
        if clip.kind is not Kind.ECHO:
            at = round(clip.lead_s * RATE)
            mixed[at : at + len(clip.sound)] += clip.sound
        return coded(mixed)

    def detectable_s(self, clip: Clip, snr_db: float | None) -> float:
        """Return when the sound can be detected at all: the end of its first 20 ms that are neither more than 20 dB
        weaker than its loudest, nor weaker than the noise."""
        noise = active(self.noise(clip, snr_db, 1.0))
        levels = _levels(clip.sound)
        loud = (levels >= max(levels.max() * 0.1, noise)).nonzero()[0]
        return clip.lead_s + (int(loud[0]) + 1) * 0.02 if len(loud) else clip.lead_s


def coded(sound: Sound) -> bytes:
    """Write sound as mu-law."""
    return linear_to_mulaw((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())


# ------------------------------------------------------------------ how it is made


def build(count: int, told: Callable[[str], None] = lambda _: None) -> Corpus:
    """Make `count` clips of each kind."""
    recorded, ringing = voices.recorded(), voices.signals()
    for missing, found in (("human prompts", recorded), ("signals of a desktop", ringing)):
        if not found:
            told(f"no {missing}: {voices.PACKAGES}")
    makers: Mapping[Kind, Iterator[tuple[str, str, Sound]]] = {
        Kind.INTERRUPTION: _interruptions(recorded),
        Kind.BACKCHANNEL: _backchannels(recorded),
        Kind.NOISE: _noises(ringing),
        Kind.SIDE_TALK: _side_talk(recorded),
        Kind.ECHO: _echoes(),
    }
    clips: list[Clip] = []
    for kind, made in makers.items():
        for number, (name, source, sound) in enumerate(islice(made, count)):
            chance = np.random.default_rng((SEED, *kind.value.encode(), number))
            clips.append(_placed(len(clips), kind, name, source, sound, chance))
        told(f"{count} of {kind}")
    crowd = [trimmed(sound) for sound in recorded.values() if len(sound) > 2 * RATE]
    crowd += [clip.sound for clip in clips if clip.kind is Kind.SIDE_TALK]
    return Corpus(clips, [at_level(sound, -20) for sound in crowd[::3]])


def _placed(number: int, kind: Kind, name: str, source: str, sound: Sound, chance: Chance) -> Clip:
    level = chance.uniform(-30, -18)
    weaker = {Kind.NOISE: (-8.0, 12.0), Kind.SIDE_TALK: (12.0, 24.0), Kind.ECHO: (15.0, 40.0)}
    down = chance.uniform(*weaker.get(kind, (-1.0, 1.0)))
    lead, delay = LEAD_S + chance.uniform(0, 0.25), 0.0
    if kind is Kind.ECHO:
        lead, delay = 0.0, chance.uniform(0.03, 0.3)
        sound = np.full(round(7.0 * RATE), 10 ** (-down / 20))  # by how much the agent's own audio comes back weaker
    else:
        sound = at_level(trimmed(sound), level - down)
    return Clip(number, kind, name, source, sound, level, lead, delay)


def _varied(
    phrases: Sequence[str], among: Sequence[tuple[str, str]], chance: Chance
) -> Iterator[tuple[str, str, Sound]]:
    for text, voice in zip(cycle(phrases), cycle(among), strict=False):
        speed, pitch = round(chance.uniform(0.9, 1.25), 2), round(chance.uniform(0.88, 1.18), 2)
        sound = voices.speak(text, voice, speed=speed, pitch=pitch)
        yield text, f"{'/'.join(voice)}, speed {speed}, pitch {pitch}", sound


def _interruptions(recorded: Mapping[str, Sound]) -> Iterator[tuple[str, str, Sound]]:
    """Two of three are spoken by the voices at hand; one is a human's, who says something that no listener says."""
    chance = np.random.default_rng((SEED, 1))
    human = [(text, sound) for text, sound in recorded.items() if len(text.split()) > 2]
    order: Iterator[int] = iter(chance.permutation(len(human)).tolist())
    made = _varied(INTERRUPTIONS, voices.VOICES, chance)
    for turn in cycle(range(3)):
        if turn == 2 and (index := next(order, None)) is not None:
            yield human[index][0], "recorded", human[index][1]
        else:
            yield next(made)


def _backchannels(recorded: Mapping[str, Sound]) -> Iterator[tuple[str, str, Sound]]:
    """One of five is hummed; the recordings have a "thank you"."""
    chance = np.random.default_rng((SEED, 2))
    if (thanks := recorded.get("Thank you.")) is not None:
        yield "Thank you.", "recorded", thanks
    made = _varied(BACKCHANNELS, voices.VOICES, chance)
    for turn in cycle(range(5)):
        yield ("(hum)", "synthesised", hum(chance)) if turn == 4 else next(made)


def _noises(ringing: Mapping[str, Sound]) -> Iterator[tuple[str, str, Sound]]:
    """One of five is a signal of a desktop; the others are made."""
    chance = np.random.default_rng((SEED, 3))
    makers, recordings = cycle(NOISES.items()), cycle(ringing.items())
    for turn in cycle(range(5)):
        if turn == 4 and ringing:
            name, sound = next(recordings)
            yield name, "sound-theme-freedesktop", sound
        else:
            name, make = next(makers)
            yield name, "synthesised", make(chance)


def _side_talk(recorded: Mapping[str, Sound]) -> Iterator[tuple[str, str, Sound]]:
    """One of three is a human's."""
    chance = np.random.default_rng((SEED, 5))
    human = [(text, sound) for text, sound in recorded.items() if len(sound) > 1.5 * RATE]
    order: Iterator[int] = cycle(chance.permutation(len(human)).tolist())
    made = _varied(SIDE_TALK, voices.SIDE, chance)
    for turn in cycle(range(3)):
        if turn == 2 and (index := next(order, None)) is not None:
            yield human[index][0], "recorded", far_away(human[index][1], chance)
        else:
            text, source, sound = next(made)
            yield text, source, far_away(sound, chance)


def _echoes() -> Iterator[tuple[str, str, Sound]]:
    while True:
        yield "", "the agent", np.zeros(1)
