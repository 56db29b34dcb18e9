"""The history: what the language model is shown. It holds what was heard, never what was merely sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .commands import HeardText
from .interfaces import Message

CUT: Final = " —"
"""The sign that the agent was cut off there."""


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
        said = [(entry.role, entry.text.strip() + (CUT if entry.cut else "")) for entry in self.entries]
        if prompt:
            said.append(("user", prompt))
        for role, text in said:
            if messages and messages[-1].role == role:
                messages[-1] = Message(role, f"{messages[-1].content} {text}")
            else:
                messages.append(Message(role, text))
        return messages
