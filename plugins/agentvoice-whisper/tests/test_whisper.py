"""The real model, on the caller's lines of the demo, as they come out of the phone network."""

from __future__ import annotations

import os
import re
import threading
import wave
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from anyio import create_task_group, fail_after, sleep
from numpy.typing import NDArray

from agentvoice.assets import user_cache
from agentvoice.audio import linear_to_mulaw, mulaw_to_linear
from agentvoice.errors import UsageError
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening
from agentvoice.plugins import load
from agentvoice.testing.contracts.recognizer import check_recognizer
from agentvoice_whisper import Whisper
from agentvoice_whisper._model import Model
from agentvoice_whisper._samples import floats
from agentvoice_whisper._understood import Understood
from agentvoice_whisper._weights import BASE

pytestmark = [pytest.mark.anyio, pytest.mark.speech]

LINES = Path(__file__).parents[3] / "examples" / "caller" / "lines"
SAID = {
    "good_evening": "hi there good evening",
    "table_for_two": "hello i would like to book a table for two tonight at",
    "make_it_four": "no wait make it for people",  # "four": without a context both are right
    "yes_sarah_johnson": "yes that is right my name is sarah johnson",
    "when_do_you_close": "what time do you close",
    "thank_you_goodbye": "thank you very much goodbye",
    "okay": "okay",
    "right": "right",
}
RATE = 8000
needs_base = pytest.mark.skipif(
    not (user_cache(os.environ) / BASE.folder / "model.bin").exists(),
    reason="150 MB that nothing else here needs; fetched when AGENTVOICE_WHISPER_MODEL=base is used for the first time",
)


def words(text: str) -> str:
    return re.sub(r"[^a-z' ]", "", text.lower()).strip()


def line(name: str) -> bytes:
    """The line through mu-law, with a little silence around it."""
    with wave.open(str(LINES / f"{name}.wav")) as file:
        pcm = mulaw_to_linear(linear_to_mulaw(file.readframes(file.getnframes())))
    return bytes(4800) + pcm + bytes(3200)


@pytest.fixture(scope="module")
def tiny() -> Whisper:
    recognizer = load("recognizer", "whisper")()
    assert isinstance(recognizer, Whisper)
    recognizer.prepare()
    return recognizer


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MODEL", "LANGUAGE", "THREADS", "PARTIAL_EVERY_S"):
        monkeypatch.delenv(f"AGENTVOICE_WHISPER_{name}", raising=False)


async def final(listening: Listening, pcm: bytes) -> Transcript:
    await listening.feed(pcm)
    await listening.finalize()
    with fail_after(30):
        while not (transcript := await listening.transcripts.receive()).final:
            pass
    return transcript


@asynccontextmanager
async def hearing(recognizer: Whisper, sample_rate: int = RATE) -> AsyncIterator[Listening]:
    async with recognizer.listen(sample_rate) as listening:
        yield listening


async def test_whisper_keeps_the_contract(tiny: Whisper) -> None:
    await check_recognizer(
        lambda: tiny,
        speech=line("when_do_you_close"),
        understood=lambda text: words(text) == SAID["when_do_you_close"],
    )


async def test_every_line_is_heard_word_for_word(tiny: Whisper) -> None:
    async with hearing(tiny) as listening:
        heard = {name: words((await final(listening, line(name))).text) for name in SAID}

    assert heard == SAID


async def test_words_have_their_times_and_the_text_its_confidence(tiny: Whisper) -> None:
    async with hearing(tiny) as listening:
        said = await final(listening, line("yes_sarah_johnson"))

    assert " ".join(word.word for word in said.words) == said.text
    starts = [word.start for word in said.words]
    assert starts == sorted(starts)
    assert starts[0] == pytest.approx(0.33, abs=0.1), "0.3 s of silence come first"
    assert said.words[-1].end == pytest.approx(2.7, abs=0.2)
    assert all(word.confidence is not None and word.confidence > 0.6 for word in said.words)
    assert said.confidence == pytest.approx(0.93, abs=0.04)
    assert said.language == "en"


