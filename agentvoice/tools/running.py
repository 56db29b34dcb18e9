"""The running of one call's tools: an edge. What is run, and when, the call's conversation decides (`errands`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

import anyio
from anyio import CancelScope, move_on_after, sleep, sleep_forever
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint_if_cancelled

from agentvoice.commands import AnswerTool, StartTool, StopTool
from agentvoice.errors import ToolError
from agentvoice.events import Event, TextPaused, ToolEnded, ToolOutcome, ToolRequested
from agentvoice.interfaces import ToolCall
from agentvoice.logger import Logger
from agentvoice.tts.backoff import Backoff
from agentvoice.turn import Turn

from .declaration import Tool, Toolbox, ToolSource, tools_of

log = Logger(__name__)

OPENING_S: Final = 3.0
"""How long an answer waits for tools that come from a source, such as a server."""

LONGEST: Final = 200
"""How many characters of an unexpected error the model is told."""


@dataclass(slots=True, eq=False)
class Asked:
    """A request for a tool, whose answer somebody waits for."""

    call: ToolCall
    tool: Tool
    agent: object
    answered: anyio.Event = field(default_factory=anyio.Event)
    result: str = ""

    @property
    def id(self) -> str:
        """What the answer is labelled with."""
        return self.call.id


@dataclass(slots=True, eq=False)
class _Opening:
    """A source of tools, and what it has brought by now."""

    settled: anyio.Event = field(default_factory=anyio.Event)
    tools: Sequence[Tool] = ()


class Running:
    """One call's tools. Their tasks are the call's: a tool may outlive its turn, but not its call."""

    def __init__(self, call_id: str, deliver: Callable[[Event], None]) -> None:
        """`deliver` takes what happens to the tools to the conversation."""
        self._call_id = call_id
        self._deliver = deliver
        self._group: TaskGroup
        self._waiting: dict[str, Asked] = {}
        self._scopes: dict[str, CancelScope] = {}
        self._idle = anyio.Event()
        self._ids: set[str] = set()
        self._sources: dict[int, _Opening] = {}

    def begin(self, group: TaskGroup, agent: object) -> None:
        """Take the call's task group, and open the agent's sources while it says its greeting."""
        self._group = group
        for each in tools_of(agent):
            if isinstance(each, ToolSource):
                self._open(each)

    # ------------------------------------------------------------------ for whoever talks to the model

    async def toolbox(self, agent: object) -> Toolbox:
        """Return the tools that an agent has now. Waits a little for a source that is not open yet."""
        tools: list[Tool] = []
        for each in tools_of(agent):
            if isinstance(each, ToolSource):
                opening = self._open(each)
                with move_on_after(OPENING_S):
                    await opening.settled.wait()
                tools += opening.tools
            else:
                tools.append(each)
        return Toolbox(tools)

    @contextmanager
    def ask(
        self,
        turn: Turn,
        agent: object,
        toolbox: Toolbox,
        calls: Sequence[ToolCall],
        *,
        round: int,  # noqa: A002
    ) -> Iterator[Sequence[Asked]]:
        """Ask for tools, all at once. The answers come in their own time, for as long as this is entered."""
        asked: list[Asked] = []
        for call in {call.id or str(index): call for index, call in enumerate(calls)}.values():  # each id once
            tool = toolbox[call.name]
            one = Asked(ToolCall(self._unique(call.id), call.name, call.arguments), tool, agent)
            self._waiting[one.id] = one
            asked.append(one)
            self._deliver(
                ToolRequested(
                    turn_id=turn.id,
                    tool_call_id=one.id,
                    name=call.name,
                    arguments=call.arguments,
                    round=round,
                    pure=tool.pure,
                    on_interrupt=tool.on_interrupt,
                )
            )
        try:
            yield asked
        finally:
            for one in asked:
                del self._waiting[one.id]

    def pause(self, turn: Turn) -> None:
        """Say that the turn's text does not go on at once: what there is shall be spoken."""
        self._deliver(TextPaused(turn.id))

    def _unique(self, call_id: str) -> str:
        """Return an id that the call has not seen: some models begin anew with every message."""
        unique, number = call_id or "call", 1
        while unique in self._ids:
            number += 1
            unique = f"{call_id or 'call'}-{number}"
        self._ids.add(unique)
        return unique

    # ------------------------------------------------------------------ what the conversation decides

    def perform(self, command: StartTool | StopTool | AnswerTool) -> None:
        """Carry out what was decided. Never waits."""
        tool_call_id = command.tool_call_id
        asked = self._waiting.get(tool_call_id)
        match command:
            case StartTool() if asked is not None:
                self._start(asked)
            case StartTool():  # who asked has left without an answer
                self._deliver(ToolEnded(tool_call_id, ToolOutcome.CANCELLED, "cancelled: no longer wanted"))
            case StopTool() if tool_call_id in self._scopes:
                self._scopes[tool_call_id].cancel()
            case AnswerTool(_, result) if asked is not None:
                asked.result = result
                asked.answered.set()
            case _:
                pass  # it has ended, or nobody waits for it any more

    async def finish(self) -> None:
        """Wait until no tool runs. Whoever has no time for that cancels this, and the tools with the call."""
        if self._scopes:
            await self._idle.wait()

    # ------------------------------------------------------------------ its tasks

    def _start(self, asked: Asked) -> None:
        if not self._scopes:
            self._idle = anyio.Event()
        scope = self._scopes[asked.id] = CancelScope()
        self._group.start_soon(self._run, asked, scope)

    async def _run(self, asked: Asked, scope: CancelScope) -> None:
        outcome, result = ToolOutcome.CANCELLED, "cancelled"
        try:
            with scope:
                outcome, result = await self._work(asked)
        finally:
            del self._scopes[asked.id]
            if not self._scopes:
                self._idle.set()
            self._deliver(ToolEnded(asked.id, outcome, result))

    async def _work(self, asked: Asked) -> tuple[ToolOutcome, str]:
        """Do what a tool does, and return what the model is to be told of it."""
        tool = asked.tool
        await checkpoint_if_cancelled()  # one that never waits would not notice
        try:
            with move_on_after(tool.limit_s):
                return ToolOutcome.DONE, await tool.work(asked.agent, asked.call.arguments)
        except ToolError as error:
            return ToolOutcome.FAILED, f"error: {error}"
        except Exception as error:
            log.exception("tool_failed", call_id=self._call_id, tool=asked.call.name)
            return ToolOutcome.FAILED, f"error: {type(error).__name__}: {error}"[:LONGEST]
        log.warning("tool_too_slow", call_id=self._call_id, tool=asked.call.name, limit_s=tool.limit_s)
        unknown = "" if tool.pure else "; whether it was done is not known"
        return ToolOutcome.FAILED, f"error: no answer within {tool.limit_s:g} s{unknown}"

    def _open(self, source: ToolSource) -> _Opening:
        opening = self._sources.get(id(source))
        if opening is None:
            opening = self._sources[id(source)] = _Opening()
            self._group.start_soon(self._keep_open, source, opening)
        return opening

    async def _keep_open(self, source: ToolSource, opening: _Opening) -> None:
        """Have a source's tools for the rest of the call. While it is away it is missed, and the call goes on."""
        backoff = Backoff(Random(), first_s=1.0, most_s=30.0)
        while True:
            await sleep(backoff.next())
            try:
                async with source.opened() as tools:
                    opening.tools = tools
                    opening.settled.set()
                    backoff.reset()
                    await sleep_forever()
            except Exception as error:  # noqa: BLE001 - what breaks a source is its own affair
                log.warning("tools_unavailable", call_id=self._call_id, source=str(source), reason=str(error))
            opening.tools = ()
            opening.settled.set()
