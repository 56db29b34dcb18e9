"""The real model, on the caller's lines of the demo, as they come out of the phone network."""

from __future__ import annotations

import wave
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soxr
from anyio import create_task_group, current_time, sleep

from agentvoice.audio import linear_to_mulaw, mulaw_to_linear
from agentvoice.errors import AssetUnavailable
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening
from agentvoice.interruption import PHONE
from agentvoice.plugins import load
from agentvoice.testing.contracts.recognizer import check_recognizer
from agentvoice.unfinished import Sounds, sounds
from agentvoice_vosk import Vosk

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


def line(name: str) -> bytes:
    """The line as it comes out of the telephone, with some silence around."""
    with wave.open(str(LINES / f"{name}.wav")) as file:
        return bytes(4800) + mulaw_to_linear(linear_to_mulaw(file.readframes(file.getnframes()))) + bytes(3200)


@pytest.fixture(scope="module")
def vosk() -> Vosk:
    recognizer = load("recognizer", "vosk")()
    assert isinstance(recognizer, Vosk)
    try:
        recognizer.prepare()
    except AssetUnavailable as error:
        pytest.skip(str(error))
    recognizer.prepare()  # twice is once
    return recognizer


async def hear(listening: Listening, pcm: bytes, *, sample_rate: int = 8000) -> list[Transcript]:
    """Feed one segment in frames; return all that is said of it."""
    frame = 2 * (sample_rate // 50)
    for at in range(0, len(pcm), frame):
        await listening.feed(pcm[at : at + frame])
    await listening.finalize()
    said: list[Transcript] = []
    while not (said and said[-1].final):
        said.append(await listening.transcripts.receive())
    return said


async def test_vosk_keeps_the_contract(vosk: Vosk) -> None:
    await check_recognizer(
        lambda: vosk, speech=line("when_do_you_close"), understood=lambda text: text == SAID["when_do_you_close"]
    )


async def test_the_lines_are_heard_with_a_word_or_two_wrong(vosk: Vosk) -> None:
    async with vosk.listen(8000) as listening:
        heard = {name: (await hear(listening, line(name)))[-1].text.split() for name in SAID}

    said = {name: text.split() for name, text in SAID.items()}
    right = sum(
        block.size for name in SAID for block in SequenceMatcher(None, said[name], heard[name]).get_matching_blocks()
    )
    words = sum(map(len, said.values()))
    assert right >= words - 4  # of 44; Kaldi adds noise of its own to what it hears, so that no two runs are alike
    assert sum(map(len, heard.values())) <= words + 2


async def test_words_come_as_they_are_spoken(vosk: Vosk) -> None:
    async with vosk.listen(8000) as listening:
        *partials, final = await hear(listening, line("table_for_two"))

    assert len(partials) >= 6
    assert partials[0].text in ("hello", "hello i")
    assert not any(partial.final for partial in partials)
    assert len(final.text) > len(partials[len(partials) // 2].text) > len(partials[0].text)


async def test_each_word_has_its_time_within_its_segment(vosk: Vosk) -> None:
    pcm = line("table_for_two")
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) > 1000) / 8000
    async with vosk.listen(8000) as listening:
        first, second = [(await hear(listening, pcm))[-1] for _ in range(2)]

    assert " ".join(word.word for word in second.words) == second.text
    assert second.words[0].start == pytest.approx(loud[0], abs=0.1)
    assert second.words[-1].end == pytest.approx(loud[-1], abs=0.2)
    assert [word.start for word in second.words] == pytest.approx([word.start for word in first.words], abs=0.031)
    assert all(before.end <= after.start + 0.001 for before, after in pairwise(second.words))
    assert second.confidence == min(word.confidence or 0 for word in second.words)


@pytest.mark.parametrize("sample_rate", [16000, 24000, 48000])
async def test_a_line_of_any_rate_is_heard(vosk: Vosk, sample_rate: int) -> None:
    samples = np.frombuffer(line("when_do_you_close"), "<i2").astype(np.float32)
    pcm = soxr.resample(samples, 8000, sample_rate).clip(-32768, 32767).astype("<i2").tobytes()
    async with vosk.listen(sample_rate) as listening:
        said = (await hear(listening, pcm, sample_rate=sample_rate))[-1]

    assert said.text == SAID["when_do_you_close"]


@pytest.mark.parametrize("sound", ["silence", "white", "hum", "keys"])
async def test_what_is_not_speech_says_nothing(vosk: Vosk, sound: str) -> None:
    time = np.arange(8000 * 3) / 8000
    samples = {
        "silence": np.zeros(time.size),
        "white": np.random.default_rng(5).normal(0, 3000, time.size),
        "hum": 3000 * np.sin(2 * np.pi * 50 * time),
        "keys": 8000 * (np.sin(2 * np.pi * 697 * time) + np.sin(2 * np.pi * 1209 * time)),
    }[sound]
    async with vosk.listen(8000) as listening:
        said = await hear(listening, samples.clip(-32768, 32767).astype("<i2").tobytes())

    assert [transcript.text for transcript in said] == [""]


@pytest.mark.parametrize("samples", [1, 80, 800])
async def test_a_segment_too_short_for_a_word_is_empty(vosk: Vosk, samples: int) -> None:
    pcm = line("good_evening")[8000:][: 2 * samples]
    async with vosk.listen(8000) as listening:
        assert [transcript.text for transcript in await hear(listening, pcm)] == [""]


async def test_the_event_loop_goes_on_while_vosk_works(vosk: Vosk) -> None:
    async with vosk.listen(8000) as listening, create_task_group() as group:
        ticks: list[float] = []

        async def tick() -> None:
            while True:
                ticks.append(current_time())
                await sleep(0.01)

        group.start_soon(tick)
        for _ in range(3):
            await hear(listening, line("table_for_two"))
        group.cancel_scope.cancel()

    assert np.median(np.diff(ticks)) < (ticks[-1] - ticks[0]) / 10


async def test_the_sound_of_a_listener_does_not_interrupt(vosk: Vosk) -> None:
    async with vosk.listen(8000) as listening:
        text = (await hear(listening, line("mm_hm")))[-1].text

    assert text
    assert not PHONE.interrupts(text)


async def test_endpointing_knows_from_the_bare_words_that_more_is_to_come(vosk: Vosk) -> None:
    pcm = line("table_for_two")
    async with vosk.listen(8000) as listening:
        whole = (await hear(listening, pcm))[-1]
        [two] = [word for word in whole.words if word.word == "two"]
        cut = (await hear(listening, pcm[: 2 * int(8000 * two.start)] + bytes(3200)))[-1]

    assert cut.text == "hello i would like to book a table for"
    assert sounds(cut.text, cut.language) is Sounds.UNFINISHED
    assert sounds(whole.text, whole.language) is Sounds.FINISHED
