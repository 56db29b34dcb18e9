"""The real command, in a process of its own: what it says, and how it leaves."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

pytestmark = pytest.mark.sockets  # real processes and ports, in real time

AGENTVOICE = [sys.executable, "-m", "agentvoice.cli"]
AGENT = """
from agentvoice import Agent

class Receptionist(Agent):
    greeting = "Hello."

    async def reply(self, turn):
        yield "I see."
"""
DOUBLES = """
from agentvoice.testing.hearing import LoudnessActivity as Vad, ScriptedRecognizer

class Recognizer(ScriptedRecognizer):
    def __init__(self):
        super().__init__(lambda audio, rate: "hello there")

from agentvoice.assets import Asset
ASSETS = (Asset("ears", purpose="nothing", files=(), licence="none"),)
"""
POINTS = """
[agentvoice.vad]
double = doubles:Vad
[agentvoice.recognizer]
double = doubles:Recognizer
[agentvoice.assets]
double = doubles:ASSETS
"""
AT_ONCE_S = 5
"""No measure, but much less than a call that goes on, a drain or a thread would take."""
NO_MODELS = {"AGENTVOICE_ENGINE": "tone", "AGENTVOICE_VAD": "double", "AGENTVOICE_RECOGNIZER": "double"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with an agent, a caller's script, and an installed package of ears that need no model."""
    (tmp_path / "phone.py").write_text(AGENT)
    (tmp_path / "caller.yaml").write_text("- wait_for_agent\n- say: Hello there.\n- wait_for_agent\n- hang_up\n")
    (tmp_path / "doubles.py").write_text(DOUBLES)
    (tmp_path / "doubles-1.0.dist-info").mkdir()
    (tmp_path / "doubles-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: doubles\nVersion: 1.0\n")
    (tmp_path / "doubles-1.0.dist-info" / "entry_points.txt").write_text(POINTS)
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.upper().startswith("AGENTVOICE_")}
    return {**ours, "PYTHONPATH": ".", "NO_COLOR": "1", "COLUMNS": "100", **more}


def agentvoice(*arguments: str, at: Path, code: int, **settings: str) -> str:
    """Run a command that ends by itself; return what it said."""
    done = subprocess.run(
        [*AGENTVOICE, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=at,
        env=environment(**settings),
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def complaint(*arguments: str, at: Path, code: int = 2, **settings: str) -> str:
    """Run a command that cannot be carried out; return the one line that it says."""
    [line] = agentvoice(*arguments, at=at, code=code, **settings).splitlines()
    return line


# ---------------------------------------------------------------------- help


def test_alone_it_says_what_there_is(tmp_path: Path) -> None:
    told = agentvoice("--help", at=tmp_path, code=0)
    for command in ("demo", "serve", "speech", "call", "fetch", "plugins"):
        assert command in told


@pytest.mark.parametrize("command", ["demo", "serve", "speech", "call", "fetch", "plugins"])
def test_every_command_teaches_by_example(tmp_path: Path, command: str) -> None:
    assert f"$ agentvoice {command}" in agentvoice(command, "--help", at=tmp_path, code=0)


def test_it_knows_its_version(tmp_path: Path) -> None:
    assert re.fullmatch(r"agentvoice \d+\.\d+\.\d+\n", agentvoice("--version", at=tmp_path, code=0))


def test_the_installed_plugins_are_listed_by_what_they_do(tmp_path: Path) -> None:
    assert re.search(r"engine +tone +agentvoice", agentvoice("plugins", at=tmp_path, code=0))


def test_what_is_in_the_cache_is_not_fetched_again(shop: Path) -> None:
    assert agentvoice("fetch", "double", at=shop, code=0, AGENTVOICE_CACHE_DIR="cache") == (
        "all there: ears (0.0 MB in cache)\n"
    )


def test_fetching_for_a_plugin_that_is_not_there_is_one_line(shop: Path) -> None:
    line = complaint("fetch", "no-such", at=shop)
    assert re.fullmatch(r"no installed plugin named 'no-such' has anything to fetch \(there is: .*double.*\)", line)


def test_without_its_extra_the_command_line_says_how_to_get_it(tmp_path: Path) -> None:
    program = "import sys; sys.modules['typer'] = None; from agentvoice.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "the command line is an extra; try: pip install 'agentvoice[cli]'\n",
    )


def test_without_its_extra_the_speech_server_says_how_to_get_it(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['soxr'] = None; sys.argv = ['', 'speech']; from agentvoice.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "the speech server is an extra; try: pip install 'agentvoice[speech]'\n"


# ---------------------------------------------------------------------- what cannot be had


def test_serving_a_module_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    assert "there is no module 'nothing'" in complaint("serve", "nothing:Agent", at=tmp_path)
    assert "there is no file 'phone.py'" in complaint("serve", "phone.py:Agent", at=tmp_path)


def test_serving_a_module_without_an_agent_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "phone.py").write_text("x = 1\n")
    assert complaint("serve", "phone.py:x", at=tmp_path) == (
        "'x' in phone.py is not a subclass of agentvoice.Agent; it has no subclass of agentvoice.Agent"
    )


def test_a_port_in_use_is_one_line_and_comes_before_any_model_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "phone.py").write_text(AGENT)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for command in (["serve", "phone.py"], ["speech", "--engine", "tone"]):
            line = complaint(*command, "--port", port, at=tmp_path)
            assert line.startswith(f"port {port} on 127.0.0.1 is in use; stop what listens there, or choose another")


