"""Edge: an HTTP endpoint that streams a language model's answers, or answers a form at once. Needs httpx2, which the
plugins that use it bring."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx2
from anyio.lowlevel import RunVar

from .errors import ProviderError, ProviderUnavailable
from .llm_failures import refusal
from .logger import Logger
from .sse import read_events

log = Logger(__name__)

_LIMITS: Final = httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=300)
"""A caller thinks for longer than the five seconds for which the client would keep a connection by default."""
_CONNECT_S: Final = 5.0
_KEY_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_BROKEN: Final = (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError)


class Endpoint:
    """One provider's endpoint, shared by all calls of the process. Connections are kept, one pool an event loop."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        *,
        headers: Mapping[str, str],
        hints: Mapping[int, str],
        silence_s: float = 30.0,
    ) -> None:
        """Prepare to ask. `hints` say for an HTTP status what has to be set; nothing may be silent for longer than
        `silence_s`.
        """
        self._provider = provider
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers)
        self._hints = hints
        self._timeout = httpx2.Timeout(silence_s, connect=_CONNECT_S)
        self._clients = RunVar[httpx2.AsyncClient | None](f"{provider} at {base_url}", None)

    async def reach(self, path: str) -> None:
        """Connect ahead of the first request, by asking for what costs nothing.

        Raises:
            ProviderRejected: the key is wrong. Whatever else may be wrong is only logged.
        """
        try:
            response = await self._client.get(self._base_url + path)
        except httpx2.HTTPError as error:
            log.warning("endpoint_out_of_reach", provider=self._provider, reason=self._reason(error))
            return
        if response.status_code in _KEY_REFUSED:
            raise self._refusal(response, response.content)

    async def events(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[Any]:
        """Ask, and yield the data of each event of the answer, read as JSON. Closing it closes the connection at once.

        Raises:
            ProviderError: the endpoint refuses, cannot be reached, breaks off, or makes no sense.
        """
        async with (
            self._asking(path, json=body) as response,
            aclosing(read_events(response.aiter_bytes())) as events,
        ):
            async for data in events:
                yield json.loads(data)

    async def answer(
        self, path: str, fields: Mapping[str, str | Sequence[str]], files: Mapping[str, tuple[str, bytes, str]]
    ) -> Any:
        """Send a form, and return the whole answer, read as JSON. A file has a name, its content and a media type.

        Raises:
            ProviderError: as `events`.
        """
        async with self._asking(path, data=fields, files=files) as response:
            return json.loads(await response.aread())

    async def aclose(self) -> None:
        """Close the connections that this event loop has."""
        if (client := self._clients.get()) is not None:
            self._clients.set(None)
            await client.aclose()

    @asynccontextmanager
    async def _asking(self, path: str, **content: Any) -> AsyncIterator[httpx2.Response]:
        """Send a request, and give its response, not read yet. Leaving before it was read closes the connection."""
        try:
            response = await self._ask(path, content)
            try:
                if response.is_error:
                    raise self._refusal(response, await response.aread())
                yield response
            finally:
                await response.aclose()
        except httpx2.HTTPError as error:
            raise ProviderUnavailable(self._provider, self._reason(error)) from error
        except ValueError as error:
            raise ProviderUnavailable(self._provider, f"its answer makes no sense: {error}") from error

    async def _ask(self, path: str, content: Mapping[str, Any]) -> httpx2.Response:
        """Send a request, and return its response, not read yet.

        Once more if the connection broke before the response began: it had been kept, and the peer had given it up.
        """
        try:
            return await self._send(path, content)
        except _BROKEN:
            return await self._send(path, content)

    async def _send(self, path: str, content: Mapping[str, Any]) -> httpx2.Response:
        request = self._client.build_request("POST", self._base_url + path, **content)
        return await self._client.send(request, stream=True)

    @property
    def _client(self) -> httpx2.AsyncClient:
        client = self._clients.get()
        if client is None:
            client = httpx2.AsyncClient(headers=self._headers, timeout=self._timeout, limits=_LIMITS)
            self._clients.set(client)
        return client

    def _refusal(self, response: httpx2.Response, body: bytes) -> ProviderError:
        wait = response.headers.get("retry-after")
        return refusal(self._provider, response.status_code, body, retry_after=wait, hints=self._hints)

    def _reason(self, error: httpx2.HTTPError) -> str:
        """Say what went wrong with a connection."""
        match error:
            case httpx2.ConnectError() | httpx2.ConnectTimeout():
                return f"nobody answers at {self._base_url}"
            case httpx2.TimeoutException():
                return f"no word came from {self._base_url} for {self._timeout.read:g} s"
            case _:
                return f"the connection to {self._base_url} broke off ({str(error) or type(error).__name__})"
