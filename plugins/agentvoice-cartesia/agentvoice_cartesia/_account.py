"""Where Cartesia is, and how it wants to be greeted."""

from __future__ import annotations

import os
from typing import Final

from agentvoice.errors import UsageError

PROVIDER: Final = "cartesia"
VERSION: Final = "2026-03-01"
"""The version of the API that is asked for: errors are structured from here on."""
URL: Final = "https://api.cartesia.ai"


def base_url(given: str | None) -> str:
    """Return where the service is: as given, as `CARTESIA_BASE_URL` says, or where it is hosted."""
    return (given or os.environ.get("CARTESIA_BASE_URL") or URL).rstrip("/")


def socket_url(base: str, path: str) -> str:
    """Return the address of a socket."""
    return ("ws" + base.removeprefix("http") if base.startswith("http") else base) + path


def headers(api_key: str | None, access_token: str | None) -> dict[str, str]:
    """Return how the service knows who asks, by a key from `CARTESIA_API_KEY` if none is given.

    Raises:
        UsageError: there is none.
    """
    version = {"Cartesia-Version": VERSION}
    if access_token:
        return version | {"Authorization": f"Bearer {access_token}"}
    api_key = api_key or os.environ.get("CARTESIA_API_KEY")
    if not api_key:
        raise UsageError("Cartesia wants an API key; set CARTESIA_API_KEY, or pass api_key=...")
    return version | {"X-API-Key": api_key}
