"""`LanguageModel` at an endpoint of OpenAI's dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from agentvoice.endpoint import Endpoint
from agentvoice.interfaces import Message, Thought, ToolSpec

from ._dialect import Answer, request
from ._settings import PROVIDER, headers, read, required

_HINTS: Final = {
    401: "check AGENTVOICE_OPENAI_API_KEY",
    404: "check AGENTVOICE_OPENAI_MODEL and AGENTVOICE_OPENAI_BASE_URL",
}


class OpenAI:
    """A model at any endpoint that speaks Chat Completions: OpenAI's own, vLLM, llama.cpp, Ollama, a gateway."""

    def __init__(
        self,
        *,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        **options: Any,
    ) -> None:
        """Prepare to ask. What is absent is read from `AGENTVOICE_OPENAI_...`; `options` go into every request.

        Raises:
            UsageError: there is no model, or no key for an endpoint that wants one; the message names the setting.
        """
        given = {"model": model, "base_url": base_url, "api_key": api_key}
        settings = read(given)
        model = required(settings.model, "AGENTVOICE_OPENAI_MODEL", "model")
        set_ = {"temperature": settings.temperature, "max_tokens": settings.max_tokens}
        self._options = {"model": model}
        self._options |= {name: each for name, each in set_.items() if each is not None} | options
        self._endpoint = Endpoint(
            PROVIDER,
            settings.base_url,
            headers=headers(settings.base_url, settings.api_key, "AGENTVOICE_OPENAI_BASE_URL"),
            hints=_HINTS,
            silence_s=settings.silence_s,
        )

    def prepare(self) -> None:
        """Do nothing: what there is to prepare is a connection, which `warm` opens."""

    async def warm(self, messages: Sequence[Message]) -> None:  # noqa: ARG002
        """Connect ahead of the first call.

        Raises:
            ProviderRejected: the key is wrong.
        """
        await self._endpoint.reach("/models")

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Thought]:
        """Yield the answer in pieces; see `LanguageModel.stream`."""
        answer = Answer(PROVIDER)
        body = request(messages, tools, schema, self._options)
        async with aclosing(self._endpoint.events("/chat/completions", body)) as chunks:
            async for chunk in chunks:
                for text in answer.feed(chunk):
                    yield text
        for thought in answer.finish():
            yield thought

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()
