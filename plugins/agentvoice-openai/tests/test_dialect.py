"""Chunks of a streamed answer, put together, whatever the endpoint makes of the dialect."""

import pytest

from agentvoice.errors import ProviderUnavailable
from agentvoice.interfaces import Message, Thought, ToolCall, ToolSpec, Usage
from agentvoice_openai._dialect import Answer, request

BOOK = ToolSpec("book", "Book a table.", {"type": "object", "properties": {"party": {"type": "integer"}}})


def chunk(delta: object = None, reason: str | None = None, **others: object) -> dict[str, object]:
    return {"object": "chat.completion.chunk", "choices": [{"delta": delta, "finish_reason": reason}], **others}


def call(index: int | None, name: str | None, arguments: str, id_: str | None = None) -> dict[str, object]:
    fragment: dict[str, object] = {"function": {"name": name, "arguments": arguments}}
    return fragment | ({} if index is None else {"index": index}) | ({} if id_ is None else {"id": id_})


def together(*chunks: object) -> list[Thought]:
    answer = Answer("openai")
    return [*(thought for each in chunks for thought in answer.feed(each)), *answer.finish()]


def test_text_comes_as_it_is_written_and_usage_last() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 8}}
    last = {"choices": [], "usage": usage}

    chunks = (chunk({"role": "assistant", "content": ""}), chunk({"content": "Good "}), chunk({"content": "day."}))
    assert together(*chunks, chunk({}, "stop"), last) == ["Good ", "day.", Usage(9, 2, 8)]


def test_usage_may_be_told_all_along() -> None:
    chunks = [chunk({"content": str(n)}, usage={"prompt_tokens": 9, "completion_tokens": n}) for n in (1, 2)]

    assert together(*chunks) == ["1", "2", Usage(9, 2)]


def test_parallel_tool_calls_are_put_together_by_their_index_also_when_they_come_in_turns() -> None:
    assert together(
        chunk({"content": None, "tool_calls": [call(0, "book", "", "a")]}),
        chunk({"tool_calls": [call(0, None, '{"par')]}),
        chunk({"tool_calls": [call(1, "weather", '{"city": ', "b"), call(0, None, 'ty": ')]}),
        chunk({"tool_calls": [call(0, None, "4}"), call(1, None, '"Rome"}')]}),
        chunk({}, "tool_calls"),
    ) == [ToolCall("a", "book", '{"party": 4}'), ToolCall("b", "weather", '{"city": "Rome"}')]


def test_endpoints_that_give_every_call_the_same_index_or_none_are_understood() -> None:
    for index in (0, None):
        whole = chunk(
            {"tool_calls": [call(index, "book", "{}", "a"), call(index, "book", '{"party": 2}', "b")]}, "stop"
        )
        assert together(whole) == [ToolCall("a", "book", "{}"), ToolCall("b", "book", '{"party": 2}')]


def test_a_call_without_an_id_is_given_one_and_one_without_arguments_has_none() -> None:
    (first,), (second,) = (together(chunk({"tool_calls": [call(0, "now", "")]}, "tool_calls")) for _ in range(2))

    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert (first.name, first.arguments) == ("now", "{}")
    assert first.id != second.id


@pytest.mark.parametrize("reason", [None, "length"])
def test_a_call_that_broke_off_is_not_passed_on(reason: str | None) -> None:
    with pytest.raises(ProviderUnavailable, match="broke off in a call of 'book'"):
        together(chunk({"tool_calls": [call(0, "book", '{"par', "a")]}, reason))


def test_what_the_stream_complains_of_is_an_error() -> None:
    for error in ({"message": "overloaded"}, "overloaded"):
        with pytest.raises(ProviderUnavailable, match=r"^openai: overloaded$"):
            together(chunk({"content": "Well"}), {"error": error})


def test_a_refusal_is_spoken_and_thoughts_are_not() -> None:
    assert together(chunk({"reasoning_content": "Hm."}), chunk({"refusal": "I cannot."}), {"id": "?"}) == ["I cannot."]


def test_a_request_says_what_is_wanted() -> None:
    body = request([Message("user", "Hello")], [BOOK], None, {"model": "m", "temperature": 0})

    assert body["messages"] == [{"role": "user", "content": "Hello"}]
    assert (body["model"], body["temperature"], body["stream"]) == ("m", 0, True)
    assert body["stream_options"] == {"include_usage": True}
    assert body["tools"][0]["function"]["name"] == "book"
    assert "response_format" not in body


def test_a_form_is_asked_for_as_strict_mode_wants_it() -> None:
    person = {"type": "object", "properties": {"default": {"type": "string", "default": "x"}}}
    schema = {"type": "object", "properties": {"who": {"$ref": "#/$defs/P"}, "n": {"anyOf": [person]}}, "required": []}

    body = request([], [], {**schema, "$defs": {"P": person}}, {})

    form = body["response_format"]["json_schema"]
    closed = {
        "type": "object",
        "properties": {"default": {"type": "string"}},
        "required": ["default"],
        "additionalProperties": False,
    }
    assert form["strict"]
    assert form["schema"]["required"] == ["who", "n"]
    assert form["schema"]["$defs"]["P"] == form["schema"]["properties"]["n"]["anyOf"][0] == closed
    assert "tools" not in body
