"""The real model, on the caller's lines of the demo, as they come out of the phone network."""

from __future__ import annotations

import re
import wave
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from anyio import create_task_group, current_time, sleep_until

from agentvoice.audio import TELEPHONE, linear_to_mulaw, mulaw_to_linear
from agentvoice.events import CallerAudio, Event, SpeechStarted, SpeechStopped, Transcript
from agentvoice.hearing import Hearing
from agentvoice.plugins import load
from agentvoice.testing.contracts.recognizer import check_recognizer
from agentvoice_moonshine import Moonshine

pytestmark = [pytest.mark.anyio, pytest.mark.speech]

LINES = Path(__file__).parents[3] / "examples" / "caller" / "lines"
SAID = {
    "good_evening": "hi there good evening",
    "table_for_two": "hello i would like to book a table for two tonight at seven",
    "make_it_four": "no wait make it four people",
    "yes_sarah_johnson": "yes that is right my name is sarah johnson",
    "when_do_you_close": "what time do you close",
    "thank_you_goodbye": "thank you very much goodbye",
    "okay": "okay",
    "right": "right",
}


CONVERSATION = ("good_evening", "table_for_two", "make_it_four", "thank_you_goodbye")


def words(text: str) -> str:
    return re.sub(r"[^a-z' ]", "", text.lower())


def line(name: str) -> bytes:
    """The line as mu-law, in whole frames."""
    with wave.open(str(LINES / f"{name}.wav")) as file:
        audio = linear_to_mulaw(file.readframes(file.getnframes()))
    return audio.ljust(-(-len(audio) // 160) * 160, b"\xff")


def moonshine() -> Moonshine:
    recognizer = load("recognizer", "moonshine")()
    assert isinstance(recognizer, Moonshine)
    recognizer.prepare()
    return recognizer


async def test_moonshine_keeps_the_contract() -> None:
    await check_recognizer(
        moonshine,
        speech=bytes(4800) + mulaw_to_linear(line("when_do_you_close")) + bytes(3200),
        understood=lambda text: words(text) == SAID["when_do_you_close"],
    )


@pytest.mark.parametrize("name", SAID)
async def test_every_line_is_heard_word_for_word(name: str) -> None:
    async with moonshine().listen(8000) as listening:
        await listening.feed(bytes(4800) + mulaw_to_linear(line(name)) + bytes(3200))
        await listening.finalize()
        async for transcript in listening.transcripts:
            if transcript.final:
                break

    assert words(transcript.text) == SAID[name]


@pytest.mark.parametrize("noise", ["white", "hum", "clipping"])
async def test_noise_says_nothing_much_and_comes_to_an_end(noise: str) -> None:
    time = np.arange(8000 * 5) / 8000
    samples = {
        "white": np.random.default_rng(5).normal(0, 3000, time.size),
        "hum": 3000 * np.sin(2 * np.pi * 50 * time),
        "clipping": 32767 * np.sign(np.sin(2 * np.pi * 440 * time)),
    }[noise]
    async with moonshine().listen(8000) as listening:
        await listening.feed(samples.clip(-32768, 32767).astype("<i2").tobytes())
        await listening.finalize()
        async for transcript in listening.transcripts:
            if transcript.final:
                break

    assert len(transcript.text.split()) <= 6


async def test_a_whole_conversation_is_heard_word_for_word_in_real_time() -> None:
    pytest.importorskip("agentvoice_silero")
    activity = load("vad", "silero")()
    activity.prepare()
    events: list[tuple[float, Event]] = []
    hearing = Hearing(activity, moonshine(), TELEPHONE, lambda event: events.append((current_time(), event)))
    began, frames = current_time(), 0
    onsets: list[float] = []

    async with create_task_group() as group:
        group.start_soon(hearing.run)
        for name in CONVERSATION:
            onsets.append(frames * 0.02 + first_sound(line(name)))
            audio = line(name) + b"\xff" * 8000
            for at in range(0, len(audio), 160):
                frames += 1
                await sleep_until(began + frames * 0.02)
                hearing.feed(CallerAudio(audio[at : at + 160], (frames - 1) * 160))
        group.cancel_scope.cancel()

    starts = [at - began for at, event in events if isinstance(event, SpeechStarted)]
    stops = [at for at, event in events if isinstance(event, SpeechStopped)]
    finals = [(at, event) for at, event in events if isinstance(event, Transcript) and event.final]
    assert [words(final.text) for _, final in finals] == [SAID[name] for name in CONVERSATION]
    # Idle, this machine takes 0.1 s for each of the two; a test that shares it with others must not be so strict.
    assert median(start - onset for start, onset in zip(starts, onsets, strict=True)) <= 0.3
    assert median(at - stop for (at, _), stop in zip(finals, stops, strict=True)) <= 0.8
    assert sum(isinstance(event, Transcript) and not event.final for _, event in events) >= 2 * len(CONVERSATION)


def first_sound(audio: bytes) -> float:
    """When the line is first loud, in seconds."""
    samples = np.abs(np.frombuffer(mulaw_to_linear(audio), "<i2").astype(np.int32))
    return float(np.argmax(samples > 0.05 * samples.max())) / 8000
