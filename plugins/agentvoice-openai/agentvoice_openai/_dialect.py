"""How OpenAI's Chat Completions word it: the request, and the chunks of its streamed answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

from agentvoice.errors import ProviderUnavailable
from agentvoice.export import openai_messages, openai_tools
from agentvoice.interfaces import Message, Thought, ToolCall, ToolSpec, Usage
from agentvoice.token_shapes import at


def request(
    messages: Sequence[Message], tools: Sequence[ToolSpec], schema: Mapping[str, Any] | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body of a request. `options` are what the endpoint understands besides."""
    body: dict[str, Any] = {"messages": openai_messages(messages), "stream": True}
    body |= {"stream_options": {"include_usage": True}, **options}
    if tools:
        body["tools"] = openai_tools(tools)
    if schema is not None:
        form = {"name": "answer", "schema": _closed(schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def _closed(schema: Any) -> Any:
    """Return a schema as strict mode wants it: every property required, no others, no defaults."""
    if isinstance(schema, Mapping):
        closed = {name: _closed(each) for name, each in schema.items() if name != "default"}
        if isinstance(properties := schema.get("properties"), Mapping):
            closed["properties"] = {name: _closed(each) for name, each in properties.items()}
            closed |= {"required": list(properties), "additionalProperties": False}
        return closed
    return [_closed(each) for each in schema] if isinstance(schema, list) else schema


class _Call:
    """A tool call of which fragments have come."""

    def __init__(self, id: str) -> None:  # noqa: A002 - as on the wire
        self.id = id
        self.name = ""
        self.arguments = ""


class Answer:
    """Put the chunks of one answer together."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._calls: list[_Call] = []
        self._at: dict[object, _Call] = {}  # by the index that the endpoint gives it
        self._reason: str | None = None
        self._usage: Any = None

    def feed(self, chunk: Any) -> list[str]:
        """Take a chunk; return the text in it.

        Raises:
            ProviderUnavailable: the chunk says that the answer has failed.
        """
        if error := at(chunk, "error"):
            raise ProviderUnavailable(self._provider, str(at(error, "message") or error))
        delta = at(chunk, "choices.0.delta")
        for fragment in at(delta, "tool_calls") or ():
            self._add(fragment)
        self._reason = at(chunk, "choices.0.finish_reason") or self._reason
        self._usage = at(chunk, "usage") or self._usage  # some tell it all along; the last one counts
        said = at(delta, "content") or at(delta, "refusal")
        return [said] if said and isinstance(said, str) else []

    def finish(self) -> list[Thought]:
        """Take the end of the stream; return the calls that it asked for, and its cost.

        Raises:
            ProviderUnavailable: the answer broke off in the middle of a tool call.
        """
        if self._calls and self._reason in {None, "length"}:
            raise ProviderUnavailable(self._provider, f"its answer broke off in a call of '{self._calls[-1].name}'")
        calls = [ToolCall(call.id, call.name, call.arguments or "{}") for call in self._calls]
        return [*calls, _usage(self._usage)] if self._usage else [*calls]

    def _add(self, fragment: Any) -> None:
        """Add to the call of this index. Some endpoints give every call the same, or none; a new id is a new call."""
        index, id_ = at(fragment, "index"), at(fragment, "id")
        call = self._at.get(index)
        if call is None or (id_ and id_ != call.id):
            call = self._at[index] = _Call(id_ or f"call_{token_hex(8)}")
            self._calls.append(call)
        call.name += at(fragment, "function.name") or ""
        call.arguments += at(fragment, "function.arguments") or ""


def _usage(usage: Any) -> Usage:
    remembered = at(usage, "prompt_tokens_details.cached_tokens") or 0
    return Usage(at(usage, "prompt_tokens") or 0, at(usage, "completion_tokens") or 0, remembered)
