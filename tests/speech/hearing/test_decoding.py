"""Audio of every encoding, and files."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest

from agentvoice.audio import linear_to_alaw, linear_to_mulaw
from agentvoice.speech.hearing.decoding import ENCODINGS, Decoder, read_wav
from agentvoice.speech.hearing.parameters import Turns, read_listen, read_turns
from agentvoice.stt.messages import Configure
from agentvoice.tts.messages import RequestRejected

TONE = (np.sin(np.arange(1600) * 2 * np.pi * 440 / 16000) * 12000).astype("<i2")
ENCODED = {
    "pcm_s16le": TONE.tobytes(),
    "pcm_s32le": (TONE.astype("<i4") << 16).tobytes(),
    "pcm_f16le": (TONE / 32768).astype("<f2").tobytes(),
    "pcm_f32le": (TONE / 32768).astype("<f4").tobytes(),
    "pcm_mulaw": linear_to_mulaw(TONE.tobytes()),
    "pcm_alaw": linear_to_alaw(TONE.tobytes()),
}
QUERY = {"model": "ink-2", "encoding": "pcm_s16le", "sample_rate": "16000"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_the_same_sound_wherever_the_messages_were_cut(encoding: str) -> None:
    decode, audio = Decoder(encoding, 16000), ENCODED[encoding]
    pcm = b"".join(decode(audio[at : at + 37]) for at in range(0, len(audio), 37))
    assert np.abs(np.frombuffer(pcm, "<i2").astype(int) - TONE).max() < 400


def test_samples_that_are_no_numbers_are_silent_and_loud_ones_are_clipped() -> None:
    samples = np.frombuffer(Decoder("pcm_f32le", 16000)(struct.pack("<4f", float("nan"), 9, -9, 0)), "<i2")
    assert samples.tolist() == [0, 32767, -32767, 0]


@pytest.mark.parametrize(("rate", "becomes"), [(8000, 8000), (11025, 16000), (44100, 16000), (48000, 16000)])
def test_other_rates_become_one_that_recognisers_know(rate: int, becomes: int) -> None:
    decode = Decoder("pcm_s16le", rate)
    assert decode.sample_rate == becomes
    assert len(decode(bytes(2 * rate))) == pytest.approx(2 * becomes, rel=0.05)


def test_a_wav_file_of_two_channels_is_heard_as_one() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(struct.pack("<4h", 100, 300, -100, -300))
    recording = read_wav(file.getvalue())
    assert recording is not None
    assert (recording.encoding, recording.sample_rate) == ("pcm_s16le", 8000)
    assert recording.audio == struct.pack("<2h", 200, -200)


def test_what_is_no_wav_file_is_none_and_a_damaged_one_is_said_to_be() -> None:
    assert read_wav(b"ID3 and so on") is None
    with pytest.raises(RequestRejected) as refused:
        read_wav(b"RIFF\0\0\0\0WAVEfmt ")
    assert "damaged" in refused.value.failure.message


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"model": "nova"}, "no model 'nova'; try ink-2, or moonshine"),
        ({"encoding": "opus"}, "one of pcm_s16le"),
        ({"sample_rate": ""}, "sample_rate is required"),
        ({"sample_rate": "fast"}, "must be a number"),
        ({"sample_rate": "nan"}, "from 8000 to 192000"),
        ({"min_volume": "2"}, "min_volume must be from 0 to 1"),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_can(wrong: dict[str, str], says: str) -> None:
    with pytest.raises(RequestRejected) as refused:
        read_listen(QUERY | wrong, (), models=("moonshine",))
    assert says in refused.value.failure.message


def test_what_is_overlooked_is_counted() -> None:
    assert read_listen(QUERY | {"min_volume": "0.1"}, ["Acme"], models=()).overlooked == ("keyterm", "min_volume")
    with pytest.raises(RequestRejected, match="keyterms"):
        read_listen(QUERY, ["x" * 1201], models=())


def test_the_default_thresholds_wait_half_a_second_and_no_silence_is_longer_than_the_timeout() -> None:
    assert Turns().endpointing.silence_s == pytest.approx(0.5, abs=0.01)
    _, turns = read_turns(QUERY | {"turn_end_timeout_ms": "700"}, (), models=())
    patience = turns.endpointing
    assert max(patience.silence_s, patience.longest_s, patience.patience_s, patience.wait_s, patience.late_s) == 0.7
    assert Turns().changed(Configure(end_threshold=0.05)).endpointing.silence_s > 0.9
