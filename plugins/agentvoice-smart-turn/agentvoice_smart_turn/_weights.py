"""Where the weights come from, and what they are."""

from __future__ import annotations

from typing import Final

from agentvoice.assets import Asset, File, Part
from agentvoice.pip_download import Wheel

_WHEEL: Final = Wheel(
    "pipecat_ai-1.14.0-py3-none-any.whl",
    sha256="0352f504b44e78bdf524e45af4bc759601c835b9b7dc195efe5e03384b974a44",
    size=12_109_725,
)
MODEL: Final = File(
    "smart-turn-v3.2-cpu.onnx",
    sha256="2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
    parts=(Part(_WHEEL, "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx", size=8_679_182),),
)
WEIGHTS: Final = Asset(
    "smart-turn-v3.2",
    "what tells a pause from the end of a turn",
    (MODEL,),
    licence="BSD-2-Clause, (c) Daily",
    sources=("the weights of the project smart-turn by Daily (pipecat-ai/smart-turn-v3)",),
)
ASSETS: Final = (WEIGHTS,)