def test_a_missing_engine_is_one_line(tmp_path: Path) -> None:
    assert complaint("speech", "--engine", "no-such", "--port", "0", at=tmp_path).startswith(
        "no engine named 'no-such' (installed: "
    )


def test_a_missing_plugin_of_an_agent_is_one_line(shop: Path) -> None:
    line = complaint("serve", "phone.py", "--port", "0", at=shop, AGENTVOICE_VAD="no-such", AGENTVOICE_ENGINE="tone")
    assert line.startswith("no vad named 'no-such' (installed: ")


def test_a_speech_server_for_everybody_without_a_key_is_refused(tmp_path: Path) -> None:
    assert "--api-key" in complaint("speech", "--engine", "tone", "--host", "0.0.0.0", "--port", "0", at=tmp_path)


def test_a_fault_that_there_is_not_is_refused(tmp_path: Path) -> None:
    line = complaint("speech", "--engine", "tone", "--port", "0", "--fault", "gremlin", at=tmp_path)
    assert line.startswith("there is no fault 'gremlin'; there is drop")


def test_a_lexicon_and_an_origin_that_are_none_are_one_line_each(tmp_path: Path) -> None:
    line = complaint("speech", "--engine", "tone", "--lexicon", "no.toml", at=tmp_path)
    assert line == 'cannot read the lexicon no.toml: No such file or directory; a line of it is: ACME = "ack me"'
    line = complaint("speech", "--engine", "tone", "--allow-origin", "example.com", at=tmp_path)
    assert line.startswith("'example.com' is no origin; write it as https://example.com")


def test_half_a_certificate_is_refused(tmp_path: Path) -> None:
    assert "go together" in complaint("speech", "--engine", "tone", "--tls-cert", "x.pem", at=tmp_path)


def test_a_missing_script_is_one_line(tmp_path: Path) -> None:
    assert complaint("call", "ws://127.0.0.1:9/x", "--script", "no.yaml", at=tmp_path) == (
        "cannot read the script no.yaml: No such file or directory"
    )


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_a_url_where_nobody_answers_is_one_line(tmp_path: Path, scheme: str) -> None:
    (tmp_path / "script.yaml").write_text("- say: Hello.\n")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"{scheme}://127.0.0.1:{closed.getsockname()[1]}/twilio"
    told = agentvoice("call", url, "--script", "script.yaml", at=tmp_path, code=2).splitlines()
    assert len(told) == 1
    assert "127.0.0.1" in told[0]


def test_a_wrong_setting_is_one_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AGENTVOICE_SPEECH__PORT=many\n")
    assert complaint("speech", at=tmp_path).startswith("AGENTVOICE_SPEECH__PORT='many': input should be a valid int")


def test_a_bug_in_an_agent_is_one_line_too(shop: Path) -> None:
    (shop / "phone.py").write_text(AGENT.replace("    async def reply", "    manners = 1 / 0\n\n    async def reply"))
    line = complaint("serve", "phone.py", at=shop)
    assert re.fullmatch(r"phone.py cannot be imported: ZeroDivisionError: .*phone.py, line 7\)", line)


