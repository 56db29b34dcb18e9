"""`LanguageModel` by Anthropic."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, SecretStr

from agentvoice.endpoint import Endpoint
from agentvoice.errors import ProviderUnavailable, UsageError
from agentvoice.interfaces import Message, Thought, ToolSpec
from agentvoice.settings import read_plugin

from ._dialect import Answer, request

PROVIDER: Final = "anthropic"
_VERSION: Final = "2023-06-01"
_HINTS: Final = {401: "check AGENTVOICE_ANTHROPIC_API_KEY", 404: "check AGENTVOICE_ANTHROPIC_MODEL"}


class AnthropicSettings(BaseModel):
    """What may be set: `AGENTVOICE_ANTHROPIC_MODEL`, and so on."""

    model: str = ""
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")] = "https://api.anthropic.com"
    api_key: SecretStr | None = None
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: PositiveInt = 1024
    silence_s: PositiveFloat = 30.0
    """How long the endpoint may say nothing before it is given up."""


class Anthropic:
    """A model of Anthropic's. The conversation is marked to be remembered: each turn pays for what is new in it."""

    def __init__(
        self,
        *,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        **options: Any,
    ) -> None:
        """Prepare to ask. What is absent is read from `AGENTVOICE_ANTHROPIC_...`; `options` go into every request.

        Raises:
            UsageError: there is no model, or no key; the message names the setting.
        """
        given = {"model": model, "base_url": base_url, "api_key": api_key}
        settings = read_plugin(PROVIDER, AnthropicSettings, given)
        if not settings.model:
            raise UsageError("anthropic has to be told which model to ask; set AGENTVOICE_ANTHROPIC_MODEL to its name")
        if settings.api_key is None:
            raise UsageError("anthropic wants a key; set AGENTVOICE_ANTHROPIC_API_KEY, or pass api_key=...")
        self._options: dict[str, Any] = {"model": settings.model, "max_tokens": settings.max_tokens}
        if settings.temperature is not None:
            self._options["temperature"] = settings.temperature
        self._options |= options
        headers = {"x-api-key": settings.api_key.get_secret_value(), "anthropic-version": _VERSION}
        self._endpoint = Endpoint(
            PROVIDER, settings.base_url, headers=headers, hints=_HINTS, silence_s=settings.silence_s
        )

    def prepare(self) -> None:
        """Do nothing: what there is to prepare is a connection, which `warm` opens."""

    async def warm(self, messages: Sequence[Message]) -> None:  # noqa: ARG002
        """Connect ahead of the first call.

        Raises:
            ProviderRejected: the key is wrong.
        """
        await self._endpoint.reach("/v1/models")

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Thought]:
        """Yield the answer in pieces; see `LanguageModel.stream`."""
        answer = Answer(PROVIDER, form=schema is not None)
        body = request(messages, tools, schema, self._options)
        async with aclosing(self._endpoint.events("/v1/messages", body)) as events:
            async for event in events:
                for thought in answer.feed(event):
                    yield thought
        if not answer.complete:
            raise ProviderUnavailable(PROVIDER, "its answer broke off")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()
