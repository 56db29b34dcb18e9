"""The history: what the language model is shown. It holds what was heard, never what was merely sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .commands import HeardText
from .interfaces import Message

CUTTING_IN: Final = "(cutting in) "
"""What an utterance begins with that cut the agent off. A sign at the end of the agent's own words would be copied."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One contribution, as it was heard."""

    role: Literal["user", "assistant"]
    text: str
    cut: bool = False
    """Whether the agent was cut off at the end of `text`."""
    turn_id: str = ""


class History:
    """What was said and heard in a call, in order."""

    def __init__(self, instructions: str = "") -> None:
        self.instructions = instructions
        self.entries: list[Entry] = []

    def add_utterance(self, text: str) -> None:
        """The caller said `text`."""
        self.entries.append(Entry("user", text))

    def add_turn(self, turn_id: str, heard: HeardText | None) -> None:
        """The agent was heard saying this much. Nothing heard, nothing recorded."""
        if heard is not None and heard.text:
            self.entries.append(Entry("assistant", heard.text, not heard.complete, turn_id))

    def messages(self, *, prompt: str = "") -> list[Message]:
        """Return the history as a model wants it: instructions first, neighbours of one role joined.

        `prompt` is an utterance that is not, or not yet, in the history.
        """
        messages = [Message("system", self.instructions)] if self.instructions else []
        entries = [*self.entries, Entry("user", prompt)] if prompt else self.entries
        cut = False
        for entry in entries:
            role, text = entry.role, entry.text.strip()
            if cut and role == "user":
                text = CUTTING_IN + text
            cut = entry.cut
            if messages and messages[-1].role == role:
                messages[-1] = Message(role, f"{messages[-1].content} {text}")
            else:
                messages.append(Message(role, text))
        return messages
