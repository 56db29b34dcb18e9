"""The history as Pydantic AI wants it: requests and responses, in turn, made of parts."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from agentvoice.interfaces import Message


def split(messages: Sequence[Message]) -> tuple[str, list[ModelMessage]]:
    """Return the instructions, which stand apart, and the rest."""
    rest, instructions = list(messages), []
    while rest and rest[0].role == "system":
        instructions.append(rest.pop(0).content)
    names = {call.id: call.name for message in rest for call in message.tool_calls}
    history: list[ModelMessage] = []
    for message in rest:
        if message.role == "assistant":
            history.append(ModelResponse(_response(message)))
            continue
        part = _request(message, names)
        if history and isinstance(last := history[-1], ModelRequest):
            last.parts = [*last.parts, part]
        else:
            history.append(ModelRequest([part]))
    return "\n\n".join(instructions), history


def _response(message: Message) -> list[ModelResponsePart]:
    said = [TextPart(message.content)] if message.content else []
    return [*said, *(ToolCallPart(call.name, call.arguments, call.id) for call in message.tool_calls)]


def _request(message: Message, names: dict[str, str]) -> ModelRequestPart:
    match message.role:
        case "system":
            return SystemPromptPart(message.content)
        case "tool":
            id_ = message.tool_call_id
            return ToolReturnPart(names.get(id_, ""), message.content, id_)
        case _:
            return UserPromptPart(message.content)
