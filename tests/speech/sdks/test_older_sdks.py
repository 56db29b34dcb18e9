"""The provider's older Python SDKs and its JavaScript SDK, unmodified, against this server.

Each has an environment of its own, made on first use and kept in the user's cache. Without a package registry, or
without Node, the test is skipped and says so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentvoice.server.serve import Tls
from agentvoice.speech.tone import seconds

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(400)]  # the first run installs

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "agentvoice" / "sdks"
TEXT = "Good morning, Ann."


def size(text: str) -> Any:
    """Bytes that a text lasts."""
    return pytest.approx(sum(map(seconds, text.split())) * 32000, abs=40)


def run(*command: object, **variables: str) -> str:
    environment = os.environ | variables
    arguments = [str(part) for part in command]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=110, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def python_with(package: str) -> Path:
    """Return the interpreter of an environment that has one version of the SDK."""
    folder = CACHE / package
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            run(sys.executable, "-m", "venv", folder)
            run(python, "-m", "pip", "install", "--quiet", package)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"{package} cannot be installed here: {error}")
        (folder / "complete").touch()
    return python


def node_with(*packages: str) -> Path:
    """Return a folder that has the SDK as a Node module."""
    folder = CACHE / packages[0].replace("/", "_")
    if shutil.which("npm") is None:
        pytest.skip("there is no Node here")
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            run("npm", "install", "--silent", "--prefix", folder, *packages)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"{packages[0]} cannot be installed here: {error}")
        (folder / "complete").touch()
    return folder


@pytest.mark.parametrize(
    ("package", "script"), [("cartesia==1.4.0", "python_1.py"), ("cartesia==2.0.17", "python_2.py")]
)
def test_an_older_python_sdk(server: Any, package: str, script: str) -> None:
    # 2.x wants to read "localhost" before it does without TLS.
    url = f"http://localhost:{server.port}" if script == "python_2.py" else f"localhost:{server.port}"
    python = python_with(package)
    found = json.loads(run(python, "-W", "ignore", HERE / script, url, server.key))
    assert found["single"] == [TEXT.split(), size(TEXT)]
    assert found["continued"] == [TEXT.split(), size(TEXT)]
    assert found["embedding"] == size(TEXT)
    assert found["flushes"] == [size("Good morning,"), size("Ann.")]
    assert found["rest"] == 0
    assert "Voice not found: no voice 'nobody'" in found["error"]
    assert found["voices"] == ["tone", "tone-high"]
    assert found["voice"] == "Tone"
    assert found["bytes"] == size(TEXT)
    assert "no voice 'nobody'" in found["refused"]
    assert found["many"] == [[TEXT.split(), size(TEXT)]] * 12
    if script == "python_1.py":
        assert found["events"] == size(TEXT)
        assert found["fast"] == pytest.approx(size("Good").expected / 1.5, abs=40)
    else:
        assert found["refused"].startswith("404")
        assert found["at once"] == size(TEXT)
        assert found["events"] == found["async events"] == "done"
        assert found["async bytes"] == size("Good")
        assert found["async voices"] == ["tone", "tone-high"]


def test_the_javascript_sdk_through_tls(serving: Callable[..., Any], tmp_path: Path) -> None:
    folder = node_with("@cartesia/cartesia-js@4.2.0", "ws@8")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    run(*command.split(), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert)
    server = serving(tls=Tls(cert, key))
    url = f"https://127.0.0.1:{server.port}"
    script = HERE / "javascript_4.mjs"
    found = json.loads(run("node", script, url, server.key, folder, NODE_EXTRA_CA_CERTS=str(cert)))
    assert found["continued"] == {
        "words": TEXT.split(),
        "audio": size(TEXT),
        "kinds": ["chunk", "done", "timestamps"],
    }
    assert found["flushed"] == {"words": [], "audio": size(TEXT), "kinds": ["chunk", "done", "flush_done"]}
    assert found["many"] == [size(TEXT)] * 12
    assert "no voice 'nobody'" in found["error"]
    assert found["voices"] == ["tone", "tone-high"]
    assert found["voice"] == "Tone"
    assert found["bytes"] == size(TEXT)
    assert found["events"] == {"kinds": ["chunk", "done", "timestamps"], "words": TEXT.split(), "audio": size(TEXT)}
    assert found["single"] == {"kinds": ["chunk", "done", "phoneme_timestamps"], "words": [], "audio": size(TEXT)}
    assert found["refused"] == 404
