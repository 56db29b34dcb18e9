"""`agentvoice chat`: the same turns and tools as on the phone, in writing."""

from __future__ import annotations

import os
import stat
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from anyio import create_task_group, sleep, to_thread, wait_readable
from rich.console import Console

from agentvoice.agent import Agent
from agentvoice.call import Call
from agentvoice.clock import current_time
from agentvoice.commands import Command, HangUp, TurnClosed, TurnOpened, TurnState
from agentvoice.events import (
    Event,
    PlayRequested,
    ReplyMended,
    SayRequested,
    TextProduced,
    ToolEnded,
    ToolRequested,
)
from agentvoice.history import History
from agentvoice.host import Warms
from agentvoice.interfaces import LanguageModel
from agentvoice.llm import NO_MODEL
from agentvoice.testing.typed import SilentVoice, TypedEars, TypedLine

from .assembly import load_llm
from .begin import begin
from .locate import locate
from .running import run

_SILENCE_S: Final = 0.02
"""After a line nobody has to be waited for: it is whole."""
_SETTLED_S: Final = 0.3
"""For how long nobody has had the floor when the next line of a file is said."""
_STEP_S: Final = 0.05


def chat(target: str) -> None:
    """Talk to an agent in writing until one of the two hangs up."""
    settings = begin(log={"level": "error"})
    kind = locate(target)
    llm = load_llm(kind, settings.llm)
    console = Console(highlight=False, soft_wrap=True)

    async def main() -> None:
        with console.status("loading the language model"):
            await to_thread.run_sync(llm.prepare, abandon_on_cancel=True)
            if isinstance(llm, Warms):
                await llm.warm(History(kind.instructions).messages())
        await talk(kind(), llm, console)

    run(main)


async def talk(agent: Agent, llm: LanguageModel, console: Console, *, source: int | None = None) -> None:
    """Carry one call in writing; lines come from the file descriptor `source`, standard input by default."""
    source = sys.stdin.fileno() if source is None else source
    patient = replace(agent.manners.endpointing, silence_s=_SILENCE_S, patience_s=_SILENCE_S)
    agent.manners = replace(agent.manners, endpointing=patient, speculate=False)
    if agent.llm is NO_MODEL:
        agent.llm = llm
    line, ears = TypedLine(), list[TypedEars]()

    def listen(deliver: object) -> TypedEars:
        ears.append(TypedEars(deliver))  # type: ignore[arg-type]
        return ears[-1]

    call = Call("chat", agent, line, SilentVoice(), listen)
    call.observers = (_Page(console),)
    console.print(f"[bold]{type(agent).__name__}[/] [dim]answers in writing; /hangup or Ctrl-D ends the call[/]")
    try:
        async with create_task_group() as group:
            group.start_soon(_type, call, ears[0], line, source, console)
            await call.run()
            group.cancel_scope.cancel()
    finally:
        line.close()


async def _type(call: Call, ears: TypedEars, line: TypedLine, source: int, console: Console) -> None:
    """Say every line, and hang up after the last."""
    lines = _Lines(source)
    while (text := await lines.next()) is not None:
        if not os.isatty(source):
            await _quiet(call)
            console.print(f"you: {text.strip()}", style="dim", markup=False)
        if text.strip() == "/hangup":
            break
        if text.strip():
            ears.hear(text.strip())
    if not os.isatty(source):
        await _quiet(call)
    line.hang_up("caller")


async def _quiet(call: Call) -> None:
    """Wait until the agent has had its say: who reads from a file has no eyes to see that."""
    since = current_time()
    while current_time() < since + _SETTLED_S:
        await sleep(_STEP_S)
        if call.turn is not None:
            since = current_time()


class _Lines:
    """Lines of a file descriptor, as they come. No thread waits for them: the call may end while nobody types."""

    def __init__(self, source: int) -> None:
        self._source = source
        mode = os.fstat(source).st_mode
        self._waits = os.isatty(source) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)  # all else is there at once
        self._lines: deque[str] = deque()
        self._rest = b""
        self._over = False

    async def next(self) -> str | None:
        """Wait for a line; `None` when there are no more."""
        while not self._lines and not self._over:
            if self._waits:
                await wait_readable(self._source)
            read = os.read(self._source, 4096)
            self._over = not read
            *lines, self._rest = (self._rest + read).split(b"\n")
            if self._over and self._rest:
                lines.append(self._rest)
            self._lines += [line.decode(errors="replace") for line in lines]
        return self._lines.popleft() if self._lines else None


class _Page:
    """Writes down what happens. An `Observer`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._texts: dict[str, str] = {}  # what was asked to be said, by turn
        self._tools: dict[str, str] = {}
        self._written = ""

    def received(self, now: float, event: Event | None) -> None:  # noqa: ARG002
        """Write what the agent produces."""
        match event:
            case SayRequested(turn_id, text) | PlayRequested(turn_id, _, text):
                self._texts[turn_id] = text
            case TextProduced(_, text):
                self._write(text)
            case ToolRequested(_, tool_call_id, name, arguments):
                self._tools[tool_call_id] = name
                self._aside(f"{name} {arguments}")
            case ToolEnded(tool_call_id, outcome, result):
                self._aside(f"{self._tools.get(tool_call_id, tool_call_id)} {outcome}: {result}")
            case ReplyMended(_, reason):
                self._aside(f"failed: {reason}")

    def decided(self, now: float, commands: Sequence[Command]) -> None:  # noqa: ARG002
        """Begin and end lines with turns."""
        for command in commands:
            match command:
                case TurnOpened(turn_id):
                    self._write(self._texts.pop(turn_id, ""))
                case HangUp():
                    self._aside("hung up by the agent")
                case TurnClosed(outcome=TurnState.INTERRUPTED, heard=heard):
                    self._aside(f"cut off after: {heard.text if heard else ''}")
                case TurnClosed(outcome=TurnState.FAILED, reason=reason):
                    self._aside(f"failed: {reason}")
                case TurnClosed():
                    self._end()

    def closed(self) -> None:
        """Leave the cursor at the beginning of a line."""
        self._end()

    def _write(self, text: str) -> None:
        if text and not self._written:
            self._console.print("agent: ", style="bold blue", end="")
        self._written += text
        self._console.print(text, end="", markup=False)

    def _aside(self, text: str) -> None:
        self._end()
        self._console.print(f"[{text}]", style="dim", markup=False)

    def _end(self) -> None:
        if self._written:
            self._console.print()
        self._written = ""
