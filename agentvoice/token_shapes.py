"""What the items of a language model's stream look like, SDK by SDK, and where the text is in each.

Told by their shape, never by their class: an object of an SDK and the JSON that it was made of are read alike, no SDK
is imported, and whatever speaks a known dialect (vLLM, Ollama, LiteLLM, a gateway of one's own) is known with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .errors import ProviderUnavailable, UsageError

PROVIDER: Final = "language model"


def text_of(item: object) -> str:
    """Return what is to be spoken of one item of a stream; often nothing.

    Raises:
        ProviderUnavailable: the item is the provider's word that it failed.
        UsageError: the item is of no known shape, or a tool call that nobody would answer.
    """
    if isinstance(item, str):
        return _plain(item)
    if item is None:  # `yield chunk.choices[0].delta.content` has it at the end
        return ""
    for looks_like, text in SHAPES:
        if looks_like(item):
            return text(item)
    kind = f"{type(item).__module__}.{type(item).__qualname__}".removeprefix("builtins.")
    raise UsageError(f"a reply yielded a {kind}, and where its text is is not known; yield the text itself, a str")


def at(item: object, path: str) -> Any:
    """Return the member of an object, or of a mapping, at a dotted path; `None` where there is none."""
    for name in path.split("."):
        if isinstance(item, Mapping):
            item = item.get(name)
        elif isinstance(item, Sequence) and not isinstance(item, str):
            item = item[int(name)] if name.isdecimal() and int(name) < len(item) else None
        else:
            item = getattr(item, name, None)
    return item


def _has(*paths: str) -> Callable[[object], bool]:
    return lambda item: all(at(item, path) is not None for path in paths)


def _type(*beginnings: str) -> Callable[[object], bool]:
    """Tell items that name their own type, as events do."""
    return lambda item: isinstance(name := at(item, "type"), str) and name.startswith(beginnings)


def _member(path: str) -> Callable[[object], str]:
    return lambda item: _parts(at(item, path))


def _nothing(_: object) -> str:
    return ""


def _parts(content: object) -> str:
    """Return the text of content that is text, or a list of parts, some of them text (and others thoughts, images)."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    return "".join(
        part if isinstance(part, str) else str(at(part, "text"))
        for part in content
        if isinstance(part, str) or (at(part, "text") and not at(part, "thought") and at(part, "type") in _TEXTS)
    )


_TEXTS: Final = (None, "text", "output_text", "text_delta")


def _plain(text: str) -> str:
    if text.startswith(("data: {", 'data:{"', "data: [DONE]")):
        raise UsageError("a reply yielded lines of server-sent events; return the response itself, not its lines")
    return text


def _event(item: object) -> str:
    """Read the Responses API of OpenAI: one event for whatever happens."""
    return _parts(at(item, "delta")) if at(item, "type") == "response.output_text.delta" else ""


def _block(item: object) -> str:
    """Read Anthropic's messages. Their SDK adds events of its own, which say the same again."""
    return _parts(at(item, "delta.text")) if at(item, "delta.type") == "text_delta" else ""


def _pydantic_ai(item: object) -> str:
    """Read the events of a run: a part that starts with some text, and what is added to it."""
    match at(item, "event_kind"):
        case "part_start" if at(item, "part.part_kind") == "text":
            return _parts(at(item, "part.content"))
        case "part_delta" if at(item, "delta.part_delta_kind") == "text":
            return _parts(at(item, "delta.content_delta"))
        case _:
            return ""


def _langchain(item: object) -> str:
    """Read the events of a chain: the chat model's own, not what others pass on of it."""
    return _parts(at(item, "data.chunk.content")) if at(item, "event") == "on_chat_model_stream" else ""


def _complain(item: object) -> str:
    error = at(item, "error") or at(item, "response.error") or item
    raise ProviderUnavailable(PROVIDER, str(at(error, "message") or error))


def _unanswered(item: object) -> str:
    tool = at(item, "name")
    raise UsageError(f"a reply yielded a call of the tool '{tool}'; self.think(turn) runs an agent's tools")


SHAPES: Final[Sequence[tuple[Callable[[object], bool], Callable[[object], str]]]] = (
    (_has("error.message"), _complain),  # OpenAI's dialect, in the stream itself; Anthropic's `error`
    (_type("error", "response.failed"), _complain),  # OpenAI responses
    (_has("choices"), _member("choices.0.delta.content")),  # OpenAI chat completions, LiteLLM; none with the usage
    (_has("data.choices"), _member("data.choices.0.delta.content")),  # Mistral
    (_type("response."), _event),  # OpenAI responses
    (_type("content_block_delta"), _block),  # Anthropic
    (_type("message_", "content_block_", "ping"), _nothing),
    (_has("snapshot", "type"), _nothing),  # Anthropic's SDK, which says again: text, thinking, input_json, ...
    (_type("signature"), _nothing),
    (_has("candidates"), _member("candidates.0.content.parts")),  # Google
    (_has("usage_metadata", "model_version"), _nothing),  # Google: the last one, or one without an answer
    (_has("usageMetadata"), _nothing),  # the same as JSON
    (_type("AIMessageChunk", "ai"), _member("content")),  # LangChain
    (_has("event", "run_id"), _langchain),  # its `astream_events`
    (_has("event_kind"), _pydantic_ai),
    (_has("message.content", "done"), _member("message.content")),  # Ollama
    (_has("arguments", "name", "id"), _unanswered),  # our own `ToolCall`
    (_has("prompt", "completion"), _nothing),  # our own `Usage`
)
"""How to tell an item, and where its text is. The first that fits counts."""
