"""The history in the formats of the SDKs: plain dicts, to be given to a client as they are.

    client.chat.completions.create(model=..., messages=openai_messages(turn.history))
    client.messages.create(model=..., max_tokens=..., **anthropic_messages(turn.history))

Where the agent was cut off, the caller's next words begin with `history.CUTTING_IN`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .interfaces import Message, ToolCall, ToolSpec

CALL_BEGINS: Final = "(the call begins)"
"""What the caller is taken to have said where the agent spoke first, for a format that wants the user to begin."""


def openai_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return messages of OpenAI's Chat Completions, as all compatible endpoints take them."""
    return [_openai(message) for message in messages]


def openai_tools(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return tools as OpenAI's Chat Completions take them."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        }
        for tool in tools
    ]


def _openai(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content}
    if not message.tool_calls:
        return {"role": message.role, "content": message.content}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.tool_calls
    ]
    return {"role": "assistant", "content": message.content or None, "tool_calls": calls}


def anthropic_messages(messages: Sequence[Message]) -> dict[str, Any]:
    """Return `system` and `messages` of Anthropic's Messages.

    Their format has the system prompt beside the messages, in which the user begins and roles take turns. Facts that
    came up in mid-call are the user's, in angle brackets.
    """
    system, rest = "", list(messages)
    while rest and rest[0].role == "system":
        system = f"{system}\n\n{rest.pop(0).content}".lstrip()
    turns: list[dict[str, Any]] = []
    for message in rest:
        role = "assistant" if message.role == "assistant" else "user"
        if not turns and role == "assistant":
            turns.append({"role": "user", "content": [_text(CALL_BEGINS)]})
        if not turns or turns[-1]["role"] != role:
            turns.append({"role": role, "content": []})
        turns[-1]["content"] += _blocks(message)
    return {"system": system, "messages": turns}


def anthropic_tools(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return tools as Anthropic's Messages take them."""
    return [
        {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)} for tool in tools
    ]


def _blocks(message: Message) -> list[dict[str, Any]]:
    match message.role:
        case "tool":
            return [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}]
        case "system":
            return [_text(f"<fact>{message.content}</fact>")]
        case _:
            said = [_text(message.content)] if message.content else []
            return said + [
                {"type": "tool_use", "id": call.id, "name": call.name, "input": _arguments(call)}
                for call in message.tool_calls
            ]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _arguments(call: ToolCall) -> Mapping[str, Any]:
    """Return a call's arguments; none where the model wrote something else than a JSON object."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}
