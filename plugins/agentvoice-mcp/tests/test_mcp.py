"""A real MCP server, in a process of its own, over stdio and over HTTP."""

import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL

import pytest
from anyio import connect_tcp, create_task_group, fail_after, open_process, sleep
from mcp import StdioServerParameters

from agentvoice import Agent
from agentvoice.errors import ProviderUnavailable, ToolError
from agentvoice.events import OnInterrupt
from agentvoice.history import ToolUse
from agentvoice.interfaces import Message, Thought, ToolCall
from agentvoice.testing.llm import ScriptedModel
from agentvoice.testing.script import hangs_up, says, waits_for_agent
from agentvoice.testing.simulate import simulate
from agentvoice.tools import Tool, ToolSource
from agentvoice.tools.running import Running
from agentvoice_mcp import McpServer

pytestmark = [pytest.mark.anyio, pytest.mark.sockets]

RESTAURANT = [sys.executable, str(Path(__file__).with_name("restaurant.py"))]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take long to start a process."""
    monkeypatch.setattr("agentvoice.tools.running.OPENING_S", 60)


@asynccontextmanager
async def tools_of(server: McpServer) -> AsyncIterator[Mapping[str, Tool]]:
    with fail_after(100):
        async with server.opened() as tools:
            yield {tool.spec.name: tool for tool in tools}


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """The restaurant over HTTP, at a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with await open_process([*RESTAURANT, str(port)], stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            with fail_after(60):
                while True:
                    try:
                        await (await connect_tcp("127.0.0.1", port)).aclose()
                        break
                    except OSError:
                        await sleep(0.05)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


async def test_over_stdio_its_tools_are_told_run_and_answered() -> None:
    server = McpServer(RESTAURANT, limit_s=5, meanwhile="One moment.")
    async with tools_of(server) as tools:
        book = tools["book"]
        assert book.spec.description == "Book a table."
        assert book.spec.parameters["properties"] == {"party": {"type": "integer"}}
        assert (book.pure, book.on_interrupt, book.limit_s, book.meanwhile) == (
            False,
            OnInterrupt.FINISH_AND_TELL,
            5,
            "One moment.",
        )
        assert await book.work(None, '{"party": 2}') == "booked for 2"
        assert await tools["photograph"].work(None, "") == "(image)"
    assert isinstance(server, ToolSource)


async def test_over_http_it_is_the_same() -> None:
    async with served() as url, tools_of(McpServer(url, only={"book", "free"})) as tools:
        assert sorted(tools) == ["book", "free"]
        assert await tools["book"].work(None, '{"party": 2}') == "booked for 2"


async def test_what_the_server_says_is_read_only_is_pure_and_cancelled() -> None:
    async with tools_of(McpServer(StdioServerParameters(command=RESTAURANT[0], args=RESTAURANT[1:]))) as tools:
        assert (tools["free"].pure, tools["free"].on_interrupt) == (True, OnInterrupt.CANCEL)
        assert await tools["free"].work(None, "{}") == "3\n7"


async def test_what_goes_wrong_there_is_told_to_the_model() -> None:
    async with tools_of(McpServer(RESTAURANT)) as tools:
        for name, arguments, told in [
            ("refuse", "{}", "Error executing tool refuse"),
            ("book", '{"party": "many"}', "party"),
            ("book", "[2]", "the arguments have to be a JSON object"),
            ("book", "{", "the arguments are not JSON"),
        ]:
            with pytest.raises(ToolError, match=told):
                await tools[name].work(None, arguments)


async def test_a_server_that_cannot_be_reached_is_named() -> None:
    for server, name in [(["no-such-command-here"], "no-such-command-here"), ("http://127.0.0.1:1/mcp", "127.0.0.1:1")]:
        with pytest.raises(ProviderUnavailable, match=name):
            async with tools_of(McpServer(server)):
                pass


async def test_a_server_that_dies_is_told_to_the_model_and_reported() -> None:
    told = ""

    async def live_with_it() -> None:
        nonlocal told
        async with tools_of(McpServer(RESTAURANT)) as tools:
            try:
                await tools["die"].work(None, "{}")
            except ToolError as error:
                told = str(error)
            await sleep(10)

    with pytest.raises(ProviderUnavailable, match="the connection is closed"):
        await live_with_it()
    assert told == "the server is gone; whether it was done is not known"


async def test_a_server_that_dies_is_started_again() -> None:
    class Receptionist(Agent):
        tools = (McpServer(RESTAURANT, only={"book", "die"}),)

    agent = Receptionist()
    running = Running("k", lambda _: None)
    with fail_after(100):
        async with create_task_group() as group:
            running.begin(group, agent)
            toolbox = await running.toolbox(agent)
            with pytest.raises(ToolError):
                await toolbox["die"].work(agent, "{}")
            await sleep(0.1)
            assert (await running.toolbox(agent)).specs == []
            while not (toolbox := await running.toolbox(agent)).specs:  # noqa: ASYNC110 - it comes in its own time
                await sleep(0.05)
            assert await toolbox["book"].work(agent, '{"party": 2}') == "booked for 2"
            group.cancel_scope.cancel()


async def test_a_server_that_dies_in_mid_call_does_not_end_the_call() -> None:
    class Receptionist(Agent):
        tools = (McpServer(RESTAURANT),)

    def answer(messages: Sequence[Message]) -> str | Sequence[Thought]:
        if messages[-1].role == "tool":
            return "I am afraid our book is closed."
        return [ToolCall("c1", "die", "{}")]

    call = await simulate(
        Receptionist(),
        [says("A table for two."), waits_for_agent(limit_s=60), hangs_up()],
        llm=ScriptedModel(answer),
    )

    assert [turn.heard for turn in call.turns] == ["I am afraid our book is closed."]
    assert [entry.result for entry in call.history if isinstance(entry, ToolUse)] == [
        "error: the server is gone; whether it was done is not known"
    ]
    assert call.overrun_s <= 1
