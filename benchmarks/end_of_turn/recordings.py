"""What people said: prompts of telephone systems, in which they pause where they would."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import wave
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, pairwise
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from benchmarks.selectivity import voices
from benchmarks.selectivity.corpus import trimmed
from benchmarks.selectivity.sounds import RATE, Sound

PACKAGES: Final = ("asterisk-core-sounds-en-wav", "asterisk-core-sounds-en")
"""568 prompts, spoken by one woman, and what they say (CC-BY-SA-3.0)."""
GAP_S: Final = 0.12
"""A silence so long inside a recording is a pause that the speaker made there."""

Said: TypeAlias = Sequence[tuple[str, Sound]]
"""Texts and sounds of the parts of a contribution."""

_WORDS: Final = re.compile(r"[A-Za-z][A-Za-z0-9',.;!? -]*[a-z0-9.!?]")
_SENTENCE: Final = re.compile(r"(?!To |Followed |From )[A-Z].*(?:[.,!?]|\d.*)")
_PRESS: Final = re.compile("press", re.IGNORECASE)


def prompts(cache: Path, told: Callable[[str], None]) -> Sequence[tuple[str, Path]]:
    """Return recordings and what they say; taken from Debian's archive once, where they are not installed."""
    for root in (Path("/"), cache):
        if found := _found(root):
            return found
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        told("no recordings of people: they are in two packages of Debian, and this is another system")
        return []
    cache.mkdir(parents=True, exist_ok=True)
    fetched = subprocess.run(["apt-get", "download", *PACKAGES], check=False, cwd=cache, capture_output=True)
    if fetched.returncode:
        told(f"no recordings of people: apt-get could not download {' and '.join(PACKAGES)}; try apt-get update first")
        return []
    for package in cache.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package.name, "."], cwd=cache, check=True)
    return _found(cache)


def _found(root: Path) -> Sequence[tuple[str, Path]]:
    texts = root / voices.TEXTS.relative_to("/")
    folder = root / voices.PROMPTS.relative_to("/")
    if not (texts.exists() and folder.exists()):
        return []
    lines = gzip.decompress(texts.read_bytes()).decode("utf-8", "replace").splitlines()
    named = (
        (text.strip(), folder / f"{name.strip()}.wav") for name, _, text in (line.partition(": ") for line in lines)
    )
    return [(text, path) for text, path in named if path.exists()]


def recorded(prompts: Sequence[tuple[str, Path]]) -> Iterator[Said]:
    """Yield what sounds like a whole contribution: with a pause wherever the text has a mark, and nowhere else.

    What trails off goes on with what there is to press.
    """
    found = [said for text, path in prompts for said in _parted(text, path)]
    going_on = cycle([said for said in found if _PRESS.match(said[0][0]) and not _trails_off(said)])
    for said in found:
        if _trails_off(said):
            yield [*said, *next(going_on)]
        elif _SENTENCE.fullmatch(said[0][0]) and _SENTENCE.fullmatch(said[-1][0].capitalize()):
            yield said


def _parted(text: str, path: Path) -> Iterator[Said]:
    parts = [part for part in re.split(r"(?<=[.,;])\s+(?=\w)", text) if part]
    if len(text.split()) < 4 or len(parts) > 3 or not _WORDS.fullmatch(text):
        return
    with wave.open(str(path)) as file:
        sound = trimmed(voices.at_rate(file.readframes(file.getnframes()), file.getframerate()))
    gaps = silences(sound)
    if len(gaps) == len(parts) - 1 and len(sound) < 8 * RATE:
        yield cut(parts, sound, [0, *gaps, len(sound)])


def _trails_off(said: Said) -> bool:
    return said[-1][0].endswith("...")


def silences(sound: Sound) -> Sequence[int]:
    """Return the middles of the pauses in a recording."""
    size = RATE // 100
    frames = sound[: len(sound) // size * size].reshape(-1, size)
    quiet = np.abs(frames).max(axis=1) < 0.03 * np.abs(sound).max()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(int), [0]))))
    return [int(start + end) * size // 2 for start, end in edges.reshape(-1, 2) if end - start >= GAP_S * RATE / size]


def cut(texts: Sequence[str], sound: Sound, places: Sequence[int]) -> Said:
    """Return what is said between two places each, without the silence around it."""
    return [(text, trimmed(sound[start:end])) for text, (start, end) in zip(texts, pairwise(places), strict=True)]
