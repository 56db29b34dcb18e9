"""The commands, and how they introduce themselves. What they do is loaded when they are called."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from .trace import traces

app = typer.Typer(
    help="Voice agents over the phone: turns, contexts and interruptions that can be trusted.",
    epilog="Settings come from [bold]AGENTVOICE_...[/] variables and [bold].env[/]: AGENTVOICE_SERVER__PORT=9000.",
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Host = Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for every one.", show_default=False)]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes any free one.", show_default=False)]


def _version(wanted: bool) -> None:  # noqa: FBT001  # Typer's signature
    if wanted:
        typer.echo(f"agentvoice {version('agentvoice')}")
        raise typer.Exit


@app.callback()
def agentvoice(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from. May stand anywhere.")] = False,
) -> None:
    """Voice agents over the phone: turns, contexts and interruptions that can be trusted."""


def _example(*lines: str, name: str | None = None) -> Callable[..., Any]:
    """Register a command whose help ends with commands to try. It is called like its function, or by `name`."""
    return app.command(name, epilog="\n\n".join(f"[dim]$[/] {line}" for line in lines))


@_example("agentvoice demo", "agentvoice demo --out out/mine")
def demo(
    out: Annotated[Path, typer.Option(help="Where the recording, the trace, the report and the picture go.")] = Path(
        "out/demo"
    ),
) -> None:
    """Make one phone call between two embedded voices, with a barge-in, and watch it happen."""
    from .demo import demo as command  # noqa: PLC0415

    command(out)


@_example(
    "agentvoice serve examples/telephony.py:Receptionist",
    "agentvoice serve mycompany.agents:Receptionist --port 9000 --public-url https://example.ngrok.app",
)
def serve(
    target: Annotated[str, typer.Argument(metavar="MODULE:AGENT", help="A module or a .py file, and a class in it.")],
    *,
    host: Host = None,
    port: Port = None,
    public_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="How the carrier reaches this server, if a request does not tell."),
    ] = None,
) -> None:
    """Answer the phone with your agent.

    Point your Twilio number's voice webhook at [bold]/twilio/voice[/] of this server, or ring it with
    [bold]agentvoice call[/]. Ctrl-C stops at once; SIGTERM lets live calls end first.
    """
    from .serve import serve as command  # noqa: PLC0415

    command(target, host=host, port=port, public_url=public_url)


@_example(
    "agentvoice speech",
    "agentvoice speech --host 0.0.0.0 --port 8000 --api-key secret --engine piper",
    "agentvoice speech --engine piper --recognizer moonshine",
    "agentvoice speech --engine tone --fault drop:bytes=4000 --fault 429:p=0.2 --fault seed=7",
)
def speech(
    *,
    host: Host = None,
    port: Port = None,
    engine: Annotated[str | None, typer.Option(help="Which voices; [bold]agentvoice plugins[/] lists them.")] = None,
    recognizer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Understand speech, too, by [bold]moonshine[/], for one.")
    ] = None,
    api_key: Annotated[str | None, typer.Option(help="What clients must show. Needed beyond loopback.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate, in PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, in PEM.")] = None,
    open_to_all: Annotated[bool, typer.Option("--open-to-all", help="Beyond loopback, and without a key.")] = False,
    allow_origin: Annotated[
        list[str] | None, typer.Option(metavar="ORIGIN", help="Web pages that may use it without a key; repeatable.")
    ] = None,
    lexicon: Annotated[
        Path | None, typer.Option(metavar="FILE", help='How words are read, in TOML: ACME = "ack me".')
    ] = None,
    fault: Annotated[list[str] | None, typer.Option(metavar="FAULT", help="Misbehave on purpose; repeatable.")] = None,
) -> None:
    """Serve text-to-speech over the context WebSocket, to any client of that protocol; and recognition.

    Faults, for testing a client: [bold]drop:bytes=20000[/], [bold]stall:bytes=20000,seconds=30[/],
    [bold]ignore-cancel[/], [bold]talk-after-cancel:seconds=0.5[/], [bold]late-done[/], [bold]nameless-error[/],
    [bold]429[/], [bold]never-done[/]; each takes [bold]p=0.3[/], and [bold]seed=7[/] chooses which it befalls.
    """
    from .speech import speech as command  # noqa: PLC0415

    command(
        host=host,
        port=port,
        engine=engine,
        recognizer=recognizer,
        api_key=api_key,
        tls_cert=tls_cert,
        tls_key=tls_key,
        open_to_all=open_to_all,
        allow_origins=allow_origin or [],
        lexicon=lexicon,
        faults=fault or [],
    )


@_example(
    "agentvoice call ws://127.0.0.1:8080/twilio/media --script examples/booking.yaml",
    "agentvoice call http://127.0.0.1:8080/twilio/voice --script examples/booking.yaml --out out/call",
)
def call(
    url: Annotated[str, typer.Argument(metavar="URL", help="An agent's media stream (ws) or voice webhook (http).")],
    script: Annotated[Path, typer.Option(metavar="FILE", help="What the caller says and does, in YAML.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the recording goes.")] = Path("out/call"),
) -> None:
    """Ring an agent as a simulated caller, in real time, and record both sides."""
    from .call import call as command  # noqa: PLC0415

    command(url, script=script, out=out)


@_example("agentvoice chat examples/telephony.py:Receptionist", "agentvoice chat baker.py < lines.txt")
def chat(
    target: Annotated[str, typer.Argument(metavar="MODULE:AGENT", help="A module or a .py file, and a class in it.")],
) -> None:
    """Talk to your agent in writing: the same turns and tools, no voices.

    What you type while it writes cuts it off. [bold]/hangup[/] or Ctrl-D ends the call.
    """
    from .chat import chat as command  # noqa: PLC0415

    command(target)


@_example(
    "agentvoice test examples/scenarios",
    "agentvoice test scenarios/ --junit out/junit.xml",
    "agentvoice test booking.yaml --only 'changes her mind' --seed 7",
    name="test",
)
def try_out(
    places: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Scenario files, or folders of them.")],
    *,
    only: Annotated[str, typer.Option(metavar="TEXT", help="Only scenarios whose name contains this.")] = "",
    seed: Annotated[int | None, typer.Option(help="Only this variation.", show_default=False)] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as there are cores.", show_default=False)
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML there too.", show_default=False)
    ] = None,
    judge: Annotated[
        str | None, typer.Option(metavar="LLM", help="Which language model answers 'judge'.", show_default=False)
    ] = None,
) -> None:
    """Try out your agent on scenarios: whole calls in memory, in many variations, in seconds.

    Nothing is loaded and nothing is heard: the caller, the voice, the recogniser and the network are doubles.
    """
    from .test import test as command  # noqa: PLC0415

    command(places, only=only, seed=seed, jobs=jobs, junit=junit, judge=judge)


@_example("agentvoice replay out/demo/trace.jsonl", "agentvoice replay tests/traces/booking.jsonl --accept")
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A trace: JSON lines.")],
    *,
    accept: Annotated[bool, typer.Option("--accept", help="Write into it what is decided today.")] = False,
) -> None:
    """Run a recorded call again: the same inputs must lead to the same decisions.

    The exit code is 1 where they do not, and the first that differs is shown with its line.
    """
    from .replay import replay as command  # noqa: PLC0415

    command(file, accept=accept)


app.add_typer(traces, name="trace")


@_example("agentvoice fetch", "agentvoice fetch piper moonshine")
def fetch(
    names: Annotated[list[str] | None, typer.Argument(metavar="[PLUGIN]...", help="All that are installed.")] = None,
) -> None:
    """Download the models and voices of the installed plugins, so that nothing has to wait for them later."""
    from .fetch import fetch as command  # noqa: PLC0415

    command(names or [])


@_example("agentvoice voices", "agentvoice voices cartesia --language de")
def voices(
    name: Annotated[
        str | None, typer.Argument(metavar="[PLUGIN]", help="An engine or a provider; the one that is set, otherwise.")
    ] = None,
    *,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="Only those of this language.")] = None,
) -> None:
    """List the voices that your agent may have."""
    from .voices import voices as command  # noqa: PLC0415

    command(name, language=language)


@_example("agentvoice plugins")
def plugins() -> None:
    """List the installed plugins, by what they do."""
    from .plugins import plugins as command  # noqa: PLC0415

    command()
