"""`agentvoice serve`."""

from __future__ import annotations

from rich.console import Console
from starlette.applications import Starlette

from agentvoice.server.app import VOICE, create_app
from agentvoice.server.serve import listen, serve_app
from agentvoice.server.supervision import supervision
from agentvoice.settings import Settings

from .assembly import open_host
from .begin import begin
from .locate import locate
from .running import run


def serve(target: str, *, host: str | None, port: int | None, public_url: str | None) -> None:
    """Answer the phone until told to stop."""
    settings = begin(server={"host": host, "port": port, "public_url": public_url})
    agent = locate(target)
    apps: list[Starlette] = []

    async def main() -> None:
        with await listen(settings.server.host, settings.server.port) as listener:
            async with open_host(agent, settings) as calls:
                twilio, supervisor = settings.twilio.auth_token, settings.supervisor.token
                app = create_app(
                    calls,
                    public_url=settings.server.public_url,
                    twilio_auth_token=twilio.get_secret_value() if twilio else None,
                    max_calls=settings.server.max_calls,
                    supervision=supervision(calls.calls, supervisor.get_secret_value()) if supervisor else (),
                )
                apps.append(app)
                await serve_app(app, listener=listener, on_ready=ready)

    def ready(port: int) -> None:
        Console(highlight=False, soft_wrap=True).print(_welcome(agent.__name__, settings, port))

    async def drain() -> None:
        for app in apps:
            await app.state.switchboard.drain(seconds=settings.server.drain_s)

    run(main, drain=drain)


def _welcome(name: str, settings: Settings, port: int) -> str:
    host = settings.server.host
    here = f"{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"
    webhook = f"{settings.server.public_url or f'http://{here}'}{VOICE}"
    return (
        f"[bold]{name}[/] answers the phone at [bold]{webhook}[/]; Ctrl-C stops it\n"
        f"[dim]ring it: agentvoice call http://{here}{VOICE} --script examples/caller/booking.yaml[/]"
    )
