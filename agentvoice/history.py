"""The history: what the language model is shown. It holds what was heard, never what was merely sent.

Besides what was said it holds what was done (`ToolUse`) and what the model has to know (`Fact`). It only grows; what
the model is shown of it is fitted to a budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, Literal, TypeAlias

from .budget import GENEROUS, Budget, Weighed, fit
from .commands import HeardText
from .interfaces import Message, ToolCall

CUTTING_IN: Final = "(cutting in) "
"""What an utterance begins with that cut the agent off. A sign at the end of the agent's own words would be copied."""

NOT_YET: Final = "not finished yet"
"""What the model is shown of a tool that still runs: no call is ever without a result."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One contribution, as it was heard."""

    role: Literal["user", "assistant"]
    text: str
    cut: bool = False
    """Whether the agent was cut off at the end of `text`."""
    turn_id: str = ""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that was asked for, and what came of it: one entry, so that neither is ever without the other."""

    call: ToolCall
    result: str | None
    """`None` while there is none."""
    turn_id: str
    round: int = 1
    """Which of the turn's messages asked for it."""
    role: Literal["tool"] = "tool"

    @property
    def text(self) -> str:
        """What the model is told of it."""
        return NOT_YET if self.result is None else self.result


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that the model has to know, and nobody said."""

    text: str
    role: Literal["system"] = "system"


Item: TypeAlias = Entry | ToolUse | Fact


class History:
    """What was said, heard and done in a call, in order."""

    def __init__(self, instructions: str = "", *, budget: Budget = GENEROUS) -> None:
        self.instructions = instructions
        self.budget = budget
        """How much of it the model is shown."""
        self.summary = ""
        """What the entries before `summarised` come to; see `summarise`."""
        self.summarised = 0
        """How many of the first entries the model is shown only as `summary`."""
        self.entries: list[Item] = []
        self._left_out: set[int] = set()  # places in `entries`

    # ------------------------------------------------------------------ what happens

    def add_utterance(self, text: str) -> None:
        """The caller said `text`."""
        self.entries.append(Entry("user", text))

    def add_turn(self, turn_id: str, heard: HeardText | None) -> None:
        """The agent was heard saying this much. Nothing heard, nothing recorded."""
        if heard is not None and heard.text:
            self.entries.append(Entry("assistant", heard.text, not heard.complete, turn_id))

    def add_fact(self, text: str) -> None:
        """From now on the model knows `text`: a fact that came up in mid-call."""
        self.entries.append(Fact(text))

    def add_tool_use(self, turn_id: str, call: ToolCall, *, round: int = 1, result: str | None = None) -> None:  # noqa: A002
        """The model asked for a tool. Its result may follow, by `add_result`."""
        self.entries.append(ToolUse(call, result, turn_id, round))

    def add_result(self, tool_call_id: str, result: str) -> None:
        """A tool's result is known. Only the first one counts."""
        for index in range(len(self.entries) - 1, -1, -1):
            use = self.entries[index]
            if isinstance(use, ToolUse) and use.call.id == tool_call_id:
                if use.result is None:
                    self.entries[index] = replace(use, result=result)
                return

    # ------------------------------------------------------------------ what the model is shown

    def messages(self, *, prompt: str = "") -> list[Message]:
        """Return the history as a model wants it: instructions first, neighbours of one role joined.

        It is fitted to the budget. `prompt` is an utterance that is not, or not yet, in the history.
        """
        messages = [Message("system", self.instructions)] if self.instructions else []
        if self.summary:
            messages.append(Message("system", self.summary))
        shown = [*self._fitted(prompt), *([Entry("user", prompt)] if prompt else [])]
        return [*messages, *_messages(shown)]

    @property
    def tokens(self) -> int:
        """How long what the model is shown of the entries is, by the budget's own count."""
        return sum(self._weight(index) for index in range(len(self.entries)) if self._shown(index))

    # ------------------------------------------------------------------ summaries

    def overlong(self) -> Sequence[Item]:
        """Return what should be summarised by now: the older half of what is shown, when the budget asks for that.

        Whoever summarises it (`summaries`) hands the text to `summarise`.
        """
        if not self.budget.summarise or self.tokens <= self.budget.max_tokens * self.budget.keep:
            return []
        half, index = self.tokens / 2, self.summarised
        while half > 0 and index < len(self.entries) - 1:
            half -= self._weight(index) if self._shown(index) else 0
            index += 1
        return self.entries[self.summarised : index]

    def summarise(self, items: Sequence[Item], text: str) -> None:
        """Show `text` instead of `items`, which `overlong` returned, and instead of the summary before."""
        self.summarised += len(items)
        self.summary = text

    # ------------------------------------------------------------------ the budget

    def _shown(self, index: int) -> bool:
        return index >= self.summarised and index not in self._left_out

    def _weight(self, index: int) -> int:
        item = self.entries[index]
        asked = f"{item.call.name} {item.call.arguments} " if isinstance(item, ToolUse) else ""
        return self.budget.count(asked + item.text)

    def _fitted(self, prompt: str) -> list[Item]:
        """Return what the model is shown, and remember what is left out from now on."""
        budget = self.budget
        last = max((i for i, item in enumerate(self.entries) if item.role == "user"), default=-1) if not prompt else -1
        fixed = budget.count(self.instructions) + budget.count(self.summary) + budget.count(prompt)
        weighed = [
            Weighed(index, item.role, self._weight(index), needed=index == last)
            for index, item in enumerate(self.entries)
            if self._shown(index)
        ]
        self._left_out |= fit(weighed, budget, fixed=fixed)
        return [item for index, item in enumerate(self.entries) if self._shown(index)]


def _messages(items: Sequence[Item]) -> list[Message]:
    messages: list[Message] = []
    cut = False  # whether the agent was cut off by what comes next
    for asked, group in groupby(items, key=_asked):
        if asked is not None:
            uses = [item for item in group if isinstance(item, ToolUse)]
            messages.append(Message("assistant", "", tuple(use.call for use in uses)))
            messages += [Message("tool", use.text, tool_call_id=use.call.id) for use in uses]
            continue
        for item in group:
            text = item.text.strip()
            if isinstance(item, Entry):
                if cut and item.role == "user":
                    text = CUTTING_IN + text
                cut = item.cut
            if messages and messages[-1].role == item.role:
                messages[-1] = Message(item.role, f"{messages[-1].content} {text}")
            else:
                messages.append(Message(item.role, text))
    return messages


def _asked(item: Item) -> tuple[str, int] | None:
    """Return which message of the model asked for a tool; `None` for what is no tool use."""
    return (item.turn_id, item.round) if isinstance(item, ToolUse) else None
