"""A language model that is none: it answers by a function, with faults on demand.

For tests, and for a demo on a machine that has no model.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from anyio import sleep, sleep_forever

from agentvoice.errors import ProviderRejected, ProviderUnavailable
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


@dataclass(frozen=True, slots=True)
class ModelFault:
    """What goes wrong with one answer. Counts are of its tokens."""

    fails_after: int | None = None
    """Breaks down, in a way that may pass."""
    rejects: bool = False
    """Refuses at once, and for good."""
    stalls_after: int | None = None
    """Says nothing more."""


_SOUND: Final = ModelFault()


class ScriptedModel:
    """`LanguageModel` that needs no weights: `answer` makes the text, `fill` what a form is filled in with."""

    def __init__(
        self,
        answer: Callable[[Sequence[Message]], str | Sequence[Thought]] = speak_of_it,
        fill: Callable[[Sequence[Message]], Mapping[str, Any]] = book_a_table,
        *,
        token_s: float = 0.03,
        latency_s: float = 0.0,
        jitter_s: float = 0.0,
        faults: Mapping[int, ModelFault] | None = None,
        seed: int = 0,
    ) -> None:
        """Answer word by word, `token_s` apart. An answer may be a list of texts and tool calls, in their order.

        The first token takes `latency_s` longer, give or take `jitter_s`. `faults` are by the number of the answer,
        from 0, over the model's whole life.
        """
        self._answer = answer
        self._fill = fill
        self._token_s, self._latency_s, self._jitter_s = token_s, latency_s, jitter_s
        self._faults, self._random = dict(faults or {}), Random(seed)
        self.asked: list[Sequence[Message]] = []
        """What it was shown, time after time."""

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
        fault = self._faults.get(len(self.asked), _SOUND)
        self.asked.append(messages)
        if fault.rejects:
            raise ProviderRejected("script", "the account is closed")
        await sleep(max(0.0, self._latency_s + self._random.uniform(-1, 1) * self._jitter_s))
        answer = self._answer(messages) if schema is None else json.dumps(self._fill(messages))
        for number, token in enumerate(_tokens(answer)):
            if number == fault.fails_after:
                raise ProviderUnavailable("script", "broke down")
            if number == fault.stalls_after:
                await sleep_forever()
            await sleep(self._token_s)
            yield token


def _tokens(answer: str | Sequence[Thought]) -> Iterator[Thought]:
    for thought in [answer] if isinstance(answer, str) else answer:
        yield from re.findall(r"\S+\s*", thought) if isinstance(thought, str) else [thought]
