from array import array

import pytest
from hypothesis import given, strategies as st

from agentvoice.audio import (
    TELEPHONE,
    AudioFormat,
    Encoding,
    alaw_to_linear,
    from_linear,
    linear_to_alaw,
    linear_to_mulaw,
    mulaw_to_linear,
    to_linear,
)


def samples(pcm: bytes) -> list[int]:
    return list(array("h", pcm))


def test_the_phone_carries_160_bytes_in_20_ms() -> None:
    assert TELEPHONE.bytes_per_second == 8000
    assert TELEPHONE.size(0.02) == 160
    assert TELEPHONE.seconds(160) == 0.02


def test_sizes_are_whole_samples() -> None:
    audio = AudioFormat(Encoding.F32LE, 44100)

    assert audio.sample_bytes == 4
    assert audio.size(0.00001) == 0
    assert audio.size(0.5) == 88200


@pytest.mark.parametrize(
    ("code", "sample"), [(0x00, -32124), (0x80, 32124), (0x7F, 0), (0xFF, 0), (0x8F, 16764), (0xF0, 120), (0xEF, 132)]
)
def test_mulaw_is_that_of_g_711(code: int, sample: int) -> None:
    assert samples(mulaw_to_linear(bytes([code]))) == [sample]


@pytest.mark.parametrize(("code", "sample"), [(0x55, -8), (0xD5, 8), (0x2A, -32256), (0xAA, 32256), (0x80, 5504)])
def test_alaw_is_that_of_g_711(code: int, sample: int) -> None:
    assert samples(alaw_to_linear(bytes([code]))) == [sample]


@pytest.mark.parametrize(("decode", "encode"), [(mulaw_to_linear, linear_to_mulaw), (alaw_to_linear, linear_to_alaw)])
def test_every_code_survives_the_way_there_and_back(decode, encode) -> None:
    codes = bytes(range(256))

    assert decode(encode(decode(codes))) == decode(codes)


@given(st.lists(st.integers(-32768, 32767)))
def test_companding_errs_by_a_share_of_the_sample(values: list[int]) -> None:
    for was, came in zip(values, samples(mulaw_to_linear(linear_to_mulaw(array("h", values).tobytes()))), strict=True):
        assert abs(was - came) <= max(16, abs(was) // 16 + 4) or abs(was) > 32124


@pytest.mark.parametrize("encoding", Encoding)
def test_silence_is_silent_in_every_encoding(encoding: Encoding) -> None:
    audio = AudioFormat(encoding, 8000)
    silence = audio.silence(audio.size(0.01))

    assert len(silence) == audio.size(0.01)
    assert max(map(abs, samples(to_linear(silence, encoding)))) <= 8


@pytest.mark.parametrize("encoding", [Encoding.S16LE, Encoding.F32LE])
def test_linear_encodings_lose_nothing(encoding: Encoding) -> None:
    pcm = array("h", [0, 1, -1, 32767, -32768, 1234]).tobytes()

    assert to_linear(from_linear(pcm, encoding), encoding) == pcm


def test_companded_encodings_go_by_the_tables() -> None:
    pcm = array("h", [0, 1000, -1000]).tobytes()

    assert from_linear(pcm, Encoding.MULAW) == linear_to_mulaw(pcm)
    assert from_linear(pcm, Encoding.ALAW) == linear_to_alaw(pcm)


def test_floats_beyond_full_scale_are_clipped() -> None:
    assert samples(to_linear(array("f", [2.0, -2.0]).tobytes(), Encoding.F32LE)) == [32767, -32768]
