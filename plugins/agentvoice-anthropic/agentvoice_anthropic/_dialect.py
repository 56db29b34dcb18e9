"""How Anthropic's Messages word it: the request, and the events of its streamed answer (version 2023-06-01)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentvoice.errors import ProviderUnavailable
from agentvoice.export import anthropic_messages, anthropic_tools
from agentvoice.interfaces import Message, Thought, ToolCall, ToolSpec, Usage
from agentvoice.token_shapes import at

FORM: Final = "answer"
"""The tool that a form is filled in with: its input is the form."""
_KEEP: Final = {"type": "ephemeral"}
"""Marks how far a prompt is to be remembered, for five minutes after it was last used."""


def request(
    messages: Sequence[Message], tools: Sequence[ToolSpec], schema: Mapping[str, Any] | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body of a request. `options` are what the endpoint understands besides."""
    shown = anthropic_messages(messages)
    body: dict[str, Any] = {**options, "stream": True, "messages": shown["messages"]}
    if shown["system"]:
        body["system"] = [{"type": "text", "text": shown["system"], "cache_control": _KEEP}]
    if shown["messages"]:
        _remember(shown["messages"][-1])
    offered = anthropic_tools(tools)
    if schema is not None:
        offered = [*offered, {"name": FORM, "description": "Write the answer.", "input_schema": dict(schema)}]
        body["tool_choice"] = {"type": "tool", "name": FORM}
    if offered:
        body["tools"] = offered
    return body


def _remember(message: dict[str, Any]) -> None:
    """Have the conversation so far remembered: the next turn begins with it."""
    if message["content"]:
        *before, last = message["content"]
        message["content"] = [*before, {**last, "cache_control": _KEEP}]


class Answer:
    """Put the events of one answer together."""

    def __init__(self, provider: str, *, form: bool = False) -> None:
        """`form`: what is asked for is a form, not an answer in words."""
        self._provider = provider
        self._form = form
        self._calls: dict[int, ToolCall] = {}  # that have begun, by the index of their block
        self._usage: dict[str, int] = {}
        self.complete = False
        """Whether the answer has come to its end."""

    def feed(self, event: Any) -> list[Thought]:
        """Take an event; return what it completes.

        Raises:
            ProviderUnavailable: the answer has failed, or broke off within a tool call.
        """
        match at(event, "type"):
            case "message_start":
                self._add_up(at(event, "message.usage"))
            case "content_block_start" if at(event, "content_block.type") == "tool_use":
                block = event["content_block"]
                self._calls[event["index"]] = ToolCall(block["id"], block["name"], "")
            case "content_block_start":
                return _said(at(event, "content_block.text"))
            case "content_block_delta":
                return self._delta(event["index"], event["delta"])
            case "content_block_stop" if (call := self._calls.pop(at(event, "index"), None)) is not None:
                arguments = call.arguments or "{}"
                return [arguments if self._form else ToolCall(call.id, call.name, arguments)]
            case "message_delta":
                self._add_up(at(event, "usage"))
            case "message_stop":
                self.complete = True
                return [_cost(self._usage)]
            case "error":
                raise ProviderUnavailable(self._provider, str(at(event, "error.message") or event["error"]))
            case _:
                pass  # pings, and what there may be one day
        return []

    def _delta(self, index: int, delta: Any) -> list[Thought]:
        match at(delta, "type"):
            case "text_delta":
                return _said(delta["text"])
            case "input_json_delta" if index in self._calls:
                call = self._calls[index]
                self._calls[index] = ToolCall(call.id, call.name, call.arguments + delta["partial_json"])
            case _:
                pass  # thoughts, their signatures, citations
        return []

    def _add_up(self, usage: Any) -> None:
        """Take counts that are cumulative: the last ones hold."""
        self._usage |= {name: count for name, count in (usage or {}).items() if isinstance(count, int)}


def _said(text: Any) -> list[Thought]:
    return [text] if text and isinstance(text, str) else []


def _cost(usage: Mapping[str, int]) -> Usage:
    """Return the cost. Their `input_tokens` are those only that the cache has nothing to do with."""
    remembered = usage.get("cache_read_input_tokens", 0)
    read = usage.get("input_tokens", 0) + usage.get("cache_creation_input_tokens", 0) + remembered
    return Usage(read, usage.get("output_tokens", 0), remembered)
