"""An MCP server, made with the official SDK: `python restaurant.py`, or with a port for streamable HTTP."""

import os
import sys

from mcp.server import MCPServer
from mcp.types import ImageContent, ToolAnnotations

server = MCPServer("restaurant")


@server.tool()
async def book(party: int) -> str:
    """Book a table."""
    return f"booked for {party}"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def free() -> list[int]:
    """Which tables are free."""
    return [3, 7]


@server.tool()
async def photograph() -> ImageContent:
    """Take a picture."""
    return ImageContent(type="image", data="", mime_type="image/png")


@server.tool()
async def refuse() -> str:
    """Refuse."""
    raise ValueError("no")


@server.tool()
async def die() -> str:
    """Die."""
    os._exit(1)


if __name__ == "__main__":
    if sys.argv[1:]:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run("stdio")
