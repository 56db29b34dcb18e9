"""`agentvoice speech`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from agentvoice import plugins
from agentvoice.errors import UsageError

try:
    from agentvoice.server.serve import Tls
    from agentvoice.speech.hearing.ears import Ears
    from agentvoice.speech.lexicon import Lexicons
    from agentvoice.speech.serve import serve
except ModuleNotFoundError as missing:
    raise UsageError("the speech server is an extra; try: pip install 'agentvoice[speech]'") from missing

from .begin import begin
from .running import run


def speech(
    *,
    host: str | None,
    port: int | None,
    engine: str | None,
    recognizer: str | None,
    api_key: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    open_to_all: bool,
    allow_origins: Sequence[str],
    lexicon: Path | None,
    faults: Sequence[str],
) -> None:
    """Serve speech until told to stop."""
    settings = begin(speech={"host": host, "port": port, "api_key": api_key})
    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together; give both, or neither")
    tls = Tls(tls_cert, tls_key) if tls_cert and tls_key else None
    name = engine or settings.engine
    made = plugins.load("engine", name)()
    ears = Ears.by_name(recognizer, vad=settings.vad) if recognizer else None
    where, key = settings.speech.host, settings.speech.api_key

    def ready(port: int) -> None:
        console = Console(highlight=False, soft_wrap=True)
        address, secure = f"[{where}]:{port}" if ":" in where else f"{where}:{port}", "s" if tls else ""
        console.print(f"[bold]{name}[/] speaks at [bold]ws{secure}://{address}/tts/websocket[/]; Ctrl-C stops it")
        console.print(f"hear it: curl -o hello.wav http{secure}://{address}/voices/{made.voices[0].id}/preview")
        if ears:
            console.print(f"[bold]{ears.name}[/] listens at [bold]ws{secure}://{address}/stt/websocket[/]")
        if faults:
            console.print(f"[yellow]misbehaves on purpose: {', '.join(faults)}[/]")

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
            allow_origins=allow_origins,
            lexicons=Lexicons.load(lexicon) if lexicon else None,
            faults=faults,
            ears=ears,
            on_ready=ready,
        )
    )