def test_debug_shows_where_an_error_came_from(shop: Path) -> None:
    done = subprocess.run(
        [*AGENTVOICE, "serve", "nothing:Agent", "--debug"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=shop,
        env=environment(),
    )
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("there is no module 'nothing'")


# ---------------------------------------------------------------------- serving


class Server:
    """A command that goes on until it is stopped."""

    def __init__(self, *arguments: str, at: Path, **settings: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SIGNALLED, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=at,
            env=environment(**NO_MODELS, **settings),
        )
        self.welcome = self._out.readline()
        self.port = int(re.findall(r":(\d+)/", self.welcome)[0]) if self.welcome else 0

    @property
    def _out(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def stop(self, number: signal.Signals) -> tuple[int, float, str]:
        """Signal it; return its exit code, how long it took, and what it logged."""
        began = time.perf_counter()
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, time.perf_counter() - began, errors


SIGNALLED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from agentvoice.cli import main
main()
"""


@contextmanager
def server(*arguments: str, at: Path, **settings: str) -> Iterator[Server]:
    running = Server(*arguments, at=at, **settings)
    try:
        if not running.welcome:
            _, errors = running.process.communicate(timeout=10)
            pytest.fail(errors)
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def test_an_agent_that_is_served_can_be_rung_and_the_call_is_recorded(shop: Path) -> None:
    with server("serve", "phone.py", "--port", "0", at=shop) as running:
        url = f"http://127.0.0.1:{running.port}/twilio/voice"
        told = agentvoice("call", url, "--script", "caller.yaml", "--out", "out", at=shop, code=0)
        code, took, logged = running.stop(signal.SIGTERM)

    assert "Hello there." in told
    assert (shop / "out" / "call.wav").stat().st_size > 16_000
    assert code == 0
    assert took < AT_ONCE_S
    assert "Traceback" not in logged


@pytest.mark.parametrize("command", [["serve", "phone.py"], ["speech", "--engine", "tone"]])
def test_ctrl_c_ends_a_server_at_once_and_leaves_its_port(shop: Path, command: list[str]) -> None:
    with server(*command, "--port", "0", at=shop) as running:
        code, took, logged = running.stop(signal.SIGINT)
    assert code == 130
    assert took < AT_ONCE_S
    assert "Traceback" not in logged
    socket.create_server(("127.0.0.1", running.port)).close()


@contextmanager
def a_call_under_way(running: Server, at: Path) -> Iterator[subprocess.Popen[str]]:
    (at / "caller.yaml").write_text("- wait_for_agent\n- pause: 60\n")
    caller = subprocess.Popen(
        [*AGENTVOICE, "call", f"http://127.0.0.1:{running.port}/twilio/voice", "--script", "caller.yaml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=at,
        env=environment(),
    )
    try:
        assert any("call_started" in line for line in running.process.stderr or ())
        time.sleep(0.5)  # into the greeting
        yield caller
    finally:
        caller.kill()
        caller.communicate()


def test_ctrl_c_in_the_middle_of_a_call_ends_both_sides_at_once(shop: Path) -> None:
    with server("serve", "phone.py", "--port", "0", at=shop) as running, a_call_under_way(running, shop) as caller:
        code, took, logged = running.stop(signal.SIGINT)
        out, _ = caller.communicate(timeout=10)
    assert code == 130
    assert took < AT_ONCE_S
    assert "Traceback" not in logged
    assert "hung up by the agent" in out


def test_sigterm_lets_a_call_go_on_for_as_long_as_is_set_and_no_longer(shop: Path) -> None:
    with (
        server("serve", "phone.py", "--port", "0", at=shop, AGENTVOICE_SERVER__DRAIN_S="1.5") as running,
        a_call_under_way(running, shop) as caller,
    ):
        code, took, logged = running.stop(signal.SIGTERM)
        out, _ = caller.communicate(timeout=10)
    assert code == 0
    assert 1.5 <= took < 1.5 + AT_ONCE_S
    assert "Traceback" not in logged
    assert "hung up by the agent" in out
