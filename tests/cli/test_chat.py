"""Talking in writing: the same call, without sound."""

import io
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from anyio import sleep
from rich.console import Console

from agentvoice import Agent, Turn
from agentvoice.cli.chat import talk
from agentvoice.interfaces import Message, ToolCall
from agentvoice.testing.llm import ScriptedModel
from agentvoice.tools import tool

pytestmark = pytest.mark.anyio


class Baker(Agent):
    greeting = "Good morning, the bakery."

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        if turn.prompt == "bye":
            yield "Goodbye."
            self.call.hang_up()
            return
        if turn.prompt == "break":
            raise RuntimeError("no flour")
        for word in f"You said {turn.prompt}, and I say {' '.join(['rye'] * 30)}.".split(" "):
            yield word + " "
            await sleep(0.05)


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    source, sink = os.pipe()
    yield source, sink
    for end in (source, sink):
        with suppress(OSError):  # closed by the test
            os.close(end)


async def have(ends: tuple[int, int], text: str, agent: Agent | None = None, llm: ScriptedModel | None = None) -> str:
    source, sink = ends
    os.write(sink, text.encode())
    os.close(sink)
    written = io.StringIO()
    await talk(agent or Baker(), llm or ScriptedModel(), Console(file=written, width=400), source=source)
    return written.getvalue()


async def test_every_line_is_answered_and_the_end_of_the_lines_hangs_up(ends: tuple[int, int]) -> None:
    lines = (await have(ends, "hello\n\nand now")).splitlines()

    assert lines[0].startswith("Baker answers in writing")
    assert lines[1:3] == ["agent: Good morning, the bakery.", "you: hello"]
    assert lines[3].startswith("agent: You said hello, and I say rye")
    assert [line for line in lines if line.startswith("you: ")] == ["you: hello", "you: ", "you: and now"]
    assert lines[-1].startswith("agent: You said and now, and I say rye")


async def test_slash_hangup_ends_the_call_and_so_may_the_agent(ends: tuple[int, int]) -> None:
    page = await have(ends, "bye\nnever\n")

    assert page.endswith("agent: Goodbye.\n[hung up by the agent]\n")


async def test_nothing_is_said_after_slash_hangup(ends: tuple[int, int]) -> None:
    assert "never" not in await have(ends, "hello\n/hangup\nnever\n")


async def test_a_reply_that_fails_says_why(ends: tuple[int, int]) -> None:
    assert "[failed: RuntimeError: no flour]" in await have(ends, "break\n")


async def test_lines_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("hello\n")
    written = io.StringIO()
    with (tmp_path / "lines.txt").open() as file:
        await talk(Baker(), ScriptedModel(), Console(file=written, width=400), source=file.fileno())

    assert "agent: You said hello" in written.getvalue()


async def test_where_there_are_no_lines_the_agent_is_heard_and_hung_up_on() -> None:
    written = io.StringIO()
    nothing = os.open(os.devnull, os.O_RDONLY)
    await talk(Baker(), ScriptedModel(), Console(file=written, width=400), source=nothing)
    os.close(nothing)

    assert written.getvalue().endswith("agent: Good morning, the bakery.\n")


async def test_who_types_at_a_terminal_cuts_in(ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.isatty", lambda _: True)
    source, sink = ends
    written = io.StringIO()

    class Slow(Baker):
        async def on_call_start(self) -> None:
            os.write(sink, b"hello\n")
            await sleep(1)
            os.write(sink, b"wait\n")
            await sleep(1)
            os.write(sink, b"bye\n")

    await talk(Slow(), ScriptedModel(), Console(file=written, width=400), source=source)

    first, cut, second, _, last, end = written.getvalue().splitlines()[1:]
    assert first.startswith("agent: You said hello, and I say rye")
    assert cut.startswith("[cut off after: You said hello, and")
    assert second.startswith("agent: You said wait, and I say rye")
    assert (last, end) == ("agent: Goodbye.", "[hung up by the agent]")


async def test_tools_are_shown(ends: tuple[int, int]) -> None:
    def answer(messages: list[Message]) -> list[str | ToolCall]:
        return ["It is noted."] if messages[-1].role == "tool" else [ToolCall("1", "book", '{"party": 4}')]

    class Receptionist(Agent):
        @tool
        async def book(self, party: int) -> str:
            """Book a table."""
            return f"a table for {party}"

    page = await have(ends, "A table for four.\n", Receptionist(), ScriptedModel(answer))

    assert '[book {"party": 4}]\n[book done: a table for 4]\nagent: It is noted.' in page
