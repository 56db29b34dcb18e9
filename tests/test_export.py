"""The history as SDKs want it, shown on a call with everything in it."""

from anthropic.types import MessageParam, ToolParam
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter

from agentvoice.commands import Evidence, HeardText
from agentvoice.export import anthropic_messages, anthropic_tools, openai_messages, openai_tools
from agentvoice.history import History
from agentvoice.interfaces import Message, ToolCall, ToolSpec

BOOK = ToolCall("c1", "book", '{"party": 2}')
SPEC = ToolSpec("book", "Book a table.", {"type": "object", "properties": {"party": {"type": "integer"}}})


def a_call() -> History:
    history = History("Be brief.")
    history.add_turn("t1", HeardText("Good evening, how may", 1.0, Evidence.MARKS, 0.0, complete=False))
    history.add_utterance("A table for two.")
    history.add_tool_use("t2", BOOK, result="table seven")
    history.add_tool_use("t2", ToolCall("c2", "note", "not JSON"), result="done")
    history.add_turn("t2", HeardText("Table seven.", 1.0, Evidence.MARKS, 0.0, complete=True))
    history.add_fact("The caller is Mr Holl.")
    history.add_utterance("Thank you.")
    return history


def test_as_openai_wants_it() -> None:
    assert openai_messages(a_call().messages()) == [
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Good evening, how may"},
        {"role": "user", "content": "(cutting in) A table for two."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "book", "arguments": '{"party": 2}'}},
                {"id": "c2", "type": "function", "function": {"name": "note", "arguments": "not JSON"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "table seven"},
        {"role": "tool", "tool_call_id": "c2", "content": "done"},
        {"role": "assistant", "content": "Table seven."},
        {"role": "system", "content": "The caller is Mr Holl."},
        {"role": "user", "content": "Thank you."},
    ]


def test_as_anthropic_wants_it() -> None:
    exported = anthropic_messages(a_call().messages())

    assert exported["system"] == "Be brief."
    assert exported["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "(the call begins)"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Good evening, how may"}]},
        {"role": "user", "content": [{"type": "text", "text": "(cutting in) A table for two."}]},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "c1", "name": "book", "input": {"party": 2}},
                {"type": "tool_use", "id": "c2", "name": "note", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "table seven"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "done"},
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "Table seven."}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<fact>The caller is Mr Holl.</fact>"},
                {"type": "text", "text": "Thank you."},
            ],
        },
    ]


def test_the_sdks_take_it_for_their_own() -> None:
    messages = a_call().messages()

    TypeAdapter(list[ChatCompletionMessageParam]).validate_python(openai_messages(messages))
    TypeAdapter(list[ChatCompletionToolParam]).validate_python(openai_tools([SPEC]))
    TypeAdapter(list[MessageParam]).validate_python(anthropic_messages(messages)["messages"])
    TypeAdapter(list[ToolParam]).validate_python(anthropic_tools([SPEC]))


def test_words_and_requests_of_one_message_stay_together() -> None:
    asked = [Message("user", "Book it."), Message("assistant", "One moment.", [ToolCall("c1", "book", "[]")])]

    assert openai_messages(asked)[1]["content"] == "One moment."
    assert anthropic_messages(asked)["messages"][1]["content"] == [
        {"type": "text", "text": "One moment."},
        {"type": "tool_use", "id": "c1", "name": "book", "input": {}},
    ]


def test_several_system_messages_at_the_beginning_are_one() -> None:
    history = [Message("system", "Be brief."), Message("system", "It was about a table."), Message("user", "Hello?")]
    assert anthropic_messages(history)["system"] == "Be brief.\n\nIt was about a table."


def test_tools_are_told_in_the_same_way() -> None:
    assert openai_tools([SPEC]) == [
        {
            "type": "function",
            "function": {"name": "book", "description": "Book a table.", "parameters": SPEC.parameters},
        }
    ]
    assert anthropic_tools([SPEC]) == [
        {"name": "book", "description": "Book a table.", "input_schema": SPEC.parameters}
    ]