async def test_the_end_of_a_text_counts_for_its_confidence(tiny: Whisper) -> None:
    async with hearing(tiny) as listening:
        assert (await final(listening, line("right"))).confidence == pytest.approx(0.835, abs=0.05)


@pytest.mark.parametrize("noise", ["silence", "white", "hum", "clipping", "clicks", "offset"])
async def test_noise_says_nothing(tiny: Whisper, noise: str) -> None:
    time = np.arange(RATE * 2) / RATE
    random = np.random.default_rng(5)
    samples = {
        "silence": np.zeros(time.size),
        "white": random.normal(0, 3000, time.size),
        "hum": 3000 * np.sin(2 * np.pi * 50 * time),
        "clipping": 32767 * np.sign(np.sin(2 * np.pi * 440 * time)),
        "clicks": np.where(np.arange(time.size) % RATE < 20, 16000, 0) + random.normal(0, 30, time.size),
        "offset": np.full(time.size, 16000),
    }[noise]
    async with hearing(tiny) as listening:
        assert await final(listening, samples.clip(-32768, 32767).astype("<i2").tobytes()) == Transcript("", final=True)


async def test_a_cough_says_nothing(tiny: Whisper) -> None:
    async with hearing(tiny) as listening:
        assert (await final(listening, line("cough"))).text == ""


async def test_speech_is_heard_through_noise(tiny: Whisper) -> None:
    speech = np.frombuffer(line("yes_sarah_johnson"), "<i2").astype(np.float32)
    loud = float(np.sqrt(np.mean(speech**2)))
    noisy = speech + np.random.default_rng(5).normal(0, loud / 10 ** (10 / 20), speech.size)  # 10 dB
    async with hearing(tiny) as listening:
        said = await final(listening, noisy.clip(-32768, 32767).astype("<i2").tobytes())

    assert words(said.text) == SAID["yes_sarah_johnson"]


async def test_what_is_said_again_and_again_is_heard_as_often(tiny: Whisper) -> None:
    async with hearing(tiny) as listening:
        said = await final(listening, line("when_do_you_close") * 4)

    assert words(said.text) == " ".join([SAID["when_do_you_close"]] * 4)
    assert len(said.words) == 4 * 5


