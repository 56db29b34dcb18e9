"""Sounds that nobody spoke, made by numpy from a seed: coughs, breath, doors, keys, hums of assent, noise to add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE: Final = 8000
"""All sound here is mono, floats between -1 and 1, at the telephone's rate."""

Sound: TypeAlias = NDArray[np.float64]
Chance: TypeAlias = np.random.Generator


def coloured(size: int, low: float, high: float, chance: Chance, *, tilt: float = 0.0) -> Sound:
    """Return noise between two frequencies in Hz, whose amplitude falls with frequency to the power of `tilt`."""
    spectrum = np.fft.rfft(chance.standard_normal(max(size, 2)))
    frequencies = np.fft.rfftfreq(max(size, 2), 1 / RATE)
    shape = np.where((frequencies >= low) & (frequencies <= high), np.maximum(frequencies, 30.0) ** -tilt, 0.0)
    noise: Sound = np.fft.irfft(spectrum * shape, max(size, 2))[:size]
    return np.asarray(noise / (np.abs(noise).max() + 1e-12))


def resonant(sound: Sound, formants: tuple[float, ...], width: float = 120.0) -> Sound:
    """Return `sound` as a throat with resonances at `formants`, in Hz, lets it through."""
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE)
    gain = sum(np.exp(-(((frequencies - f) / width) ** 2)) / (n + 1) for n, f in enumerate(formants))
    return np.asarray(np.fft.irfft(np.fft.rfft(sound) * (0.03 + gain), len(sound)))


def _decay(size: int, attack_s: float, decay_s: float) -> Sound:
    t = np.arange(size) / RATE
    return np.asarray(np.minimum(t / attack_s, 1.0) * np.exp(-t / decay_s))


def _bursts(chance: Chance, count: int, gap: tuple[float, float], burst: Callable[[], Sound]) -> Sound:
    parts: list[Sound] = []
    for _ in range(count):
        parts += [burst(), np.zeros(int(chance.uniform(*gap) * RATE))]
    return np.concatenate(parts[:-1])


def cough(chance: Chance) -> Sound:
    """A cough: one to three explosions of air through a throat, the last with some voice behind it."""
    formants = tuple(np.array((600.0, 1200.0, 2400.0)) * chance.uniform(0.85, 1.15))

    def burst() -> Sound:
        size = int(chance.uniform(0.12, 0.28) * RATE)
        air = resonant(coloured(size, 150, 3600, chance, tilt=0.3), formants, 250.0) * _decay(size, 0.008, 0.07)
        voice = glottal(np.full(size, chance.uniform(110, 220)), chance) * _decay(size, 0.05, 0.06)
        return np.asarray(air / np.abs(air).max() + chance.uniform(0, 0.35) * resonant(voice, formants))

    return _bursts(chance, int(chance.integers(1, 4)), (0.05, 0.22), burst)


def throat(chance: Chance) -> Sound:
    """Somebody clears the throat: a creak, and noise."""
    size = int(chance.uniform(0.3, 0.7) * RATE)
    creak = glottal(np.full(size, chance.uniform(50, 90)), chance, jitter=0.15)
    sound = resonant(creak, (500.0, 1100.0, 2300.0)) + 0.5 * coloured(size, 200, 3000, chance, tilt=0.5)
    return np.asarray(sound * np.hanning(size) ** 0.5)


def breath(chance: Chance) -> Sound:
    """A breath, close to the microphone."""
    size = int(chance.uniform(0.4, 1.4) * RATE)
    return coloured(size, 200, 3400, chance, tilt=0.6) * np.hanning(size) ** 1.5


def door(chance: Chance) -> Sound:
    """A door slams."""
    size = int(chance.uniform(0.25, 0.6) * RATE)
    thud = coloured(size, 60, 400, chance) * _decay(size, 0.003, 0.08)
    return thud + 0.5 * coloured(size, 300, 3500, chance, tilt=0.7) * _decay(size, 0.002, 0.04)


def keyboard(chance: Chance) -> Sound:
    """Somebody types."""

    def burst() -> Sound:
        size = int(0.03 * RATE)
        return coloured(size, 800, 3900, chance) * _decay(size, 0.001, 0.006) * chance.uniform(0.4, 1.0)

    return _bursts(chance, int(chance.integers(8, 25)), (0.05, 0.2), burst)


def rustle(chance: Chance) -> Sound:
    """Paper, or a sleeve over the microphone."""
    size = int(chance.uniform(0.5, 1.5) * RATE)
    moments = np.arange(0, size + 400, 400)
    slow = np.interp(np.arange(size), moments, chance.uniform(0, 1, len(moments)))
    return coloured(size, 300, 3900, chance, tilt=0.2) * slow**2


