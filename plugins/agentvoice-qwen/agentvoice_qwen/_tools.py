"""Tools for a model that was not made for them: shown by example, and asked for in JSON that a grammar enforces.

At its first letter the model decides: whatever is not `{` is spoken, token by token; `{` can only become a whole call
of a tool that there is, with arguments that conform to its schema. The grammar is llguidance's dialect of Lark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any, Final

from agentvoice.errors import ProviderUnavailable
from agentvoice.interfaces import Message, ToolCall, ToolSpec

_HOW: Final = """

Tools:
{tools}

You know nothing of what the tools know. When the caller asks for what a tool does, answer with JSON only, \
like {{"tool": "{first}", "arguments": {{...}}}}. Else answer in words."""
_SMALL_TALK: Final = (
    ("Hello?", "Hello, how can I help you?"),
    ("One moment.", "Of course, take your time."),
    ("Thank you.", "You are welcome."),
    ("How are you?", "I am fine, thank you."),
)
"""Half a billion parameters go by examples: without these, every greeting is a reason to call a tool."""
_SPEECH: Final = r"speech: /[^{`\s][^{]*/"
_SAMPLES: Final[Mapping[str, Any]] = {"integer": 3, "number": 3, "boolean": True, "array": [], "object": {}}


def grammar(tools: Sequence[ToolSpec], *, may_call: bool) -> str:
    """Return the grammar of an answer: speech, or one call. Speech alone where a tool has just answered."""
    if not may_call:
        return f"%llguidance {{}}\nstart: speech\n{_SPEECH}\n"
    calls = {"anyOf": [_call_schema(tool) for tool in tools]}
    return f"%llguidance {{}}\nstart: call | speech\ncall: %json {json.dumps(calls)}\n{_SPEECH}\n"


def _call_schema(tool: ToolSpec) -> dict[str, Any]:
    members = {"tool": {"const": tool.name}, "arguments": {"additionalProperties": False, **tool.parameters}}
    return {"type": "object", "properties": members, "required": ["tool", "arguments"], "additionalProperties": False}


def shown(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> list[dict[str, str]]:
    """Return the conversation as the model is shown it: tools and examples first, calls and results as text."""
    rest, system = list(messages), ""
    if rest and rest[0].role == "system":
        system = rest.pop(0).content
    told: list[dict[str, str]] = []
    if tools:
        lines = "\n".join(f"- {tool.name}({', '.join(_parameters(tool))}): {tool.description}" for tool in tools)
        system += _HOW.format(tools=lines, first=tools[0].name)
        told = _examples(tools)
    begin = [{"role": "system", "content": system.strip()}] if system else []
    return [*begin, *told, *(_told(message) for message in rest)]


def _parameters(tool: ToolSpec) -> Mapping[str, Any]:
    parameters: Mapping[str, Any] = tool.parameters.get("properties", {})
    return parameters


def _examples(tools: Sequence[ToolSpec]) -> list[dict[str, str]]:
    """Return a conversation in which each of the first tools is called once, and small talk is answered in words."""
    told = _said(*_SMALL_TALK[0])
    for number, (heard, answered) in enumerate(_SMALL_TALK[1:]):
        if number < len(tools):
            tool = tools[number]
            sample = {name: _SAMPLES.get(each.get("type"), f"some {name}") for name, each in _parameters(tool).items()}
            asked = ", ".join([tool.description.rstrip("."), *(f"{name} {each}" for name, each in sample.items())])
            told += _said(f"Can you {asked[:1].lower()}{asked[1:]}?", _written(tool.name, json.dumps(sample)))
        told += _said(heard, answered)
    return told


def _said(heard: str, answered: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": heard}, {"role": "assistant", "content": answered}]


def _written(name: str, arguments: str) -> str:
    return f'{{"tool": {json.dumps(name)}, "arguments": {arguments}}}'


def _told(message: Message) -> dict[str, str]:
    if message.role == "tool":
        return {"role": "user", "content": f"(The tool says: {message.content}) Tell me so in one short sentence."}
    calls = [_written(call.name, call.arguments) for call in message.tool_calls]
    return {"role": message.role, "content": "\n".join(filter(None, [message.content, *calls]))}


class Answer:
    """Tell speech from a call, token by token."""

    def __init__(self) -> None:
        self._call = ""

    def feed(self, token: str) -> str:
        """Take a token; return what of it is to be spoken."""
        if self._call or token.lstrip().startswith("{"):
            self._call += token
            return ""
        return token

    def finish(self) -> list[ToolCall]:
        """Take the end of the answer; return the call that it is.

        Raises:
            ProviderUnavailable: it broke off, since it became too long.
        """
        if not self._call:
            return []
        try:
            found = json.loads(self._call)
        except ValueError as error:
            raise ProviderUnavailable("qwen", "its call of a tool became too long") from error
        return [ToolCall(f"call_{token_hex(8)}", found["tool"], json.dumps(found["arguments"]))]
