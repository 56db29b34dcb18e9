"""Where the library comes from, the model inside it, for each kind of machine that there is one for."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from typing import Final

from agentvoice.assets import Asset, File, Part
from agentvoice.pip_download import Wheel


def _asset(tag: str, wheel: tuple[str, int], name: str, library: tuple[str, int]) -> Asset:
    """Declare what a wheel with this platform tag carries; digests and sizes of the wheel and of the library."""
    part = Part(
        Wheel(f"pyrnnoise-0.4.5-py3-none-{tag}.whl", sha256=wheel[0], size=wheel[1]),
        f"pyrnnoise-0.4.5.data/purelib/pyrnnoise/{name}",
        size=library[1],
    )
    return Asset(
        "rnnoise",
        "what takes the noise out of the line",
        (File(name, sha256=library[0], parts=(part,)),),
        licence="BSD-3-Clause, (c) Mozilla, Jean-Marc Valin, Xiph.Org Foundation and others",
        sources=("a build of the project xiph/rnnoise as a shared library",),
    )


LIBRARIES: Final[Mapping[tuple[str, str], Asset]] = {
    ("linux", "x86_64"): _asset(
        "manylinux1_x86_64",
        ("c095114532f9fa21f621084c879d72c93aaa0c9dbe38b662a63577bada2c214e", 13_273_323),
        "librnnoise.so",
        ("de5120abce147a72ba343296744ae7cc0a97298e19307c7d3f01cce8c34b18ff", 14_840_960),
    ),
    ("linux", "aarch64"): _asset(
        "manylinux2014_aarch64",
        ("4b382d39b4963d38c8fe2f61639f634a5de0dd7dc731aca7ff1df48f9b1424cf", 13_267_263),
        "librnnoise.so",
        ("c7f34a5944f385721f89b7be21b9ae8eb67e3085da2571260a46e1c9fc61d90a", 14_887_704),
    ),
    ("darwin", "arm64"): _asset(
        "macosx_26_0_universal2",
        ("8289b32664ac05d3246c1d8e95522f2bec7fd99b29f238a58745e9c2fad47dae", 13_382_843),
        "librnnoise.dylib",
        ("b0b0f3c038b8106f04c638596bd8d6594bddaeeaef5db39c5b401de80334efee", 14_965_680),
    ),
    ("win32", "amd64"): _asset(
        "win_amd64",
        ("f46015e5a58212d2883bf8e5a2cafb3c6b115176d8039f8340132cb24866b7da", 13_263_766),
        "rnnoise.dll",
        ("06770aeb8855ef942b5dcdb436f84dfdd5867b716ba4b4c8a2c66ade03197f31", 14_825_472),
    ),
}
"""By `sys.platform` and the machine's name in lower case."""
MACHINE: Final = (sys.platform, platform.machine().lower())
ASSETS: Final = tuple(asset for machine, asset in LIBRARIES.items() if machine == MACHINE)
"""The library for this machine, if there is one."""