def knock(chance: Chance) -> Sound:
    """A knock on wood, twice or more; a cup put down."""
    pitch = chance.uniform(250, 900)

    def burst() -> Sound:
        size = int(0.12 * RATE)
        ring = np.sin(2 * np.pi * pitch * np.arange(size) / RATE) * _decay(size, 0.001, 0.02)
        return ring + 0.4 * coloured(size, 100, 3500, chance) * _decay(size, 0.001, 0.008)

    return _bursts(chance, int(chance.integers(1, 5)), (0.08, 0.25), burst)


def engine(chance: Chance) -> Sound:
    """A lorry goes by."""
    size = int(chance.uniform(1.0, 2.5) * RATE)
    rumble = coloured(size, 60, 900, chance, tilt=1.0)
    hum = np.sin(2 * np.pi * np.cumsum(np.linspace(90, 110, size)) / RATE)
    return np.asarray((rumble + 0.3 * hum) * np.hanning(size))


def horn(chance: Chance) -> Sound:
    """A car's horn, two tones."""
    size = int(chance.uniform(0.25, 0.9) * RATE)
    t = np.arange(size) / RATE
    low = chance.uniform(350, 450)
    tones = sum(np.sin(2 * np.pi * low * ratio * n * t) / n for ratio in (1.0, 1.26) for n in (1, 2, 3))
    return np.asarray(tones) * np.minimum(1, np.minimum(t, t[::-1]) / 0.02)


def laugh(chance: Chance) -> Sound:
    """A short laugh, without words."""
    pitch, formants = chance.uniform(150, 320), (750.0, 1250.0, 2600.0)

    def burst() -> Sound:
        size = int(chance.uniform(0.08, 0.13) * RATE)
        voice = resonant(glottal(np.full(size, pitch * chance.uniform(0.9, 1.1)), chance), formants)
        air = coloured(size, 400, 3500, chance, tilt=0.4)
        return np.asarray((voice / (np.abs(voice).max() + 1e-9) + 0.4 * air) * np.hanning(size))

    return _bursts(chance, int(chance.integers(2, 6)), (0.05, 0.1), burst)


NOISES: Final[Mapping[str, Callable[[Chance], Sound]]] = {
    made.__name__: made for made in (cough, throat, breath, door, keyboard, rustle, knock, engine, horn, laugh)
}


def glottal(pitch: Sound, chance: Chance, *, jitter: float = 0.01) -> Sound:
    """Return a voice's source, before the mouth: a pulse train whose pitch in Hz is given for each sample."""
    phase = np.cumsum(pitch * (1 + jitter * chance.standard_normal(len(pitch)))) / RATE
    saw: Sound = 2 * (phase % 1.0) - 1
    return np.asarray(np.convolve(saw, np.ones(4) / 4, "same"))


def hum(chance: Chance) -> Sound:
    """A hum of assent, "mm-hm": one or two nasal syllables, the second higher, with some breath between them."""
    pitch, parts = chance.uniform(95, 240), []
    for lift in ((1.0, 1.25), (1.0,), (1.15, 0.95))[chance.integers(3)]:
        size = int(chance.uniform(0.13, 0.28) * RATE)
        bend = np.linspace(pitch * lift * 0.96, pitch * lift * 1.04, size)
        voice = resonant(glottal(bend, chance), (270.0, 1000.0, 2200.0)) * np.hanning(size) ** 0.4
        parts += [voice, 0.02 * coloured(int(0.05 * RATE), 200, 3000, chance)]
    return np.concatenate(parts)


def murmur(size: int, voices: list[Sound], chance: Chance) -> Sound:
    """Return `size` samples of many voices at once, none of which can be understood: a full restaurant."""
    total = np.zeros(size)
    for _ in range(12):
        voice = voices[chance.integers(len(voices))]
        total += np.resize(np.roll(voice, chance.integers(len(voice))), size) * chance.uniform(0.5, 1.0)
    return total


def far_away(sound: Sound, chance: Chance) -> Sound:
    """Return `sound` as it comes from across a room: dull, and with the room's reverberation."""
    size = int(chance.uniform(0.15, 0.35) * RATE)
    room = chance.standard_normal(size) * np.exp(-np.arange(size) / RATE / chance.uniform(0.05, 0.12)) * 0.25
    room[0] = 1.0
    spread = np.convolve(sound, room)
    frequencies = np.fft.rfftfreq(len(spread), 1 / RATE)
    dull = 1 / (1 + (frequencies / chance.uniform(1100, 2400)) ** 4)
    return np.asarray(np.fft.irfft(np.fft.rfft(spread) * dull, len(spread)))
