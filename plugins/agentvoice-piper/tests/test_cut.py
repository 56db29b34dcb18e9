"""Cutting a model. The real one is cut in `test_piper.py`; these are written by hand, field by field."""

from __future__ import annotations

import pytest

from agentvoice_piper._cut import _field, _fields, cut


def node(name: str, reads: str, writes: str) -> bytes:
    return _field(1, _field(1, reads.encode()) + _field(2, writes.encode()) + _field(3, name.encode()))


def weights(name: str) -> bytes:
    return _field(5, b"\x08\x01" + b"\x15abcd" + b"\x19abcdefgh" + _field(8, name.encode()))


VERSION = b"\x08\x08"
PLANNER = [node("/enc/A", "input", "a"), weights("enc.weight"), node("/Ceil", "a", "frames"), node("/Mul", "a", "plan")]
VOCODER = [node("/dec/conv_pre/Conv", "plan", "b"), weights("dec.weight"), node("/dec/Tanh", "b", "sound")]
AFTER = [node("/Unsqueeze", "sound", "output")]
INPUT, OUTPUT = _field(11, _field(1, b"input")), _field(12, _field(1, b"output"))


def model(*entries: bytes) -> bytes:
    return VERSION + _field(7, b"".join([_field(2, b"torch"), *entries])) + _field(8, b"opset")


def graph(half: bytes) -> bytes:
    (found,) = [bytes(content) for number, content, _ in _fields(memoryview(half)) if number == 7]
    return found


def test_the_planner_gives_out_the_plan_and_how_long_phonemes_last() -> None:
    planner, _ = cut(model(*PLANNER, *VOCODER, *AFTER, INPUT, OUTPUT))

    assert graph(planner) == b"".join(
        [*PLANNER, INPUT, _field(12, _field(1, b"plan")), _field(12, _field(1, b"frames"))]
    )


def test_the_vocoder_takes_a_plan_and_gives_out_sound() -> None:
    _, vocoder = cut(model(*PLANNER, *VOCODER, *AFTER, INPUT, OUTPUT))

    floats = bytes.fromhex("12 04 0a 02 08 01")
    assert graph(vocoder) == b"".join(
        [*VOCODER, _field(11, _field(1, b"plan") + floats), _field(12, _field(1, b"sound"))]
    )


def test_what_is_said_of_the_whole_is_said_of_both() -> None:
    for half in cut(model(*PLANNER, *VOCODER, *AFTER, INPUT, OUTPUT)):
        assert half.startswith(VERSION + _field(8, b"opset"))


def test_large_weights_stay_whole() -> None:
    large = _field(5, _field(8, b"dec.large") + _field(9, bytes(100_000)))

    _, vocoder = cut(model(*PLANNER, *VOCODER, large))

    assert large in vocoder


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not a voice of Piper's: it has no '/dec/conv_pre/Conv'"):
        cut(model(*PLANNER, INPUT, OUTPUT))


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="not a protobuf message"):
        cut(b"\x0bnonsense")
