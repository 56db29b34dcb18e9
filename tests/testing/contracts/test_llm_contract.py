"""The contract of language models: our double keeps it, and each way of breaking it is noticed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from anyio import CancelScope, sleep

from agentvoice.interfaces import LanguageModel, Message, Thought, ToolCall, ToolSpec, Usage
from agentvoice.testing.contracts.llm import check_language_model
from agentvoice.testing.llm import ScriptedModel

pytestmark = pytest.mark.anyio


def answer(messages: Sequence[Message]) -> Sequence[Thought]:
    if messages[-1].role == "user" and "weather" in messages[-1].content:
        return ["Let me see. ", ToolCall("1", "weather", '{"city": "Paris"}'), Usage(10, 5)]
    return ["It is as it is.", Usage(10, 5)]


def scripted() -> ScriptedModel:
    return ScriptedModel(answer, lambda _: {"city": "Paris"})


class Broken:
    """A model that breaks one rule."""

    def __init__(self, rule: str) -> None:
        self._rule = rule

    def prepare(self) -> None:
        pass

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSpec] = (), schema: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Thought]:
        await sleep(0.01)
        if self._rule == "is silent":
            return
        if self._rule == "cost first":
            yield Usage(1, 1)
        if self._rule == "empty pieces":
            yield ""
        try:
            if tools and self._rule != "calls no tool" and messages[-1].role != "tool":
                odd = {"odd tool": ("x", "{}"), "odd arguments": ("weather", "[]")}
                yield ToolCall("1", *odd.get(self._rule, ("weather", "{}")))
                return
            yield {"list": '["Paris"]', "wrong form": '{"town": 4}'}.get(self._rule, '{"city": "Paris"}')
            await sleep(1)
        finally:
            if self._rule == "cannot be given up":
                with CancelScope(shield=True):
                    await sleep(5)


BROKEN = {
    "is silent": "a question is answered in words",
    "cost first": "the cost is told once, and last",
    "empty pieces": "no piece of text is empty",
    "cannot be given up": "a stream is closed at once",
    "calls no tool": "what a tool is for is asked of the tool",
    "odd tool": "only tools that there are are called",
    "odd arguments": "the arguments of a call are JSON of an object",
    "list": "with a schema the answer is JSON of an object",
    "wrong form": "with a schema the answer conforms to it",
}


async def test_the_double_keeps_the_contract() -> None:
    await check_language_model(scripted)


async def test_a_model_that_claims_less_is_asked_less() -> None:
    await check_language_model(lambda: ScriptedModel(lambda _: "Good day.", lambda _: {"city": ""}), tools=False)


async def test_a_sound_model_of_another_make_keeps_it_too() -> None:
    model: LanguageModel = Broken("none")
    await check_language_model(lambda: model)


@pytest.mark.parametrize("rule", BROKEN)
async def test_whoever_breaks_a_rule_is_told_which(rule: str) -> None:
    with pytest.raises(AssertionError, match=BROKEN[rule]):
        await check_language_model(lambda: Broken(rule))
