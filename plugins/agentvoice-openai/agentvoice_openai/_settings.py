"""What may be set for the model and for the recogniser, and what has to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, SecretStr

from agentvoice.errors import UsageError
from agentvoice.settings import read_plugin

PROVIDER: Final = "openai"
HOSTED: Final = "https://api.openai.com/v1"

_Url = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")]


class OpenAISettings(BaseModel):
    """What may be set: `AGENTVOICE_OPENAI_MODEL`, and so on."""

    base_url: _Url = HOSTED
    api_key: SecretStr | None = None

    model: str = ""
    """Which language model to ask."""
    temperature: Annotated[float, Field(ge=0)] | None = None
    max_tokens: PositiveInt | None = None
    silence_s: PositiveFloat = 30.0
    """How long the endpoint may say nothing before it is given up."""

    stt_model: str = ""
    """Which recogniser to ask."""
    stt_base_url: _Url | None = None
    """Where that one is; absent for `base_url`."""
    stt_api_key: SecretStr | None = None
    """Its key; absent for `api_key`, unless it is somewhere else."""
    stt_language: str = ""
    """What callers speak, such as `en`; empty to have that found out."""
    stt_prompt: str = ""
    """Names and words that callers may use."""
    stt_words: bool | None = None
    """Whether to ask when each word was spoken; absent to ask those that are known to tell."""


def read(given: Mapping[str, Any]) -> OpenAISettings:
    """Read the environment; what is in `given`, and not `None`, wins.

    Raises:
        UsageError: a value is not allowed.
    """
    return read_plugin(PROVIDER, OpenAISettings, given)


def required(value: str, variable: str, what: str) -> str:
    """Return what had to be set.

    Raises:
        UsageError: it was not.
    """
    if not value:
        raise UsageError(f"openai has to be told which {what} to ask; set {variable} to its name")
    return value


def headers(base_url: str, key: SecretStr | None, variables: str) -> dict[str, str]:
    """Return what an endpoint wants to know with each request.

    Raises:
        UsageError: it wants a key, and there is none.
    """
    secret = key.get_secret_value() if key else ""
    if not secret and base_url == HOSTED:
        raise UsageError(f"openai wants a key; set AGENTVOICE_OPENAI_API_KEY, or another {variables}")
    return {"Authorization": f"Bearer {secret}"} if secret else {}
