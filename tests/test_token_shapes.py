"""Items of streams, by their shape. Those of the SDKs that are small are tested as they come: `test_sdk_streams.py`."""

from types import SimpleNamespace

import pytest

from agentvoice.errors import ProviderUnavailable, UsageError
from agentvoice.interfaces import ToolCall, Usage
from agentvoice.token_shapes import at, text_of


def as_objects(value: object) -> object:
    """Return JSON as an SDK's objects have it."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: as_objects(each) for name, each in value.items()})
    return [as_objects(each) for each in value] if isinstance(value, list) else value


SAID = {
    "openai chat, litellm": {"choices": [{"delta": {"content": "Hello"}}]},
    "openai responses": {"type": "response.output_text.delta", "delta": "Hello"},
    "anthropic": {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello"}},
    "google": {
        "candidates": [{"content": {"parts": [{"text": "so", "thought": True}, {"text": "Hel"}, {"text": "lo"}]}}]
    },
    "mistral": {"data": {"choices": [{"delta": {"content": "Hello"}}]}},
    "mistral that reasons": {
        "data": {"choices": [{"delta": {"content": [{"type": "thinking"}, {"type": "text", "text": "Hello"}]}}]}
    },
    "langchain": {"type": "AIMessageChunk", "content": "Hello"},
    "langchain, in parts": {"type": "AIMessageChunk", "content": ["Hel", {"type": "text", "text": "lo"}]},
    "langchain's events": {"event": "on_chat_model_stream", "run_id": "1", "data": {"chunk": {"content": "Hello"}}},
    "pydantic ai, first": {"event_kind": "part_start", "part": {"part_kind": "text", "content": "Hello"}},
    "pydantic ai, then": {
        "event_kind": "part_delta",
        "delta": {"part_delta_kind": "text", "content_delta": "Hello"},
    },
    "ollama": {"message": {"role": "assistant", "content": "Hello"}, "done": False},
}

SILENT = {
    "openai's usage": {"choices": [], "object": "chat.completion.chunk", "usage": {"prompt_tokens": 1}},
    "openai's tool call": {"choices": [{"delta": {"content": None, "tool_calls": [{"index": 0}]}}]},
    "openai responses": {"type": "response.completed", "response": {"error": None}},
    "anthropic's tool call": {"type": "content_block_delta", "delta": {"type": "input_json_delta"}},
    "anthropic's thoughts": {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "so"}},
    "anthropic's beginning": {"type": "message_start", "message": {}},
    "anthropic's text again": {"type": "text", "text": "Hello", "snapshot": "Hello"},
    "anthropic's signature": {"type": "signature", "signature": "x"},
    "google's tool call": {"candidates": [{"content": {"parts": [{"function_call": {"name": "book"}}]}}]},
    "google's end": {"candidates": [{"finish_reason": "STOP"}]},
    "google's usage": {"usageMetadata": {"promptTokenCount": 3}},
    "google's usage, as its sdk has it": {"usage_metadata": {}, "model_version": "g", "candidates": None},
    "langchain's tool call": {"type": "AIMessageChunk", "content": [], "tool_call_chunks": [1]},
    "langchain's chains": {"event": "on_chain_stream", "run_id": "1", "data": {"chunk": {"content": "Hello"}}},
    "pydantic ai's end": {"event_kind": "agent_run_result"},
    "pydantic ai's thoughts": {"event_kind": "part_start", "part": {"part_kind": "thinking", "content": "so"}},
}


@pytest.mark.parametrize("name", SAID)
def test_text_is_found_in_objects_and_in_json(name: str) -> None:
    assert text_of(SAID[name]) == text_of(as_objects(SAID[name])) == "Hello"


@pytest.mark.parametrize("name", SILENT)
def test_what_is_not_to_be_spoken_is_passed_over(name: str) -> None:
    assert text_of(SILENT[name]) == text_of(as_objects(SILENT[name])) == ""


def test_text_is_its_own_text_and_nothing_is_none() -> None:
    assert text_of(" Hello") == " Hello"
    assert text_of(None) == ""
    assert text_of(Usage(1, 2)) == ""


@pytest.mark.parametrize(
    "complaint",
    [
        {"error": {"message": "overloaded", "code": 503}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "overloaded"}},
        {"type": "error", "message": "overloaded"},
        {"type": "response.failed", "response": {"error": {"message": "overloaded"}}},
    ],
)
def test_what_a_stream_complains_of_is_an_error(complaint: dict[str, object]) -> None:
    for item in (complaint, as_objects(complaint)):
        with pytest.raises(ProviderUnavailable, match=r"^language model: overloaded$"):
            text_of(item)


def test_a_complaint_without_words_is_one_too() -> None:
    with pytest.raises(ProviderUnavailable, match="'type': 'error'"):
        text_of({"type": "error"})


class Enigma:
    pass


def test_an_item_of_no_known_shape_is_told_with_its_type_and_the_way_out() -> None:
    with pytest.raises(UsageError, match=r"yielded a .*Enigma, and where its text is is not known; yield the text"):
        text_of(Enigma())
    with pytest.raises(UsageError, match="yielded a dict, and"):
        text_of({"answer": "Hello"})
    with pytest.raises(UsageError, match="yielded a int, and"):
        text_of(7)


def test_a_tool_call_that_nobody_would_run_is_told() -> None:
    with pytest.raises(UsageError, match=r"call of the tool 'book'; self.think\(turn\) runs an agent's tools"):
        text_of(ToolCall("1", "book", "{}"))


@pytest.mark.parametrize("line", ['data: {"choices": []}', 'data:{"choices": []}', "data: [DONE]"])
def test_lines_of_a_response_are_not_spoken(line: str) -> None:
    with pytest.raises(UsageError, match="return the response itself"):
        text_of(line)


def test_a_path_that_leads_nowhere_leads_to_none() -> None:
    assert at({"a": [{"b": 1}]}, "a.0.b") == 1
    assert at({"a": []}, "a.0.b") is at({"a": "text"}, "a.0") is at({"a": [1]}, "a.b") is at(None, "a") is None
