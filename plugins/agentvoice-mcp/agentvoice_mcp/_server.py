"""An MCP server as a source of tools, by the official SDK. Each call has a connection of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Container, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio import create_task_group
from httpx2 import HTTPError
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import CONNECTION_CLOSED, CallToolResult, TextContent, Tool as McpTool

from agentvoice.errors import ProviderUnavailable, ToolError
from agentvoice.events import OnInterrupt
from agentvoice.interfaces import ToolSpec
from agentvoice.tools import Tool
from agentvoice.tools.schema import without_titles


class McpServer:
    """The tools of one MCP server. For an agent's `tools`."""

    def __init__(
        self,
        server: str | Sequence[str] | StdioServerParameters,
        *,
        only: Container[str] | None = None,
        on_interrupt: str = OnInterrupt.FINISH_AND_TELL,
        limit_s: float = 10.0,
        meanwhile: str = "",
    ) -> None:
        """`server` is a URL (streamable HTTP), or a command with its arguments, which is run (stdio).

        Args:
            server: where it is, or how it is started.
            only: the tools that the model is told of; all of them by default.
            on_interrupt: as for `agentvoice.tool`. Those that the server says are read-only are pure, and cancelled.
            limit_s: how long one of its tools may run, in seconds.
            meanwhile: what is said when one is slow.
        """
        if not isinstance(server, str | StdioServerParameters):
            command, *arguments = server
            server = StdioServerParameters(command=command, args=arguments)
        self._server = server
        self._only = only
        self._on_interrupt = OnInterrupt(on_interrupt)
        self._limit_s = limit_s
        self._meanwhile = meanwhile

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Sequence[Tool]]:
        """Connect, and have the server's tools.

        Raises:
            ProviderUnavailable: it cannot be reached, or is gone.
        """
        lost = anyio.Event()
        try:
            async with Client(self._server) as client, create_task_group() as group:
                group.start_soon(_raise_when, lost)
                listed = await _listed(client)
                wanted = [each for each in listed if self._only is None or each.name in self._only]
                yield [self._tool(client, each, lost.set) for each in wanted]
                group.cancel_scope.cancel()
        except* (MCPError, OSError, HTTPError, _Lost) as group_of:
            raise ProviderUnavailable("MCP server", f"{self}: {_first(group_of)}") from group_of

    def __str__(self) -> str:
        """Say where it is."""
        return self._server if isinstance(self._server, str) else self._server.command

    def _tool(self, client: Client, listed: McpTool, lose: Callable[[], None]) -> Tool:
        async def work(agent: object, arguments: str) -> str:  # noqa: ARG001
            try:
                result = await client.call_tool(listed.name, _arguments(arguments))
            except MCPError as error:
                if error.code != CONNECTION_CLOSED:
                    raise ToolError(error.message) from error
                lose()
                raise ToolError("the server is gone; whether it was done is not known") from error
            if result.is_error:
                raise ToolError(_text(result))
            return _text(result)

        read_only = bool(listed.annotations and listed.annotations.read_only_hint)
        return Tool(
            spec=ToolSpec(listed.name, listed.description or "", without_titles(listed.input_schema)),
            work=work,
            pure=read_only,
            on_interrupt=OnInterrupt.CANCEL if read_only else self._on_interrupt,
            limit_s=self._limit_s,
            meanwhile=self._meanwhile,
        )


class _Lost(Exception):
    """The connection is gone."""


async def _raise_when(lost: anyio.Event) -> None:
    await lost.wait()
    raise _Lost("the connection is closed")


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _listed(client: Client) -> list[McpTool]:
    """Return all of the server's tools, page by page."""
    page = await client.list_tools()
    tools = list(page.tools)
    while page.next_cursor:
        page = await client.list_tools(cursor=page.next_cursor)
        tools += page.tools
    return tools


def _arguments(arguments: str) -> dict[str, Any]:
    try:
        given = json.loads(arguments.strip() or "{}")
    except ValueError as error:
        raise ToolError(f"the arguments are not JSON: {error}") from error
    if not isinstance(given, dict):
        raise ToolError("the arguments have to be a JSON object")
    return given


def _text(result: CallToolResult) -> str:
    """Return what a result says. Pictures and sounds are only named: the answer will be spoken."""
    parts = [part.text if isinstance(part, TextContent) else f"({part.type})" for part in result.content]
    if not parts and result.structured_content is not None:
        return json.dumps(result.structured_content)
    return "\n".join(parts) or "done"
