"""Tools by constrained JSON: what the model is shown, and what is made of its answers."""

import json
from contextlib import aclosing

import pytest

from agentvoice.errors import ProviderUnavailable
from agentvoice.interfaces import Message, ToolCall, ToolSpec, Usage
from agentvoice.testing.contracts.llm import check_language_model
from agentvoice_qwen import Qwen
from agentvoice_qwen._model import _tokens
from agentvoice_qwen._tools import Answer, grammar, shown

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def tool(tool_name: str, description: str, /, **parameters: object) -> ToolSpec:
    return ToolSpec(tool_name, description, {"type": "object", "properties": parameters, "required": list(parameters)})


TOOLS = [
    tool("book_table", "Book a table at the restaurant.", party=NUMBER, time=TEXT),
    tool("cancel_booking", "Cancel a booking that was made before.", name=TEXT),
    tool("opening_hours", "Look up when the restaurant is open on a day.", day=TEXT),
    tool("call_a_person", "Put the caller through to a member of staff."),
]
SYSTEM = Message("system", "You answer the phone for the restaurant Bella Vista. Answer in one short sentence.")


def test_tools_are_shown_with_examples_of_their_use_and_of_none() -> None:
    system, *rest = shown([SYSTEM, Message("user", "Hi.")], TOOLS)

    assert system["content"].startswith(SYSTEM.content)
    assert "- book_table(party, time): Book a table at the restaurant." in system["content"]
    answers = [message["content"] for message in rest if message["role"] == "assistant"]
    assert [json.loads(answer)["tool"] for answer in answers if answer.startswith("{")] == [
        "book_table",
        "cancel_booking",
        "opening_hours",
    ]
    assert answers[0] == "Hello, how can I help you?"
    assert rest[-1] == {"role": "user", "content": "Hi."}


def test_without_tools_the_conversation_is_shown_as_it_is() -> None:
    assert shown([Message("user", "Hi.")], ()) == [{"role": "user", "content": "Hi."}]
    assert shown([SYSTEM], ()) == [{"role": "system", "content": SYSTEM.content}]


def test_calls_and_their_results_are_shown_as_text() -> None:
    call = ToolCall("1", "book_table", '{"party": 4}')

    *_, called, result = shown([Message("assistant", "Sure.", [call]), Message("tool", "booked", (), "1")], TOOLS)

    assert called == {"role": "assistant", "content": 'Sure.\n{"tool": "book_table", "arguments": {"party": 4}}'}
    assert (result["role"], "booked" in result["content"]) == ("user", True)


def test_a_grammar_knows_every_tool_and_none_where_one_has_just_answered() -> None:
    assert all(f'{{"const": "{tool.name}"}}' in grammar(TOOLS, may_call=True) for tool in TOOLS)
    assert "call" not in grammar(TOOLS, may_call=False)


def read(*tokens: str) -> tuple[str, list[ToolCall]]:
    answer = Answer()
    return "".join(map(answer.feed, tokens)), answer.finish()


def test_speech_passes_and_a_call_comes_whole() -> None:
    assert read("Good ", "day.") == ("Good day.", [])
    spoken, (call,) = read('{"', 'tool": "book_table", "argu', 'ments": {"party": 4}}')
    assert (spoken, call.name, call.arguments) == ("", "book_table", '{"party": 4}')
    with pytest.raises(ProviderUnavailable, match="too long"):
        read('{"tool": "book_')


def test_the_last_step_tells_the_cost() -> None:
    assert list(_tokens({"choices": [], "timings": {"cache_n": 30, "prompt_n": 4, "predicted_n": 7}})) == [
        Usage(34, 7, 30)
    ]


# ------------------------------------------------------------------ the model itself


@pytest.fixture(scope="module")
def qwen() -> Qwen:
    model = Qwen(temperature=0)
    model.prepare()
    return model


SAID = [
    ("I would like a table for four at seven o'clock.", "book_table"),
    ("Can you book a table for two people at eight tonight?", "book_table"),
    ("A table for six at half past six, please.", "book_table"),
    ("Please reserve a table at nine for three.", "book_table"),
    ("Book us in for five people at noon tomorrow.", "book_table"),
    ("I want to cancel my booking. My name is Sarah Miller.", "cancel_booking"),
    ("Please cancel the reservation for John Smith.", "cancel_booking"),
    ("We cannot come tonight, can you cancel? It is under Brown.", "cancel_booking"),
    ("Are you open on Sunday?", "opening_hours"),
    ("When do you open on Friday?", "opening_hours"),
    ("What time do you close on Monday?", "opening_hours"),
    ("Can I speak to a real person?", "call_a_person"),
    ("Please put me through to the manager.", "call_a_person"),
    ("Hello, good evening.", None),
    ("Thank you very much, that is all.", None),
    ("How are you today?", None),
    ("Goodbye!", None),
    ("That sounds lovely.", None),
    ("Sorry, I did not understand you.", None),
    ("Wait a moment, please.", None),
]


@pytest.mark.speech
@pytest.mark.anyio
async def test_it_mostly_knows_when_to_call_which_tool(qwen: Qwen) -> None:
    wrong = []
    for said, wanted in SAID:
        async with aclosing(qwen.stream([SYSTEM, Message("user", said)], tools=TOOLS)) as stream:
            thoughts = [thought async for thought in stream]
        called = [thought.name for thought in thoughts if isinstance(thought, ToolCall)]
        if called != ([wanted] if wanted else []):
            wrong.append((said, thoughts))
        print(said, thoughts)  # noqa: T201 - the figures in the README

    print(f"{len(SAID) - len(wrong)} of {len(SAID)} are right")  # noqa: T201
    assert len(wrong) <= 4, wrong


@pytest.mark.speech
@pytest.mark.anyio
async def test_it_keeps_the_contract(qwen: Qwen) -> None:
    await check_language_model(lambda: qwen)
