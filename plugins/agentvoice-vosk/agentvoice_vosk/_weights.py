"""Where the model comes from, and what it is: a folder of 13 files, as Vosk wants it."""

from __future__ import annotations

from typing import Final

from agentvoice.assets import Asset, File, Part
from agentvoice.npm_download import Tarball

_TARBALL: Final = Tarball(
    "rn-speech-to-text",
    "0.1.0",
    sha256="d9e54adda9e9500615092c8570db3b362faec9451881b691110a6025e3f3b1c0",
    size=41_126_204,
)
_FOLDER: Final = "package/android/src/main/assets/models/vosk-model-small-en-us-0.15"


def _file(name: str, sha256: str, size: int) -> File:
    return File(name, sha256, (Part(_TARBALL, f"{_FOLDER}/{name}", size),))


MODEL: Final = Asset(
    "vosk-small-en-us-0.15",
    "what understands the caller, word by word",
    (
        _file("am/final.mdl", "75370a0137f9daf8f469dedd7daa4513ae7a621f03240c6e512e2b50b656a7b6", 15_962_575),
        _file("conf/mfcc.conf", "1e2228006d01d805ad1c267fee9f79709ca87ac51bd82b0e3f5c69ba543f0fc4", 131),
        _file("conf/model.conf", "8f14cb1eeb07c762c371db648c6be688d347236155ca0f64fb13b6567a8ce81f", 290),
        _file("graph/Gr.fst", "023c8b7e30704a9e37765c635c252e608a02f361235bf94abdcf2a5225d85b20", 24_013_795),
        _file("graph/HCLr.fst", "5caafba3081e1646545ac6bff0dd7a318e53dcbdc86f237909ce1d2ac1293d34", 22_416_994),
        _file("graph/disambig_tid.int", "9ad87cc166d0998f08f758f47a6223a120dfffcbee805c4849c3aa5e6bb3c0fc", 102),
        _file(
            "graph/phones/word_boundary.int", "da199d9c991e0e84681ddbb34627b915b26302d50a8fdaa23c51e2bc3a50b5c3", 1_761
        ),
        _file("ivector/final.dubm", "8c5d7dd69d2122313baaf19f61f35dd3fa18b70c62ac0687e311e1c46e6daca7", 168_048),
        _file("ivector/final.ie", "3f37faf90c375b9e4740b569398b5829ed9cc07d19be6d441f72c3b71d7efcc6", 8_288_887),
        _file("ivector/final.mat", "ddd83586dc5f928cda8738b922c85ffe38fc789cb5f9151a712ca12f37265382", 44_975),
        _file("ivector/global_cmvn.stats", "33be09afcc80059847a275c3d043b51f1ab954c7c2438ddbbf4745e8ba144ff9", 1_080),
        _file("ivector/online_cmvn.conf", "a2f3571754b64297cb7efb2e7ca3df61995c5a45fcbb97188f90613552bb2dfe", 95),
        _file("ivector/splice.conf", "9f0c5f7c82d18eaf25d8bce470efa9f7741f88411fe428774bc0a9bb69a24756", 35),
    ),
    licence="Apache-2.0, (c) Alpha Cephei Inc",
    sources=("vosk-model-small-en-us-0.15 of alphacephei.com/vosk/models",),
)
ASSETS: Final = (MODEL,)
