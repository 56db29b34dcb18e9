"""Where the weights come from, and what they are."""

from __future__ import annotations

from typing import Final

from agentvoice.assets import Asset, File, Part
from agentvoice.pip_download import Wheel

# Later versions of the wheel carry no model. Its platform does not matter: nothing of it is run.
_WHEEL: Final = Wheel(
    "moonshine_voice-0.1.0-py3-none-manylinux_2_34_x86_64.whl",
    sha256="0f833deb43bad5dcfb4cfd3257b6df83ef9abd3f27be3199622fe41932e8d916",
    size=56_369_045,
)


def _file(name: str, sha256: str, size: int) -> File:
    return File(name, sha256, (Part(_WHEEL, f"moonshine_voice/assets/tiny-en/{name}", size),))


ENCODER: Final = _file(
    "encoder_model.ort", "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221", 13_281_600
)
DECODER: Final = _file(
    "decoder_model_merged.ort", "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0", 30_412_256
)
TOKENIZER: Final = _file("tokenizer.bin", "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d", 249_974)
WEIGHTS: Final = Asset(
    "moonshine-tiny-en",
    "what understands the caller",
    (ENCODER, DECODER, TOKENIZER),
    licence="MIT, (c) Useful Sensors",
    sources=("the wheel moonshine-voice 0.1.0 of another mirror of the package index",),
)
ASSETS: Final = (WEIGHTS,)
