"""The voices of a speech server, as the protocol shows them and as requests ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agentvoice.interfaces import Voice
from agentvoice.tts.wire import Generate, rejected

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ACCESS: Final = "2026-08-14"
"""The version from which on voices have `access` and `visibility`."""
_FIRST: Final = "2024-06-10"
"""The version whose list of voices has no pages."""
_CREATED: Final = "2026-01-01T00:00:00Z"
_MOST: Final = 100
_ANYBODY: Final = ("any", "default")


class VoiceDirectory:
    """What `GET /voices` lists, and what a request's voice and model become."""

    def __init__(self, voices: Sequence[Voice], *, models: Sequence[str] = ()) -> None:
        self._voices = {voice.id: voice for voice in voices}
        self._default = voices[0].id
        self._models = models

    def find(self, request: Generate) -> str:
        """Return the voice that speaks a request.

        The provider's own voices have UUIDs, or come as numbers: they are not here, and one that speaks the language
        stands in, so that a client written for the provider needs no change. So it does for `any` and `default`.

        Raises:
            RequestRejected: there is no such voice, or no such model.
        """
        model = (request.model_id or "").lower()
        if not model.startswith("sonic") and model not in self._models:
            known = ", ".join(["sonic", *self._models])
            message = f"no model '{request.model_id}'; this server has {known}"
            raise rejected(
                request.context_id, "Model not found", message, status_code=404, error_code="model_not_found"
            )
        voice = request.voice_id
        if voice in self._voices:
            return str(voice)
        if voice is None or voice.lower() in _ANYBODY or _UUID.fullmatch(voice):
            return self._stand_in(request.language or request.locale)
        message = f"no voice '{voice}'; this server has {', '.join(self._voices)}"
        raise rejected(request.context_id, "Voice not found", message, status_code=404, error_code="voice_not_found")

    def _stand_in(self, language: str | None) -> str:
        """Return the first voice that speaks a language; the first of all when none does."""
        return next((voice.id for voice in self._voices.values() if _speaks(voice, language)), self._default)

    def overlooks(self, request: Generate) -> Iterator[str]:
        """Yield what is not as a request that could be spoken asks for: the voice, the language."""
        asked = request.voice_id
        if asked not in self._voices and (asked or "").lower() not in _ANYBODY:
            yield "voice"
        if not _speaks(self._voices[self.find(request)], request.language or request.locale):
            yield "language"

    def get(self, voice_id: str) -> Voice | None:
        """Return a voice by its id."""
        return self._voices.get(voice_id)

    def page(self, query: Mapping[str, str], *, version: str, url: str) -> dict[str, Any] | list[dict[str, Any]]:
        """Return the part of the list that a query asks for; all of it, bare, in the first version.

        `starting_after` matters: the provider's SDK asks again with the last id until a page is empty.
        """
        if version == _FIRST:
            return [describe(voice, version=version, url=url) for voice in self._voices.values()]
        found = [voice for voice in self._voices.values() if _matches(voice, query)]
        ids = [voice.id for voice in found]
        if (after := query.get("starting_after")) is not None:
            found = found[ids.index(after) + 1 :] if after in ids else []
        elif (before := query.get("ending_before")) is not None:
            found = found[: ids.index(before)] if before in ids else []
        wanted = query.get("limit", "10")
        limit = max(1, min(_MOST, int(wanted))) if wanted.isdecimal() else 10
        shown = found[-limit:] if "ending_before" in query and "starting_after" not in query else found[:limit]
        more = len(found) > len(shown)
        return {
            "data": [describe(voice, version=version, url=url) for voice in shown],
            "has_more": more,
            "next_page": shown[-1].id if more and shown else None,
        }


def _matches(voice: Voice, query: Mapping[str, str]) -> bool:
    if query.get("is_owner", "").lower() == "true" or query.get("gender", voice.gender) != voice.gender:
        return False
    words = query.get("q", "").lower()
    text = f"{voice.id} {voice.name} {voice.description}".lower()
    return words in text and _speaks(voice, query.get("language"))


def _speaks(voice: Voice, language: str | None) -> bool:
    return not language or voice.language.split("-")[0].lower() == language.split("-")[0].lower()


def describe(voice: Voice, *, version: str, url: str) -> dict[str, Any]:
    """Return a voice as the protocol of `version` shows it. `url` is where this server is."""
    common = {
        "id": voice.id,
        "name": voice.name,
        "description": voice.description,
        "language": voice.language,
        "gender": voice.gender,
        "is_owner": False,
        "created_at": _CREATED,
        "preview_file_url": f"{url.rstrip('/')}/voices/{voice.id}/preview",
    }
    if version >= _ACCESS:
        locales = [{"locale": voice.language, "is_native": True}]
        return common | {"tagline": voice.name, "locales": locales, "access": "public", "visibility": "public"}
    return common | {"is_public": True}
