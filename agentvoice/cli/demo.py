"""`agentvoice demo`: one phone call, between two voices that this machine has, to look at and listen to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
from anyio import create_task_group, run_process
from rich.console import Console

from agentvoice.assets import ensure, installed_assets
from agentvoice.call import Call
from agentvoice.errors import AgentVoiceError, AssetUnavailable, PluginNotFound, UsageError
from agentvoice.plugins import load
from agentvoice.server.app import VOICE, create_app
from agentvoice.server.serve import listen, serve_app
from agentvoice.settings import Settings
from agentvoice.trace.console import CallView
from agentvoice.trace.folder import TRACE, complete
from agentvoice.trace.log import TraceWriter
from agentvoice.trace.observer import Observer

from .assembly import header, open_host
from .begin import begin
from .locate import locate
from .running import run

_EXAMPLES = [Path(__file__).parents[2] / "examples", Path(__file__).parents[1] / "examples"]
"""In a checkout, and in an installed package."""


def demo(out: Path) -> None:
    """Make the demo's call, show it as it happens, and leave in `out` what can be checked."""
    console = Console(highlight=False)
    settings = _with_a_model(begin(log={"level": "warning"}), console)
    examples = next((folder for folder in _EXAMPLES if folder.is_dir()), None)
    if examples is None:
        raise UsageError("the examples are not installed; run this from a checkout of agentvoice")
    out.mkdir(parents=True, exist_ok=True)
    calls: list[Call] = []

    def observe(call: Call) -> Sequence[Observer]:
        calls.append(call)
        return TraceWriter.create(out / TRACE, header(call)), CallView(console)

    async def main() -> None:
        with await listen("127.0.0.1", 0) as listener:
            async with open_host(locate(f"{examples}/telephony.py"), settings, observe=observe) as host:
                ready = anyio.Event()
                async with create_task_group() as group:
                    group.start_soon(_serve, host, listener, ready)
                    await ready.wait()
                    status.stop()
                    await _ring(listener.getsockname()[1], examples / "caller/booking.yaml", out)
                    group.cancel_scope.cancel()

    with console.status("loading voices and models") as status:
        run(main)
    report = complete(out, notes=calls[0].notes if calls else {})
    _summarise(console, report.facts, out)


def _with_a_model(settings: Settings, console: Console) -> Settings:
    """Return the settings with a script in the place of a language model that cannot be had, and say so."""
    try:
        load("llm", settings.llm)
        for asset in installed_assets().get(settings.llm, ()):
            ensure(asset)
    except (PluginNotFound, AssetUnavailable) as error:
        console.print(f"[yellow]no language model: the agent's answers are a script[/] [dim]({error})[/]")
        return settings.model_copy(update={"llm": "script"})
    return settings


async def _serve(host: Any, listener: Any, ready: anyio.Event) -> None:
    await serve_app(create_app(host), listener=listener, on_ready=lambda _: ready.set())


async def _ring(port: int, script: Path, out: Path) -> None:
    """Ring from a process of its own, so that nothing that happens here can disturb the caller's frames."""
    url = f"http://127.0.0.1:{port}{VOICE}"
    command = [sys.executable, "-m", "agentvoice.cli", "call", url, "--script", str(script), "--out", str(out)]
    ended = await run_process(command, check=False)
    if ended.returncode:
        raise AgentVoiceError(f"the caller gave up: {ended.stderr.decode(errors='replace').strip()}")


def _summarise(console: Console, facts: Any, out: Path) -> None:
    console.print()
    for one in facts["barge_ins"]:
        console.print(
            f"barge-in at {one['at_s']:.2f} s, decided {one['decided_s']:.2f}, cleared {one['cleared_s']:.2f},"
            f" silent {one['silent_s']:.2f}"
        )
    console.print(
        f"[bold]{facts['seconds']:.1f} s[/]; median answer [bold]{facts['response_ms']} ms[/];"
        f" stale frames {facts['stale_frames']}, holes {facts['holes']}, words wrong where cut {facts['words_error']}"
    )
    if facts.get("notes"):
        console.print(f"noted: {facts['notes']}")
    for name in ("call.wav", "timeline.html", "timeline.png", "report.json", "trace.jsonl"):
        console.print(f"[dim]{out}/{name}[/]")
