"""What a person sees while a model is fetched."""

from __future__ import annotations

import io

from rich.console import Console

from agentvoice.assets import Asset, File, Part, Progress
from agentvoice.cli.progress import Told
from agentvoice.pip_download import Wheel

WHEEL = Wheel("voice-1.0-py3-none-any.whl", sha256="0" * 64, size=4_000_000)
VOICE = Asset(
    "voice",
    purpose="the agent's voice",
    files=(File("voice.onnx", sha256="1" * 64, parts=(Part(WHEEL, "voice.onnx", size=5_000_000),)),),
    licence="CC0-1.0",
)


def test_elsewhere_than_in_a_terminal_a_line_is_said_for_each_quarter() -> None:
    out = io.StringIO()
    told = Told(Console(file=out, width=120))

    told(Progress(VOICE, "waiting"))
    for fetched in range(0, 4_000_001, 400_000):
        told(Progress(VOICE, "fetching", fetched))
    told(Progress(VOICE, "ready", 4_000_000))

    assert out.getvalue().splitlines() == [
        "voice, the agent's voice (another process fetches it): 0.0 of 4.0 MB",
        "voice, the agent's voice: 1.2 of 4.0 MB",
        "voice, the agent's voice: 2.0 of 4.0 MB",
        "voice, the agent's voice: 3.2 of 4.0 MB",
        "voice, the agent's voice: 4.0 of 4.0 MB",
        "voice, the agent's voice: done",
    ]


def test_in_a_terminal_there_is_a_bar_until_all_is_fetched() -> None:
    out = io.StringIO()
    told = Told(Console(file=out, width=120, force_terminal=True))

    told(Progress(VOICE, "fetching", 0))
    told(Progress(VOICE, "fetching", 2_000_000))
    told(Progress(VOICE, "ready", 4_000_000))

    assert "the agent's voice" in out.getvalue()
    assert "4.0/4.0 MB" in out.getvalue()
    assert told._bars is None
