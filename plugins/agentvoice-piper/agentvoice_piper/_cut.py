"""Cutting a Piper model in two: what plans a sentence, and what turns stretches of the plan into sound.

A Piper voice is one ONNX file that turns a sentence into all of its audio. Inside, a small first part, the planner,
makes a vector for each frame of 256 samples, and knows how many frames each phoneme lasts. The large second part, the
vocoder (HiFi-GAN), is nothing but convolutions, and so can do any stretch of frames by itself. As two models audio
streams while the sentence is still being made, and the frame counts are the word times.

The file is a protobuf message (https://onnx.ai/onnx/repo-docs/IR.html). Only its outermost levels are looked at here,
by field number: a package that knows all of ONNX is a heavy thing to install for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_GRAPH: Final = 7
"""In a ModelProto."""
_NAME, _NODE, _INITIALIZER, _INPUT, _OUTPUT = 2, 1, 5, 11, 12
"""In a GraphProto."""
_NODE_INPUT, _NODE_OUTPUT, _NODE_NAME = 1, 2, 3
"""In a NodeProto; the first of its inputs, the first of its outputs."""
_TENSOR_NAME: Final = 8
"""In a TensorProto."""

_VOCODER: Final = ("/dec/", "dec.")
"""How the names of the vocoder's nodes and weights begin, as Piper's exporter writes them."""
_PLAN_READER: Final = "/dec/conv_pre/Conv"
_FRAME_COUNTER: Final = "/Ceil"
_SOUND_WRITER: Final = "/dec/Tanh"

_FLOAT_TENSOR: Final = bytes.fromhex("12 04 0a 02 08 01")
"""ValueInfoProto.type: a tensor of floats, of whatever shape."""


def cut(model: bytes) -> tuple[bytes, bytes]:
    """Return the planner and the vocoder.

    The planner has the inputs of the whole, and two outputs: the plan (float32, 1 x channels x frames), and the frames
    that each phoneme id lasts. The vocoder turns a plan into audio (float32, 1 x 1 x 256 samples a frame).

    Raises:
        ValueError: it is not a model that Piper's exporter wrote, or one of several speakers.
    """
    fields = list(_fields(memoryview(model)))
    around = b"".join(raw for number, _, raw in fields if number != _GRAPH)
    graph = [field for number, content, _ in fields if number == _GRAPH for field in _fields(content)]

    planner, vocoder = bytearray(), bytearray()
    reads: dict[str, bytes] = {}
    writes: dict[str, bytes] = {}
    for kind, content, raw in graph:
        match kind:
            case 1:
                name = _text(content, _NODE_NAME)
                reads[name], writes[name] = _text(content, _NODE_INPUT).encode(), _text(content, _NODE_OUTPUT).encode()
            case 5:
                name = _text(content, _TENSOR_NAME)
            case 11:
                name = ""
            case _:
                continue
        # Nodes stand in the order of their work. Those after the vocoder's only shape its output.
        if name.startswith(_VOCODER):
            vocoder += raw
        elif kind != _NODE or _SOUND_WRITER not in writes:
            planner += raw
    try:
        plan, frames, sound = reads[_PLAN_READER], writes[_FRAME_COUNTER], writes[_SOUND_WRITER]
    except KeyError as missing:
        raise ValueError(f"this is not a voice of Piper's: it has no {missing}") from None
    planner += _field(_OUTPUT, _field(1, plan)) + _field(_OUTPUT, _field(1, frames))
    vocoder += _field(_INPUT, _field(1, plan) + _FLOAT_TENSOR) + _field(_OUTPUT, _field(1, sound))
    return around + _field(_GRAPH, bytes(planner)), around + _field(_GRAPH, bytes(vocoder))


def _text(message: memoryview, number: int) -> str:
    """Return the first field of that number, empty when there is none."""
    return next((bytes(content).decode() for field, content, _ in _fields(message) if field == number), "")


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Yield number, content, and the encoding of the whole, of each length-delimited field; others have no content."""
    at, end = 0, len(message)
    while at < end:
        start = at
        key, at = _varint(message, at)
        size = 0
        match key & 7:
            case 0:
                _, at = _varint(message, at)
            case 1:
                at += 8
            case 2:
                size, at = _varint(message, at)
            case 5:
                at += 4
            case kind:
                raise ValueError(f"not a protobuf message: field type {kind}")
        yield key >> 3, message[at : at + size], message[start : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _field(number: int, content: bytes) -> bytes:
    size, length = bytearray(), len(content)
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2, *size, length]) + content
