"""`agentvoice speech`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from agentvoice import plugins
from agentvoice.errors import UsageError
from agentvoice.server.serve import Tls
from agentvoice.speech.serve import serve

from .begin import begin
from .running import run


def speech(
    *,
    host: str | None,
    port: int | None,
    engine: str | None,
    api_key: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    open_to_all: bool,
    faults: Sequence[str],
) -> None:
    """Serve speech until told to stop."""
    settings = begin(speech={"host": host, "port": port, "api_key": api_key})
    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together; give both, or neither")
    tls = Tls(tls_cert, tls_key) if tls_cert and tls_key else None
    name = engine or settings.engine
    made = plugins.load("engine", name)()
    where, key = settings.speech.host, settings.speech.api_key

    def ready(port: int) -> None:
        address = f"{'wss' if tls else 'ws'}://{where}:{port}/tts/websocket"
        Console(highlight=False).print(f"[bold]{name}[/] speaks at [bold]{address}[/]; Ctrl-C stops it")

    run(
        partial(
            serve,
            made,
            host=where,
            port=settings.speech.port,
            api_key=key.get_secret_value() if key else None,
            tls=tls,
            models=(name,),
            open_to_all=open_to_all,
            faults=faults,
            on_ready=ready,
        )
    )
