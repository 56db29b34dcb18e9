"""The tools of MCP servers, as an agent's own."""

from ._server import McpServer as McpServer

__all__ = ["McpServer"]
