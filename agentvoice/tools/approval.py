"""A tool that asks a person: the model may not decide everything."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from anyio import move_on_after

from agentvoice.interfaces import ToolSpec

from .declaration import Tool

PARAMETERS: Final = {
    "type": "object",
    "properties": {"request": {"type": "string", "description": "What is to be allowed, in one sentence."}},
    "required": ["request"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person said to a request."""

    approved: bool
    words: str = ""
    """What else the model is to be told: a condition, or why not."""


def approval(
    ask: Callable[[Any, str], Awaitable[bool | Verdict]],
    *,
    name: str = "ask_for_approval",
    description: str = "Ask a person for permission. Do this before anything that you may not decide alone.",
    limit_s: float = 60.0,
    meanwhile: str = "One moment please, I have to ask somebody.",
) -> Tool:
    """Return a tool by which the model asks a person for permission. For an agent's `tools`.

    The caller may go on talking meanwhile: the answer then reaches the model as a fact. Silence is no approval.

    Args:
        ask: given the agent and the model's request, ask the person, by whatever means, and return what they said.
        name: what the model calls it.
        description: when the model is to use it.
        limit_s: how long the person has to answer, in seconds.
        meanwhile: what the caller is told when it takes a moment.
    """

    async def work(agent: object, arguments: str) -> str:
        verdict: bool | Verdict | None = None
        with move_on_after(limit_s):
            verdict = await ask(agent, _request(arguments))
        if verdict is None:
            return f"not approved: nobody answered within {limit_s:g} s"
        if isinstance(verdict, bool):
            verdict = Verdict(verdict)
        return ("approved" if verdict.approved else "refused") + (f": {verdict.words}" if verdict.words else "")

    # The limit of its own comes first: silence is an answer, not a failure.
    return Tool(spec=ToolSpec(name, description, PARAMETERS), work=work, limit_s=limit_s + 1, meanwhile=meanwhile)


def _request(arguments: str) -> str:
    """Return the model's request; whatever it wrote where that is not what it was asked for. A person reads it."""
    try:
        return str(json.loads(arguments)["request"])
    except (ValueError, KeyError, TypeError):
        return arguments
