"""How well and how soon each recogniser understands, beside the plain library on the same audio.

    python -m benchmarks.recognizers                      # those that are installed; a quarter of an hour
    python -m benchmarks.recognizers moonshine --prompts 568
    python -m benchmarks.recognizers vosk --lines 6 --prompts 0

Two sets, all 8 kHz mu-law: telephone sentences by a synthetic voice (fixed seed; clean, and with noise 20, 10 and 5 dB
below it), and real recordings of a woman who reads prompts (`apt install asterisk-core-sounds-en-wav
asterisk-core-sounds-en`). Word error rates are over the words of a whole set. CPU is that of the whole process, in
seconds for each second of audio. Partial and final latency are in real time, one sentence after the other: from the
first sound to the first partial transcript, and from the end of the segment to its final one.
"""

from __future__ import annotations

import argparse
import gzip
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import perf_counter, process_time
from typing import Any, Final

import anyio
import numpy as np
from anyio import sleep_until

from agentvoice import logs
from agentvoice.audio import mulaw_to_linear
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening, SpeechRecognizer
from agentvoice.plugins import installed, load
from agentvoice.trace.truth import word_errors

from .__main__ import percentile
from .selectivity.corpus import active, at_level, coded, trimmed
from .selectivity.sounds import RATE, Sound, coloured
from .selectivity.voices import PROMPTS, TEXTS, at_rate, speak

EMBEDDED: Final = ("moonshine", "vosk", "whisper")
LEVELS: Final = (None, 20.0, 10.0, 5.0)
SEED: Final = 7
FRAME: Final = 320  # bytes of 16-bit PCM in 20 ms
LEAD_S, TAIL_S = 0.3, 0.2
"""What hearing gives a recogniser around the speech: pre-roll, and the silence that made certain that it was over."""
LONGEST_S: Final = 12.0
IN_REAL_TIME: Final = 8
SENTENCES: Final = (
    "I would like to book a table for two people tomorrow evening.",
    "Can you tell me what time you open on Saturday?",
    "My name is Sarah Johnson, and I called you yesterday.",
    "Please cancel my order and send the refund to the same card.",
    "No, wait, make it four people instead of two.",
    "How much does the large pizza with extra cheese cost?",
    "I have been waiting for more than half an hour.",
    "Could you please repeat the last part?",
    "The number on the invoice is seven four one nine.",
    "Yes, that is correct, thank you very much.",
    "I would rather speak to a real person about this.",
    "Do you have anything available next Thursday afternoon?",
    "My internet connection has been down since this morning.",
    "What is the difference between the two plans?",
    "Is there a parking lot near the restaurant?",
    "I need to change the address on my account.",
    "When will the package arrive at my house?",
    "Sorry, I did not understand what you just said.",
    "We are celebrating a birthday, so a quiet table would be nice.",
    "One of us does not eat meat, and another is allergic to nuts.",
    "Let me think about it, and I will call you back.",
    "Could you send me a confirmation by text message?",
    "It was charged twice to my credit card last month.",
    "All right then, goodbye, and have a nice evening.",
)


@dataclass(frozen=True)
class Said:
    text: str
    pcm: bytes
    """16-bit, 8 kHz, through mu-law; with a little silence, or noise, around it."""
    starts_s: float

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / RATE


def sentences(count: int, snr_db: float | None) -> Sequence[Said]:
    return [_on_the_line(text, _spoken(text), snr_db, number) for number, text in enumerate(SENTENCES[:count])]


_made: dict[str, Sound] = {}


def _spoken(text: str) -> Sound:
    if text not in _made:
        _made[text] = at_level(trimmed(speak(text, ("piper", "joe"))), -24.0)
    return _made[text]


def _on_the_line(text: str, sound: Sound, snr_db: float | None, number: int) -> Said:
    chance = np.random.default_rng((SEED, number))
    lead, tail = round(LEAD_S * RATE), round(TAIL_S * RATE)
    line = coloured(lead + len(sound) + tail, 60, 3800, chance, tilt=0.5)
    line = at_level(line, -72.0 if snr_db is None else 20 * np.log10(active(sound)) - snr_db)
    line[lead : lead + len(sound)] += sound
    return Said(text, mulaw_to_linear(coded(line)), LEAD_S)


