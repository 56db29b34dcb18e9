"""A question that wants an answer: asked, understood, and asked again where it was not.

While a question is open the caller's utterances are its own, and the agent's `reply` is not asked. An answer counts
once the caller has finished: what a speculative turn made of half a sentence does not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Generic, TypeAlias, TypeVar

from anyio import Event

from .answers.yes_no import yes_or_no
from .turn import Turn

T = TypeVar("T")

Understand: TypeAlias = Callable[[str], T | Awaitable[T]]
"""What makes a value of the caller's words, and raises `ValueError` where they are no answer. What the error says
is spoken before the question is asked again: "I need a number between one and twenty." """


@dataclass(frozen=True, slots=True)
class Agreement(Generic[T]):
    """What a caller says to an answer that was read back."""

    agrees: bool
    instead: T | None = None
    """What is right, if that was said."""


def agreement(understand: Understand[T]) -> Understand[Agreement[T]]:
    """Return what understands yes, no, and what `understand` does: somebody who says what is right instead."""

    async def agree(words: str) -> Agreement[T]:
        try:
            found = understand(words)
            return Agreement(agrees=False, instead=await found if isawaitable(found) else found)
        except ValueError:
            return Agreement(agrees=yes_or_no(words))

    return agree


class Question(Generic[T]):
    """One question that is open."""

    def __init__(self, text: str, understand: Understand[T], *, sorry: str, attempts: int) -> None:
        self.text = text
        self._understand = understand
        self._sorry = sorry
        self._attempts = attempts
        self._understood: dict[str, T | ValueError] = {}
        self._closed = Event()
        self._answer: T | None = None

    @property
    def open(self) -> bool:
        """Whether it still waits for its answer."""
        return not self._closed.is_set()

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        """Produce the text of a turn: none where its prompt is an answer, else the question again."""
        found = await self._understand_once(turn.prompt)
        again = isinstance(found, ValueError) and self._attempts > 1
        self.confirmed(turn)
        if again:
            yield f"{str(found) or self._sorry} {self.text}"

    def confirmed(self, turn: Turn) -> None:
        """The caller has finished, if `turn` is confirmed: what was understood of it counts, once."""
        if not turn.confirmed or turn.prompt not in self._understood:
            return
        found = self._understood.pop(turn.prompt)
        if not isinstance(found, ValueError):
            self._answer = found
            self._closed.set()
            return
        self._attempts -= 1
        if not self._attempts:
            self._closed.set()

    async def wait(self) -> T | None:
        """Wait until it is answered; `None` when it was asked in vain, as often as it may be."""
        await self._closed.wait()
        return self._answer

    async def _understand_once(self, prompt: str) -> T | ValueError:
        """A speculative turn and the one that takes its place have the same prompt: it costs once."""
        if prompt not in self._understood:
            try:
                found = self._understand(prompt)
                self._understood[prompt] = await found if isawaitable(found) else found
            except ValueError as error:
                self._understood[prompt] = error
        return self._understood[prompt]
