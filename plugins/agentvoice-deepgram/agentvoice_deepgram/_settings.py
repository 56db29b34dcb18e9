"""What may be set for both recognisers, and how the service is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, Field, SecretStr

from agentvoice.errors import UsageError
from agentvoice.settings import read_plugin

PROVIDER: Final = "deepgram"
HOSTED: Final = "wss://api.deepgram.com"
MULTILINGUAL: Final = "multi"
"""The language of a model that finds out by itself."""


def _split(given: Any) -> Any:
    """Take a list, or words and phrases that are separated by commas."""
    return [each.strip() for each in given.split(",") if each.strip()] if isinstance(given, str) else given


_List = Annotated[tuple[str, ...], BeforeValidator(_split)]


class DeepgramSettings(BaseModel):
    """What may be set: `AGENTVOICE_DEEPGRAM_API_KEY`, and so on."""

    api_key: SecretStr | None = None
    url: Annotated[str, Field(pattern=r"^(https?|wss?)://[^\s/?#]+[^\s?#]*$")] = HOSTED
    """Where the service is: another region, or a server of one's own."""
    model: str = "nova-3"
    language: str = "en"
    """What callers speak; `multi` has it found out, word by word."""
    keyterms: _List = ()
    """Names and words that callers may use, separated by commas."""
    smart_format: bool = False
    """Whether to write numbers, money and dates in figures."""
    mip_opt_out: bool = False
    """Whether to keep the calls out of the service's training data, at its price."""

    flux_model: str = "flux-general-en"
    flux_language_hints: _List = ()
    """What callers may speak, separated by commas; for `flux-general-multi` alone."""
    flux_eot_threshold: Annotated[float, Field(ge=0.5, le=1)] | None = None
    """How sure Flux has to be that a turn is over; absent for its own default, 0.7."""
    flux_eager_eot_threshold: Annotated[float, Field(ge=0.3, le=0.9)] = 0.5
    """How sure it has to be that a turn is probably over, so that an answer is thought out meanwhile."""
    flux_eager: bool = True
    """Whether it shall say so at all. Each time it is wrong, an answer has been thought out for nothing."""
    flux_eot_timeout_ms: Annotated[int, Field(ge=500, le=60_000)] | None = None
    """After so long a silence a turn is over, however it sounded; absent for its own default, 5000."""


def read(given: Mapping[str, Any]) -> DeepgramSettings:
    """Read the environment; what is in `given`, and not `None`, wins.

    Raises:
        UsageError: a value is not allowed, or there is no key.
    """
    settings = read_plugin(PROVIDER, DeepgramSettings, given)
    if not (settings.api_key and settings.api_key.get_secret_value()):
        raise UsageError("Deepgram wants an API key; set AGENTVOICE_DEEPGRAM_API_KEY, or pass api_key=...")
    if settings.flux_eager and settings.flux_eager_eot_threshold > (settings.flux_eot_threshold or _EOT_THRESHOLD):
        raise UsageError(
            f"AGENTVOICE_DEEPGRAM_FLUX_EAGER_EOT_THRESHOLD={settings.flux_eager_eot_threshold} is beyond "
            f"AGENTVOICE_DEEPGRAM_FLUX_EOT_THRESHOLD={settings.flux_eot_threshold or _EOT_THRESHOLD}: what is probable "
            "comes before what is sure; lower the first, or set AGENTVOICE_DEEPGRAM_FLUX_EAGER=false"
        )
    return settings


_EOT_THRESHOLD: Final = 0.7
"""Flux's own default."""


def headers(settings: DeepgramSettings) -> dict[str, str]:
    """Return how the service knows who asks."""
    assert settings.api_key is not None  # noqa: S101 - `read` has seen to it
    return {"Authorization": f"Token {settings.api_key.get_secret_value()}"}


def nova_url(settings: DeepgramSettings, sample_rate: int) -> str:
    """Return where Nova listens to PCM of `sample_rate`. Its endpointing is off: where speech ends is for us to say."""
    return _url(
        settings,
        "/v1/listen",
        model=settings.model,
        language=settings.language,
        encoding="linear16",
        sample_rate=sample_rate,
        channels=1,
        interim_results=True,
        punctuate=True,
        smart_format=settings.smart_format or None,
        endpointing=False,
    )


def flux_url(settings: DeepgramSettings, sample_rate: int) -> str:
    """Return where Flux listens to PCM of `sample_rate`."""
    return _url(
        settings,
        "/v2/listen",
        model=settings.flux_model,
        encoding="linear16",
        sample_rate=sample_rate,
        eot_threshold=settings.flux_eot_threshold,
        eager_eot_threshold=settings.flux_eager_eot_threshold if settings.flux_eager else None,
        eot_timeout_ms=settings.flux_eot_timeout_ms,
        language_hint=settings.flux_language_hints,
    )


def _url(settings: DeepgramSettings, path: str, **query: Any) -> str:
    base = settings.url.rstrip("/")
    base = "ws" + base.removeprefix("http") if base.startswith("http") else base
    query |= {"keyterm": settings.keyterms, "mip_opt_out": settings.mip_opt_out or None}
    said = {name: _word(each) for name, each in query.items() if each is not None}
    return f"{base}{path}?{urlencode(said, doseq=True)}"


def _word(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
