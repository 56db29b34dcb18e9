"""Token streams: whatever an agent's `reply` returns, read as one async iterator of strings that is always closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from .errors import ProviderUnavailable, UsageError
from .interfaces import LanguageModel, Message

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")

Tokens: TypeAlias = AsyncIterator[str] | Awaitable[AsyncIterator[str]]
"""What `reply` may return: an async generator of strings is the plainest."""


class NoModel:
    """Stands where there is no language model, and says so when it is asked."""

    def prepare(self) -> None:
        """Do nothing."""

    def stream(self, messages: Sequence[Message], *, schema: Mapping[str, Any] | None = None) -> AsyncIterator[str]:  # noqa: ARG002
        """Raise: an agent without a model has to write its replies itself."""
        raise UsageError("this agent has no language model: set `llm`, or write `reply`")


NO_MODEL: Final = NoModel()


@asynccontextmanager
async def token_stream(tokens: Tokens) -> AsyncIterator[AsyncIterator[str]]:
    """Open a reply for reading, and close it however the reading ends."""
    if isawaitable(tokens):
        tokens = await tokens
    try:
        yield tokens
    finally:
        if (aclose := getattr(tokens, "aclose", None)) is not None:
            await aclose()


async def fill(llm: LanguageModel, form: type[Model], messages: Sequence[Message]) -> Model:
    """Have the model fill in a form (a pydantic model) from a conversation, and return it filled in.

    Raises:
        ProviderError: the model cannot answer, or what it answered does not fit the form.
    """
    async with token_stream(llm.stream(messages, schema=form.model_json_schema())) as tokens:
        answer = "".join([token async for token in tokens])
    try:
        return form.model_validate_json(answer)
    except ValueError as error:
        raise ProviderUnavailable("language model", f"its answer does not fit {form.__name__}: {error}") from error
