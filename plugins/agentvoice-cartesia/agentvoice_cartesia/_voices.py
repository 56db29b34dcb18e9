"""The list of voices, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx
import msgspec

from agentvoice.errors import ProviderUnavailable
from agentvoice.interfaces import Voice
from agentvoice.tts.failures import handshake_error

_PAGE: Final = 100
_PATIENCE_S: Final = 15.0


class _Voice(msgspec.Struct):
    id: str
    name: str = ""
    language: str | None = None
    description: str | None = None


class _Page(msgspec.Struct):
    data: list[_Voice]
    has_more: bool = False


async def list_voices(provider: str, url: str, headers: Mapping[str, str], *, language: str | None) -> list[Voice]:
    """Return all voices, following the pages to the last.

    Raises:
        ProviderUnavailable, ProviderRejected: the service cannot be reached, or refuses.
    """
    voices: list[_Voice] = []
    wanted = {"language": language} if language else {}
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=_PATIENCE_S) as client:
            more = True
            while more:
                after = {"starting_after": voices[-1].id} if voices else {}
                response = await client.get("/voices", params={"limit": _PAGE, **wanted, **after})
                if response.is_error:
                    raise handshake_error(provider, response.status_code, response.text)
                page = msgspec.json.decode(response.content, type=_Page)
                voices += page.data
                more = page.has_more and bool(page.data)  # an empty page that promises more would be asked for ever
    except httpx.HTTPError as error:
        raise ProviderUnavailable(provider, f"cannot list the voices: {error}") from error
    except msgspec.MsgspecError as error:
        raise ProviderUnavailable(provider, f"the list of voices makes no sense: {error}") from error
    return [Voice(voice.id, voice.name, voice.language or "", voice.description or "") for voice in voices]
