"""What every `LanguageModel` has to keep."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, Final

from anyio import create_task_group, fail_after, move_on_after

from agentvoice.clock import current_time
from agentvoice.interfaces import LanguageModel, Message, Thought, ToolCall, ToolSpec, Usage

PATIENCE_S: Final = 60.0
"""How long an answer may take on the slowest machine."""
AT_ONCE_S: Final = 1.0
"""How long it may take to give one up."""

WEATHER: Final = ToolSpec(
    "weather",
    "Tell what the weather is like in a city now.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
FORM: Final = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SYSTEM: Final = Message("system", "You answer in one short sentence.")
HELLO: Final = (SYSTEM, Message("user", "What is the capital of France?"))
NEEDS_TOOL: Final = (SYSTEM, Message("user", "What is the weather like in Paris?"))


async def check_language_model(make: Callable[[], LanguageModel], *, tools: bool = True) -> None:
    """Check a plugin, or a double. What it is asked are `HELLO`, with and without `FORM`, and, with `tools`,
    `NEEDS_TOOL`: a double has to have answers to these.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    model = make()
    model.prepare()
    model.prepare()  # twice is once
    with fail_after(PATIENCE_S):
        assert _text(await _ask(model, HELLO)), "a question is answered in words"
        await _check_form(model)
        await _check_giving_up(model)
        await _check_two_at_once(model)
        if tools:
            await _check_tools(model)


async def _ask(model: LanguageModel, messages: Sequence[Message], **wanted: Any) -> list[Thought]:
    stream: Any = model.stream(messages, **wanted)
    async with aclosing(stream):
        thoughts: list[Thought] = [thought async for thought in stream]
    costs = [at for at, thought in enumerate(thoughts) if isinstance(thought, Usage)]
    assert costs in ([], [len(thoughts) - 1]), "the cost is told once, and last"
    assert "" not in thoughts, "no piece of text is empty"
    return thoughts


def _text(thoughts: Sequence[Thought]) -> str:
    return "".join(thought for thought in thoughts if isinstance(thought, str)).strip()


async def _check_form(model: LanguageModel) -> None:
    answer = json.loads(_text(await _ask(model, HELLO, schema=FORM)))
    assert isinstance(answer, dict), "with a schema the answer is JSON of an object"
    assert isinstance(answer.get("city"), str), "with a schema the answer conforms to it"


async def _check_giving_up(model: LanguageModel) -> None:
    """Whoever has heard enough closes the stream, or is cancelled; neither waits, and the model can be asked again."""
    stream: Any = model.stream(HELLO)
    closed = current_time()
    async with aclosing(stream):
        async for _ in stream:
            closed = current_time()
            break
    assert current_time() - closed <= AT_ONCE_S, "a stream is closed at once"

    stream = model.stream(HELLO)
    with move_on_after(0) as scope:
        async with aclosing(stream):
            async for _ in stream:
                pass
    assert scope.cancelled_caught, "whoever reads can be cancelled"
    assert current_time() - scope.deadline <= AT_ONCE_S, "a cancelled stream ends at once"
    assert _text(await _ask(model, HELLO)), "a model can be asked again after it was given up"


async def _check_two_at_once(model: LanguageModel) -> None:
    answers: list[str] = []

    async def ask() -> None:
        answers.append(_text(await _ask(model, HELLO)))

    async with create_task_group() as group:
        group.start_soon(ask)
        group.start_soon(ask)
    assert all(answers), "two calls at once are both answered in words"


async def _check_tools(model: LanguageModel) -> None:
    thoughts = await _ask(model, NEEDS_TOOL, tools=[WEATHER])
    calls = [thought for thought in thoughts if isinstance(thought, ToolCall)]
    assert calls, "what a tool is for is asked of the tool"
    assert len({call.id for call in calls}) == len(calls), "each call has an id of its own"
    for call in calls:
        assert call.name == WEATHER.name, "only tools that there are are called"
        assert isinstance(json.loads(call.arguments), dict), "the arguments of a call are JSON of an object"
    results = [Message("tool", "18 degrees and sunny", (), call.id) for call in calls]
    after = [*NEEDS_TOOL, Message("assistant", _text(thoughts), calls), *results]
    assert _text(await _ask(model, after, tools=[WEATHER])), "with the results of its tools a model answers in words"
