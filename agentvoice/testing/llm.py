"""A language model that is none: it answers by a function. For tests, and for a demo on a machine that has no model."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

from anyio import sleep

from agentvoice.interfaces import Message, Thought, ToolSpec

NUMBERS: Final = {
    word: number for number, word in enumerate("one two three four five six seven eight nine ten".split(), 1)
}


def book_a_table(messages: Sequence[Message]) -> Mapping[str, Any]:
    """Return what the caller of the demo wants, as far as it was said; what was said last counts."""
    found: dict[str, Any] = {"party_size": 2, "time": "seven", "name": "the caller"}
    for message in messages:
        if message.role != "user":
            continue
        if number := re.search(r"\b(?:for|it) (\w+)", message.content):
            found["party_size"] = NUMBERS.get(number[1].lower(), found["party_size"])
        if time := re.search(r"\bat (\w+)", message.content):
            found["time"] = time[1]
        if name := re.search(r"\bname is (\w+(?: \w+)?)", message.content):
            found["name"] = name[1]
    return found


def speak_of_it(messages: Sequence[Message]) -> str:
    """Return an answer to the caller of the demo."""
    booking = book_a_table(messages)
    table = f"a table for {booking['party_size']} people at {booking['time']} this evening"
    if "name is" in messages[-1].content:
        return f"Thank you, {booking['name']}, I have noted {table}. Is there anything else?"
    return f"Of course, {table}. May I have your name, please?"


class ScriptedModel:
    """`LanguageModel` that needs no weights: `answer` makes the text, `fill` what a form is filled in with."""

    def __init__(
        self,
        answer: Callable[[Sequence[Message]], str | Sequence[Thought]] = speak_of_it,
        fill: Callable[[Sequence[Message]], Mapping[str, Any]] = book_a_table,
        *,
        token_s: float = 0.03,
    ) -> None:
        """Answer word by word, `token_s` apart. An answer may be a list of texts and tool calls, in their order."""
        self._answer = answer
        self._fill = fill
        self._token_s = token_s

    def prepare(self) -> None:
        """Do nothing."""

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),  # noqa: ARG002
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[Thought]:
        """Yield the answer; see `LanguageModel.stream`."""
        answer = self._answer(messages) if schema is None else json.dumps(self._fill(messages))
        for thought in [answer] if isinstance(answer, str) else answer:
            tokens = re.findall(r"\S+\s*", thought) if isinstance(thought, str) else [thought]
            for token in tokens:
                await sleep(self._token_s)
                yield token
