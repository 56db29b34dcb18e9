"""What is asked of a language model: an answer to speak, a form to fill in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .errors import ProviderUnavailable, UsageError
from .interfaces import LanguageModel, Message, Thought, ToolSpec, Usage
from .token_streams import Tokens as Tokens, token_stream as token_stream  # noqa: PLC0414 - offered here too

if TYPE_CHECKING:
    from pydantic import BaseModel

T = TypeVar("T")
Model = TypeVar("Model", bound="BaseModel")


class NoModel:
    """Stands where there is no language model, and says so when it is asked."""

    def prepare(self) -> None:
        """Do nothing."""

    def stream(
        self,
        messages: Sequence[Message],  # noqa: ARG002
        *,
        tools: Sequence[ToolSpec] = (),  # noqa: ARG002
        schema: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> AsyncIterator[Thought]:
        """Raise: an agent without a model has to write its replies itself."""
        raise UsageError("this agent has no language model: set `llm`, or write `reply`")


NO_MODEL: Final = NoModel()


@asynccontextmanager
async def closing(stream: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an iterator however the reading of it ends, where it can be closed."""
    try:
        yield stream
    finally:
        if (aclose := getattr(stream, "aclose", None)) is not None:
            await aclose()


async def text(
    thoughts: AsyncIterator[Thought], *, tell: Callable[[Usage], None] = lambda _: None
) -> AsyncGenerator[str]:
    """Yield what is to be spoken of a model's answer, and `tell` its cost."""
    async with closing(thoughts) as opened:
        async for thought in opened:
            match thought:
                case str():
                    yield thought
                case Usage():
                    tell(thought)
                case _:
                    pass


async def fill(llm: LanguageModel, form: type[Model], messages: Sequence[Message]) -> Model:
    """Have the model fill in a form (a pydantic model) from a conversation, and return it filled in.

    Raises:
        ProviderError: the model cannot answer, or what it answered does not fit the form.
    """
    async with closing(llm.stream(messages, schema=form.model_json_schema())) as thoughts:
        answer = "".join([thought async for thought in thoughts if isinstance(thought, str)])
    try:
        return form.model_validate_json(answer)
    except ValueError as error:
        raise ProviderUnavailable("language model", f"its answer does not fit {form.__name__}: {error}") from error
