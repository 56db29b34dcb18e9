"""The voices at hand, and what recordings the machine has: everything becomes mono sound at the telephone's rate."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import wave
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import onnxruntime
import soxr

from agentvoice.interfaces import SpeechEngine

from .sounds import RATE, Sound

PROMPTS: Final = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
"""568 prompts of telephone systems, spoken by one woman: the package asterisk-core-sounds-en-wav (CC-BY-SA-3.0)."""
TEXTS: Final = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
THEME: Final = Path("/usr/share/sounds/freedesktop/stereo")
"""Signals of a desktop: the package sound-theme-freedesktop (CC-BY-SA and other free licences); sox reads them."""
PACKAGES: Final = "apt install asterisk-core-sounds-en-wav asterisk-core-sounds-en sound-theme-freedesktop sox"

_PICO_US, _PICO_GB, _JOE = ("pico", "en-US"), ("pico", "en-GB"), ("piper", "joe")
VOICES: Final = (
    ("kokoro", "af_heart"), _PICO_US, _JOE, ("kokoro", "am_michael"), _PICO_GB, _JOE,
    ("kokoro", "af_bella"), _PICO_US, _JOE, ("kokoro", "am_fenrir"), _PICO_GB,
)  # fmt: skip
"""Who speaks, in turn: Kokoro sounds best, and takes longest."""
SIDE: Final = (_PICO_US, _PICO_GB, _JOE)
"""The quick ones, for what is long."""


Word: TypeAlias = tuple[str, float, float]
"""A word, and from when to when it is said, in seconds."""


@cache
def _engine(name: str) -> SpeechEngine:
    onnxruntime.set_seed(1)  # Piper's voices are drawn by lot
    match name:
        case "kokoro":
            from agentvoice_kokoro import KokoroEngine  # noqa: PLC0415

            engine: SpeechEngine = KokoroEngine(threads=1)
        case "pico":
            from agentvoice_pico import PicoEngine  # noqa: PLC0415

            engine = PicoEngine()
        case _:
            from agentvoice_piper import PiperEngine  # noqa: PLC0415

            engine = PiperEngine()
    engine.prepare()
    return engine


def speak(text: str, voice: tuple[str, str], *, speed: float = 1.0, pitch: float = 1.0) -> Sound:
    """Speak `text`. A `pitch` of 1.1 is what a smaller throat makes: formants move with it."""
    return spoken(text, voice, speed=speed, pitch=pitch)[0]


def spoken(
    text: str, voice: tuple[str, str], *, speed: float = 1.0, pitch: float = 1.0
) -> tuple[Sound, Sequence[Word]]:
    """Speak `text` likewise, and tell when each word is said."""
    engine = _engine(voice[0])
    rate = engine.sample_rate(voice[1], 16000)
    pieces = list(engine.synthesize(text, voice=voice[1], speed=speed / pitch, sample_rate=rate))
    words = [(word.word, word.start_s / pitch, word.end_s / pitch) for piece in pieces for word in piece.words]
    return at_rate(b"".join(piece.pcm for piece in pieces), rate * pitch), words


def spoken_by_agent(text: str) -> tuple[Sound, Sequence[Word]]:
    """Return the agent's own voice, and when it says each word."""
    engine, at_s = _engine("piper"), 0.0
    pcm, words = b"", []
    for piece in engine.synthesize(text, voice="joe", speed=1.0, sample_rate=22050):
        pcm += piece.pcm
        words += [(word.word, at_s + word.start_s, at_s + word.end_s) for word in piece.words]
    return at_rate(pcm, 22050), words


def at_rate(pcm: bytes, rate: float) -> Sound:
    """Bring 16-bit PCM to the telephone's rate."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64) / 32768
    return np.asarray(soxr.resample(samples, rate, RATE))


def recorded() -> dict[str, Sound]:
    """Return the human prompts by their texts: whole phrases of 0.4 to 4 seconds."""
    if not (PROMPTS.exists() and TEXTS.exists()):
        return {}
    prompts: dict[str, Sound] = {}
    lines = gzip.decompress(TEXTS.read_bytes()).decode("utf-8", "replace").splitlines()
    for line in lines:
        name, _, text = line.strip().partition(": ")
        path = PROMPTS / f"{name}.wav"
        if re.fullmatch(r"[A-Za-z][A-Za-z',.!? -]+", text.strip()) and path.exists():
            with wave.open(str(path)) as file:
                sound = at_rate(file.readframes(file.getnframes()), file.getframerate())
            if 0.4 <= len(sound) / RATE <= 4.0:
                prompts.setdefault(text.strip(), sound)
    return prompts


def signals() -> dict[str, Sound]:
    """Return what a desktop rings and beeps with, by name: 0.1 to 3 seconds of each."""
    found = sorted(THEME.glob("*.oga")) if shutil.which("sox") else []
    sounds = {}
    for path in found:
        if not path.stem.startswith("audio-channel"):  # those are words
            command = ["sox", str(path), "-r", str(RATE), "-c", "1", "-b", "16", "-t", "raw", "-D", "-"]
            pcm = subprocess.run(command, capture_output=True, check=True).stdout
            sound = at_rate(pcm, RATE)[: 3 * RATE]
            if len(sound) > RATE // 10 and np.abs(sound).max() > 0.01:
                sounds[path.stem] = sound
    return sounds
