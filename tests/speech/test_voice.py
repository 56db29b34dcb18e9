"""The tone engine, and what becomes of an engine's speech on its way to a client."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from agentvoice.audio import AudioFormat, Encoding, from_linear, to_linear
from agentvoice.interfaces import SpokenPiece
from agentvoice.speech.convert import Spoken, Utterance, encode, speak, warm_up
from agentvoice.speech.tone import GAP_S, ToneEngine, pitch, seconds

S16 = AudioFormat(Encoding.S16LE, 16000)


def utterance(text: str = "yes please", output: AudioFormat = S16, **options: float) -> Utterance:
    return Utterance(text=text, voice="tone", output=output, **options)


def audible_pitch(pcm: bytes, rate: int) -> float:
    """Count how often a tone rises through zero."""
    samples = array("h", pcm)
    rises = [n for n in range(1, len(samples)) if samples[n - 1] < 0 <= samples[n]]
    return (len(rises) - 1) * rate / (rises[-1] - rises[0])


def test_every_word_has_a_pitch_of_its_own_and_falls_silent_before_the_next() -> None:
    for word, piece in zip(["yes", "no", "perhaps"], spoken("yes no perhaps"), strict=True):
        assert audible_pitch(piece.pcm, 16000) == pytest.approx(pitch(word), rel=0.02)
        gap = 2 * round(GAP_S * 16000)
        assert not any(piece.pcm[-gap:])
        half = len(piece.pcm) // 4 * 2
        assert max(array("h", piece.pcm[:half])) > max(array("h", piece.pcm[half:]))


def spoken(text: str, *, voice: str = "tone", speed: float = 1.0) -> list[SpokenPiece]:
    return list(ToneEngine().synthesize(text, voice=voice, speed=speed, sample_rate=16000))


def test_the_words_of_a_tone_are_where_it_says() -> None:
    [yes, please] = [word for piece in spoken("yes please") for word in piece.words]
    assert (yes.word, please.word) == ("yes", "please")
    assert [yes.start_s, yes.end_s] == pytest.approx([0.0, 3 * 0.045])
    assert [please.start_s, please.end_s] == pytest.approx([seconds("yes"), seconds("yes") + 6 * 0.045])


def test_speed_and_voice_change_the_tone() -> None:
    assert len(spoken("yes", speed=1.5)[0].pcm) == pytest.approx(len(spoken("yes")[0].pcm) / 1.5, abs=2)
    assert audible_pitch(spoken("yes", voice="tone-high")[0].pcm, 16000) == pytest.approx(2 * pitch("yes"), rel=0.02)


def test_a_tone_is_the_same_every_time_and_needs_no_preparation() -> None:
    ToneEngine().prepare()
    warm_up()
    assert spoken("yes") == spoken("yes")


@pytest.mark.parametrize("encoding", list(Encoding))
def test_speech_comes_in_the_wanted_encoding(encoding: Encoding) -> None:
    output = AudioFormat(encoding, 8000)
    audio = b"".join(piece.audio for piece in speak(ToneEngine(), utterance(output=output)))
    assert output.seconds(len(audio)) == pytest.approx(seconds("yes") + seconds("please"), abs=0.001)
    linear = array("h", to_linear(audio, encoding))
    assert max(linear) == pytest.approx(16000, rel=0.05)


def test_a_pause_needs_no_engine() -> None:
    assert list(speak(None, utterance("", pause_s=0.5))) == [Spoken(bytes(16000))]  # type: ignore[arg-type]


@given(st.lists(st.integers(-32768, 32767), min_size=1), st.sampled_from(Encoding))
def test_samples_are_written_as_everywhere_else(samples: list[int], encoding: Encoding) -> None:
    pcm = array("h", samples).tobytes()
    assert encode(pcm, encoding) == from_linear(pcm, encoding)


def test_louder_is_clipped() -> None:
    assert array("h", encode(array("h", [100, -20000]).tobytes(), Encoding.S16LE, volume=2.0)).tolist() == [200, -32768]


class Fixed:
    """An engine with one rate, whose iterator is no generator."""

    voices = ToneEngine.voices

    def prepare(self) -> None: ...

    def sample_rate(self, voice: str, wanted: int) -> int:
        return 22050

    def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:
        return iter(list(ToneEngine().synthesize(text, voice=voice, speed=speed, sample_rate=sample_rate)))


@pytest.mark.parametrize("rate", [8000, 24000, 48000])
def test_another_rate_is_resampled_and_lasts_as_long(rate: int) -> None:
    output = AudioFormat(Encoding.S16LE, rate)
    pieces = list(speak(Fixed(), utterance(output=output)))
    audio = b"".join(piece.audio for piece in pieces)
    assert output.seconds(len(audio)) == pytest.approx(seconds("yes") + seconds("please"), abs=0.001)
    assert [word.word for piece in pieces for word in piece.words] == ["yes", "please"]
    assert audible_pitch(audio[: output.size(0.1)], rate) == pytest.approx(pitch("yes"), rel=0.03)


def test_closing_the_speech_stops_the_engine() -> None:
    closed = []

    class Endless(ToneEngine):
        def synthesize(self, text: str, *, voice: str, speed: float, sample_rate: int) -> Iterator[SpokenPiece]:
            try:
                while True:
                    yield SpokenPiece(b"\0\0")
            finally:
                closed.append(text)

    speech = speak(Endless(), utterance())
    next(speech)
    speech.close()  # type: ignore[attr-defined]
    assert closed == ["yes please"]
