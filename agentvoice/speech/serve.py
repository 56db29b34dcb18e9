"""Edge: the speech server as one task: `agentvoice speech` awaits it, the demo starts it beside a call."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

from anyio import to_thread

from agentvoice.errors import UsageError
from agentvoice.interfaces import SpeechEngine
from agentvoice.server.serve import Tls, listen, serve_app

from .app import create_app
from .faults import Faults
from .hearing.ears import Ears
from .lexicon import Lexicons
from .limits import Limits
from .origins import Origins
from .service import MAX_CONTEXTS, SpeechService


async def serve(
    engine: SpeechEngine,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    api_key: str | None = None,
    open_to_all: bool = False,
    allow_origins: Sequence[str] = (),
    tls: Tls | None = None,
    limits: Limits | None = None,
    max_contexts: int = MAX_CONTEXTS,
    workers: int = 2,
    models: tuple[str, ...] = (),
    lexicons: Lexicons | None = None,
    faults: Sequence[str] = (),
    ears: Ears | None = None,
    on_ready: Callable[[int], None] | None = None,
) -> None:
    """Load the engine and serve it until cancelled. asyncio only, as uvicorn is.

    `on_ready` is called with the port once connections are accepted; port 0 takes any free one. `models` are model
    ids that are accepted besides those that begin with `sonic`: the name of the engine, for one. `faults` are what
    goes wrong on purpose, as in `faults.py`. `ears` recognise what is said to it; they load when they are first needed.
    `allow_origins` are web pages that may use it, as in `origins.py`.

    Raises:
        UsageError: the port is in use, the certificate cannot be read, the voice cannot be had, or `host` is more
            than this machine and there is no key; the message says what to do.
    """
    if api_key is None and not open_to_all and not is_loopback(host):
        raise UsageError(
            f"anybody who reaches {host} could use this server; give it a key with --api-key, or keep it to this"
            " machine with --host 127.0.0.1"
        )
    service = SpeechService(
        engine,
        api_key=api_key,
        origins=Origins(allow_origins, everyone=open_to_all or api_key is not None),
        limits=limits,
        max_contexts=max_contexts,
        workers=workers,
        models=models,
        lexicons=lexicons,
        faults=Faults.parse(faults) if faults else None,
        ears=ears,
    )
    with await listen(host, port) as listener:  # a port in use is said before a voice is loaded
        await to_thread.run_sync(service.prepare, abandon_on_cancel=True)
        app = create_app(service)
        await serve_app(app, host=host, port=port, listener=listener, on_ready=on_ready, tls=tls)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
