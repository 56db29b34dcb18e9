"""A language model made of several: when one does not begin to answer, the next one is asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from math import inf
from typing import Any

from anyio import fail_after

from .errors import ProviderError, ProviderUnavailable
from .interfaces import LanguageModel, Message, Thought, ToolSpec
from .llm import closing
from .logger import Logger

log = Logger(__name__)


class Fallback:
    """`LanguageModel` that asks one after the other until one has begun to answer.

        Fallback(fast, reliable, first_token_s=1.5)
        Fallback(only, only)  # try once more

    With `first_token_s` a model that has not begun in that time counts as one that cannot; the last one has all the
    time that the agent has patience for. Once there is a first token nothing is tried again: the caller hears it.
    """

    def __init__(self, *models: LanguageModel, first_token_s: float = inf) -> None:
        self._models = models
        self._first_token_s = first_token_s

    def prepare(self) -> None:
        """Prepare them all; see `LanguageModel.prepare`."""
        for model in self._different():
            model.prepare()

    async def warm(self, messages: Sequence[Message]) -> None:
        """Make those ready that gain from it. One that fails now may not fail later."""
        for model in self._different():
            if (warm := getattr(model, "warm", None)) is not None:
                try:
                    await warm(messages)
                except ProviderError as error:
                    log.warning("model_not_warmed", reason=str(error))

    async def aclose(self) -> None:
        """Close those that can be closed."""
        for model in self._different():
            if (aclose := getattr(model, "aclose", None)) is not None:
                await aclose()

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Thought]:
        """Yield the answer of the first that begins one; see `LanguageModel.stream`."""
        failures = list[Exception]()
        for number, model in enumerate(self._models, 1):
            first_token_s = self._first_token_s if number < len(self._models) else inf
            async with closing(model.stream(messages, tools=tools, schema=schema)) as thoughts:
                try:
                    with fail_after(first_token_s):
                        first = await anext(thoughts, None)
                except TimeoutError:
                    failures.append(ProviderUnavailable(type(model).__name__, f"no token within {first_token_s:g} s"))
                except ProviderError as error:
                    failures.append(error)
                else:
                    if first is not None:
                        yield first
                        async for thought in thoughts:
                            yield thought
                        return
                    failures.append(ProviderUnavailable(type(model).__name__, "said nothing"))
            log.warning("model_failed", reason=str(failures[-1]), next=number < len(self._models))
        raise ProviderUnavailable("language models", "; ".join(map(str, failures))) from failures[-1]

    def _different(self) -> Sequence[LanguageModel]:
        return list({id(model): model for model in self._models}.values())