def prompts(count: int) -> Sequence[Said]:
    """Return real recordings of up to twelve seconds, every so many of them, the same each time."""
    found = list(_recordings()) if PROMPTS.exists() and TEXTS.exists() else []
    step = max(1, len(found) // count) if count else len(found) + 1
    return [_on_the_line(text, at_level(trimmed(sound), -24.0), None, 0) for text, sound in found[::step][:count]]


def _recordings() -> Iterator[tuple[str, Sound]]:
    for line in gzip.decompress(TEXTS.read_bytes()).decode("utf-8", "replace").splitlines():
        name, _, text = line.strip().partition(": ")
        path = PROMPTS / f"{name}.wav"
        if path.exists() and any(map(str.isalpha, text)) and not set(text) & set("[(<"):
            with wave.open(str(path)) as file:
                sound = at_rate(file.readframes(file.getnframes()), file.getframerate())
            if len(sound) / RATE <= LONGEST_S and np.abs(sound).max() > 0.01:
                yield text, sound


# ---------------------------------------------------------------------- by the framework


@dataclass
class Score:
    wrong: int = 0
    words: int = 0
    audio_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def error_rate(self) -> float:
        return self.wrong / self.words if self.words else float("nan")

    @property
    def load(self) -> float:
        return self.cpu_s / self.audio_s if self.audio_s else float("nan")


async def framework(recognizer: SpeechRecognizer, said: Sequence[Said]) -> Score:
    """Feed segment after segment as fast as they are understood."""
    score = Score()
    async with recognizer.listen(RATE) as listening:
        for each in said:
            began = process_time()
            await listening.feed(each.pcm)
            await listening.finalize()
            text = (await _final(listening)).text
            _count(score, each, text, process_time() - began)
    return score


def _count(score: Score, said: Said, text: str, cpu_s: float) -> None:
    wrong, words = word_errors(said.text, text)
    score.wrong, score.words = score.wrong + wrong, score.words + words
    score.audio_s, score.cpu_s = score.audio_s + said.seconds, score.cpu_s + cpu_s


async def _final(listening: Listening) -> Transcript:
    while not (transcript := await listening.transcripts.receive()).final:
        pass
    return transcript


async def latencies(recognizer: SpeechRecognizer, said: Sequence[Said]) -> tuple[list[float], list[float], float]:
    """Return seconds to the first partial transcripts and to the final ones, and CPU for each second of audio."""
    first, last, audio_s, began_cpu = list[float](), list[float](), 0.0, process_time()
    async with recognizer.listen(RATE) as listening:
        for each in said:
            began, audio_s = anyio.current_time(), audio_s + each.seconds
            partials: list[float] = []
            async with anyio.create_task_group() as group:
                finals = partial(_note, listening, partials)
                done = anyio.Event()
                group.start_soon(finals, done)
                for number, at in enumerate(range(0, len(each.pcm), FRAME)):
                    await sleep_until(began + number * 0.02)
                    await listening.feed(each.pcm[at : at + FRAME])
                ended = anyio.current_time()
                await listening.finalize()
                await done.wait()
                last.append(anyio.current_time() - ended)
            first += [at - began - each.starts_s for at in partials[:1]]
    return first, last, (process_time() - began_cpu) / audio_s


async def _note(listening: Listening, partials: list[float], done: anyio.Event) -> None:
    while not (transcript := await listening.transcripts.receive()).final:
        if transcript.text:
            partials.append(anyio.current_time())
    done.set()


# ---------------------------------------------------------------------- by the plain library


def plainly(name: str, said: Sequence[Said]) -> Score | None:
    """Do the same by the library that is underneath, with nothing of ours but its weights."""
    known = {"moonshine": _moonshine, "vosk": _vosk, "whisper": _whisper}
    make = known.get(name)
    if make is None:
        return None
    understand, score = make(), Score()
    for each in said:
        began = process_time()
        text = understand(each.pcm)
        _count(score, each, text, process_time() - began)
    return score


def _moonshine() -> Callable[[bytes], str]:
    from agentvoice.assets import ensure  # noqa: PLC0415
    from agentvoice_moonshine._model import Model  # noqa: PLC0415
    from agentvoice_moonshine._weights import DECODER, ENCODER, TOKENIZER, WEIGHTS  # noqa: PLC0415

    folder = ensure(WEIGHTS)
    model = Model(folder / ENCODER.name, folder / DECODER.name, folder / TOKENIZER.name)
    return lambda pcm: model(_wide(pcm)).text


def _vosk() -> Callable[[bytes], str]:
    import vosk  # noqa: PLC0415

    from agentvoice.assets import ensure  # noqa: PLC0415
    from agentvoice_vosk import ASSETS  # noqa: PLC0415

    vosk.SetLogLevel(-1)
    model: Any = vosk.Model(str(ensure(ASSETS[0])))

    recognizer = vosk.KaldiRecognizer(model, 16000)  # it fails at 8000

    def understand(pcm: bytes) -> str:
        recognizer.AcceptWaveform((_wide(pcm) * 32767).astype("<i2").tobytes())
        return str(recognizer.FinalResult().partition('"text" : "')[2].partition('"')[0])

    return understand


def _whisper() -> Callable[[bytes], str]:
    from faster_whisper import WhisperModel  # noqa: PLC0415

    from agentvoice.assets import ensure  # noqa: PLC0415
    from agentvoice_whisper import ASSETS  # noqa: PLC0415

    model: Any = WhisperModel(str(ensure(ASSETS[0])), compute_type="int8", cpu_threads=1)
    return lambda pcm: " ".join(part.text for part in model.transcribe(_wide(pcm), language="en")[0])


def _wide(pcm: bytes) -> Any:
    import soxr  # noqa: PLC0415

    return soxr.resample(np.frombuffer(pcm, "<i2").astype(np.float32) / 32768, RATE, 16000)


# ---------------------------------------------------------------------- the table


async def measure(name: str, lines: int, human: Sequence[Said]) -> None:
    recognizer = load("recognizer", name)()
    began = perf_counter()
    await anyio.to_thread.run_sync(recognizer.prepare)
    print(f"\n{name}: ready after {perf_counter() - began:.1f} s")
    print(f"  {'':24}{'words wrong':>12}{'plain':>9}{'CPU s/s':>10}{'plain':>9}")
    sets = [("clean" if level is None else f"noise {level:.0f} dB", sentences(lines, level)) for level in LEVELS]
    for title, said in [*sets, (f"{len(human)} people's prompts", human)]:
        if not said:
            continue
        ours, plain = await framework(recognizer, said), None
        with suppress(ImportError):
            plain = await anyio.to_thread.run_sync(plainly, name, said)
        wrong, load_ = (f"{plain.error_rate:.1%}", f"{plain.load:.3f}") if plain else ("-", "-")
        print(f"  {title:24}{ours.error_rate:12.1%}{wrong:>9}{ours.load:10.3f}{load_:>9}", flush=True)
    first, last, cpu = await latencies(recognizer, sentences(IN_REAL_TIME, None))
    shown = f"{percentile(first, 0.5):.2f} s" if first else "none"
    print(
        f"  first partial p50 {shown}; final p50 {percentile(last, 0.5) * 1e3:.0f} ms, slowest {max(last) * 1e3:.0f};"
    )
    print(f"  in real time, with its partials, {cpu:.3f} s of CPU a second of speech", flush=True)


async def run(names: Sequence[str], lines: int, count: int) -> None:
    human = prompts(count)
    if count and not human:
        print("no recordings of people: apt install asterisk-core-sounds-en-wav asterisk-core-sounds-en")
    for name in names:
        await measure(name, lines, human)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = [name for name in EMBEDDED if name in installed("recognizer")]
    parser.add_argument("names", nargs="*", default=here, help="recogniser plugins")
    parser.add_argument("--lines", type=int, default=len(SENTENCES), help="how many of the synthetic sentences")
    parser.add_argument("--prompts", type=int, default=150, help="how many of the recordings")
    asked = parser.parse_args()
    logs.configure(level="error", format="json")
    anyio.run(run, asked.names, asked.lines, asked.prompts)


if __name__ == "__main__":
    main()