def test_a_loop_is_looked_into_once_more(tiny: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny._model
    assert model is not None
    looks: list[float] = []
    look = model._look

    def looping(samples: NDArray[np.float32], filled_s: float, check: Callable[[], None]) -> Understood:
        looks.append(filled_s)
        if filled_s < 30:
            return Understood("Okay. " * 20, likely=-0.1, silent=0.1)
        return look(samples, filled_s, check)

    monkeypatch.setattr(model, "_look", looping)

    assert model(floats(line("okay"), RATE)).text == "Okay."
    assert looks == [12.0, 30.0]


def test_a_text_that_goes_on_for_longer_than_anybody_speaks_has_no_end(
    tiny: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tiny._model is not None
    samples = floats(line("yes_sarah_johnson"), RATE)
    assert tiny._model(samples).ended

    monkeypatch.setattr("agentvoice_whisper._model._TOKENS_PER_SECOND", 1)
    assert not tiny._model(samples).ended
    assert tiny._model(samples).transcript().text == ""


async def test_who_talks_without_an_end_is_heard_to_the_end(tiny: Whisper) -> None:
    names = [*SAID, *reversed(SAID)]
    speech = b"".join(line(name) for name in names)
    async with hearing(tiny) as listening:
        said = await final(listening, speech)

    missed = Counter(" ".join(SAID[name] for name in names).split()) - Counter(words(said.text).split())
    assert len(speech) / 2 / RATE > 35
    assert missed.total() <= 3
    assert words(said.text).endswith("good evening")
    assert said.words[-1].end == pytest.approx(len(speech) / 2 / RATE, abs=0.5)


@pytest.mark.parametrize("sample_rate", [16000, 48000])
async def test_other_sample_rates_are_heard_as_well(tiny: Whisper, sample_rate: int) -> None:
    samples = np.frombuffer(line("when_do_you_close"), "<i2")
    async with hearing(tiny, sample_rate) as listening:
        said = await final(listening, np.repeat(samples, sample_rate // RATE).tobytes())

    assert words(said.text) == SAID["when_do_you_close"]


async def test_frames_of_odd_sizes_are_put_together(tiny: Whisper) -> None:
    pcm = line("when_do_you_close") + b"x"
    async with hearing(tiny) as listening:
        for at in range(0, len(pcm), 333):
            await listening.feed(pcm[at : at + 333])
        said = await final(listening, b"")

    assert words(said.text) == SAID["when_do_you_close"]


async def test_the_event_loop_goes_on_while_the_model_works(tiny: Whisper) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await sleep(0.01)
            beats += 1

    async with hearing(tiny) as listening, create_task_group() as group:
        group.start_soon(beat)
        await final(listening, line("table_for_two"))
        group.cancel_scope.cancel()

    assert beats >= 5


async def test_partial_transcripts_come_while_somebody_speaks() -> None:
    recognizer = Whisper(partial_every_s=1.0)
    partial: list[str] = []
    async with hearing(recognizer) as listening:
        await listening.feed(line("table_for_two"))
        with fail_after(10):
            partial.append((await listening.transcripts.receive()).text)
        said = await final(listening, b"")

    assert words(partial[0]).startswith("hello i would like")
    assert words(said.text) == SAID["table_for_two"]


async def test_what_nobody_waits_for_any_more_is_not_finished(tiny: Whisper) -> None:
    asked = 0

    def nobody_waits() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise TimeoutError

    assert tiny._model is not None
    with pytest.raises(TimeoutError):
        tiny._model(np.zeros(16000, np.float32), nobody_waits)


class Busy:
    """Stands for the model, and counts who uses it at the same time."""

    def __init__(self) -> None:
        self.users = self.most = 0
        self._company = threading.Event()

    def __call__(self, samples: NDArray[np.float32], check: Callable[[], None]) -> Understood:
        self.users += 1
        self.most = max(self.users, self.most)
        if self.users > 1:
            self._company.set()
        self._company.wait(0.1)
        self.users -= 1
        return Understood("Yes.", likely=-0.1, silent=0.1)


async def test_one_call_at_a_time_uses_the_model() -> None:
    recognizer, busy = Whisper(), Busy()
    recognizer._model = cast("Model", busy)

    async def call() -> None:
        async with hearing(recognizer) as listening:
            assert (await final(listening, line("okay"))).text == "Yes."

    async with create_task_group() as group:
        for _ in range(3):
            group.start_soon(call)

    assert busy.most == 1


# ------------------------------------------------------------------ other models, and settings


def test_a_language_that_the_model_does_not_know_is_told_at_once() -> None:
    with pytest.raises(UsageError, match=r"does not know the language 'de'; set AGENTVOICE_WHISPER_MODEL=base"):
        Whisper(language="de").prepare()


@pytest.mark.parametrize(
    ("name", "value"), [("MODEL", "huge"), ("LANGUAGE", "English"), ("THREADS", "0"), ("PARTIAL_EVERY_S", "-1")]
)
def test_a_wrong_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"AGENTVOICE_WHISPER_{name}", value)
    with pytest.raises(UsageError, match=f"AGENTVOICE_WHISPER_{name}='{value}'"):
        Whisper()


@needs_base
async def test_base_hears_the_lines_and_finds_out_their_language() -> None:
    recognizer = Whisper(model="base", language="auto")
    async with hearing(recognizer) as listening:
        said = await final(listening, line("yes_sarah_johnson"))
        nothing = await final(listening, bytes(4 * RATE))

    assert (words(said.text), said.language) == (SAID["yes_sarah_johnson"], "en")
    assert nothing.text == ""


@needs_base
def test_base_knows_its_languages() -> None:
    Whisper(model="base", language="de").prepare()
    with pytest.raises(UsageError, match="does not know the language 'tlh'"):
        Whisper(model="base", language="tlh").prepare()
