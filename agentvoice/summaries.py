"""Edge: summaries of a long call. A model tells in a few sentences what was said, so that there is room for more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .history import History, Item, ToolUse
from .interfaces import LanguageModel, Message
from .llm import text

WISH: Final = """\
Summarise this part of a telephone call for yourself, in a few short sentences. Keep every name, number, date, decision
and promise. Write nothing else."""

LEAD_IN: Final = "What was said before: "


class Summaries:
    """Keeps one call's history short. Never two at a time."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._writing = False

    @property
    def due(self) -> bool:
        """Whether there is something to `write`."""
        return not self._writing and bool(self._history.overlong())

    async def write(self, llm: LanguageModel) -> None:
        """Have the model summarise the older half, and show that instead. Until then everything stays as it is."""
        history = self._history
        self._writing = True
        try:
            items = history.overlong()
            told = "\n".join([*([history.summary] if history.summary else []), *_lines(items)])
            wish = [Message("system", WISH), Message("user", told)]
            summary = "".join([piece async for piece in text(llm.stream(wish))]).strip()
            if summary:
                history.summarise(items, LEAD_IN + summary)
        finally:
            self._writing = False


def _lines(items: Sequence[Item]) -> Sequence[str]:
    names = {"user": "Caller", "assistant": "You", "system": "Fact"}
    return [
        f"You used {item.call.name} {item.call.arguments}: {item.text}"
        if isinstance(item, ToolUse)
        else f"{names[item.role]}: {item.text}"
        for item in items
    ]
