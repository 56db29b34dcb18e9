"""What the documents show is run as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from agentvoice.speech.lexicon import Lexicons

pytestmark = pytest.mark.sockets

DOCS = Path(__file__).parents[2] / "docs"


def code(document: str, *, containing: str) -> str:
    blocks: list[str] = [
        block
        for block in re.findall(r"```python\n(.*?)```", (DOCS / document).read_text("utf-8"), re.DOTALL)
        if containing in block
    ]
    assert len(blocks) == 1
    return blocks[0]


def test_the_engine_of_the_topic_speaks(serving: Callable[..., Any]) -> None:
    shown: dict[str, Any] = {}
    exec(code("topics/speech-server.md", containing="class Humming").replace("anyio.run", "print"), shown)
    server = serving(shown["Humming"]())
    output = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}
    request = {"model_id": "sonic", "voice": "hum", "transcript": "one two three.", "output_format": output}
    answer = httpx.post(f"{server.http}/tts/bytes", json=request, headers={"X-API-Key": server.key})
    assert len(answer.content) == pytest.approx(0.6 * 8000, abs=5)


def test_the_client_without_an_sdk_hears_what_it_asked_for(server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shown = code("how-to/speech-server.md", containing="websockets.sync.client")
    exec(
        shown.replace("127.0.0.1:8765", f"127.0.0.1:{server.port}").replace("api_key=local", f"api_key={server.key}"),
        {},
    )
    said = capsys.readouterr().out
    assert "{'words': ['Good'], 'start': [0.0]" in said
    assert float(re.findall(r"([\d.]+) seconds", said)[0]) == pytest.approx(1.8, abs=0.3)


def test_the_lexicon_of_the_how_to_is_one(tmp_path: Path) -> None:
    [shown] = re.findall(r"```toml\n(.*?)```", (DOCS / "how-to/speech-server.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "names.toml").write_text(shown)
    lexicons = Lexicons.load(tmp_path / "names.toml")
    read = [word for each in lexicons.find("medicine").read("ACME in San Jose, q.d.") for word in each.spoken]
    assert " ".join(read) == "ack me in san hozay, once daily"
