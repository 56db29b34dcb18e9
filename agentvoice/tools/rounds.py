"""Rounds: the model speaks and asks for tools, they are run, it is given their results, until it has all it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final

from anyio import move_on_after

from agentvoice.interfaces import Message, Thought, ToolCall
from agentvoice.llm import closing
from agentvoice.logger import Logger
from agentvoice.token_streams import unhurried
from agentvoice.turn import Turn

if TYPE_CHECKING:
    from agentvoice.agent import Agent

    from .running import Asked

log = Logger(__name__)

MOST_ROUNDS: Final = 8
"""How often in one turn a model may ask for tools."""

ENOUGH: Final = "error: no more tools for this answer; tell the caller what you know"


async def think(agent: Agent, turn: Turn) -> AsyncIterator[str | Thought]:
    """Yield what the agent's model says to a turn, and run the tools that it asks for.

    Text passes at once, in the order in which it is to be spoken: what comes of a tool is said after what the model
    said before it asked.
    """
    running = agent.call.tools
    toolbox = await running.toolbox(agent)
    messages = list(turn.history)
    for round in range(1, MOST_ROUNDS + 2):  # noqa: A001
        said, calls = "", list[ToolCall]()
        async with closing(agent.llm.stream(messages, tools=toolbox.specs)) as thoughts:
            async for thought in thoughts:
                match thought:
                    case str():
                        said += thought
                        yield thought
                    case ToolCall():
                        calls.append(thought)
                    case _:
                        yield thought
        if not calls:
            return
        if said and not said[-1].isspace():
            yield " "  # the next message begins a sentence of its own
        if round >= MOST_ROUNDS:
            log.warning("too_many_tool_rounds", call_id=agent.call.id, turn_id=turn.id)
            messages += [Message("assistant", said, calls), *(Message("tool", ENOUGH, (), call.id) for call in calls)]
            continue
        running.pause(turn)
        with unhurried(), running.ask(turn, agent, toolbox, calls, round=round) as asked:  # tools have their own limits
            if not said.strip() and (words := await _meanwhile(asked)):
                yield words
                running.pause(turn)
            for each in asked:
                await each.answered.wait()
        messages.append(Message("assistant", said, [each.call for each in asked]))
        messages += [Message("tool", each.result, (), each.id) for each in asked]


async def _meanwhile(asked: Sequence[Asked]) -> str:
    """Return what is said while a slow tool runs; nothing when none is slow, or has anything to say."""
    for each in sorted(asked, key=lambda each: each.tool.slow_s):
        if each.tool.meanwhile:
            with move_on_after(each.tool.slow_s):
                await each.answered.wait()
            if not each.answered.is_set():
                return f"{each.tool.meanwhile.strip()} "
    return ""
