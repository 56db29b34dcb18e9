"""A `ContextSynthesizer` that speaks ElevenLabs' dialect."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
import msgspec

from agentvoice.audio import TELEPHONE, AudioFormat, Encoding
from agentvoice.errors import ProviderUnavailable, UsageError
from agentvoice.events import ContextFailed
from agentvoice.interfaces import Voice
from agentvoice.streams import Connect, connect_websocket
from agentvoice.tts.connection import ContextSynthesizer, Deliver
from agentvoice.tts.failures import handshake_error
from agentvoice.tts.governor import Limits
from agentvoice.voicing import NATURAL, Voicing

from ._dialect import MultiContext

PROVIDER: Final = "elevenlabs"
URL: Final = "https://api.elevenlabs.io"
LIMITS: Final = Limits(per_socket=5, sockets=4, total=20, linger_s=20.0, linger_most_s=30.0)
"""Five contexts a socket, and a cancelled one is one of them until the provider says that it is over."""
_IDLE_S: Final = 180
"""How long a socket may be idle before they close it: the most that can be asked for."""
_PATIENCE_S: Final = 15.0
_SPEEDS: Final = (0.7, 1.2)
_FORMATS: Final = {
    **{AudioFormat(Encoding.S16LE, rate): f"pcm_{rate}" for rate in (8000, 16000, 22050, 24000, 44100)},
    AudioFormat(Encoding.MULAW, 8000): "ulaw_8000",
    AudioFormat(Encoding.ALAW, 8000): "alaw_8000",
}


class _Labels(msgspec.Struct):
    language: str | None = None


class _Voice(msgspec.Struct):
    voice_id: str
    name: str = ""
    description: str | None = None
    labels: _Labels | None = None


class _Voices(msgspec.Struct):
    voices: list[_Voice]


class ElevenLabs(ContextSynthesizer):
    """`Synthesizer` by ElevenLabs. Enter it before the first call."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        voicing: Voicing = NATURAL,
        url: str = URL,
        model: str = "eleven_flash_v2_5",
        voice_settings: Mapping[str, Any] | None = None,
        audio: AudioFormat = TELEPHONE,
        limits: Limits = LIMITS,
        random: Random | None = None,
        connect: Connect | None = None,
    ) -> None:
        """Prepare to connect. What is absent is looked for in the environment: `ELEVENLABS_API_KEY` and
        `ELEVENLABS_VOICE_ID`. `audio` is what all calls of this process carry; `connect` replaces the socket in tests.

        Of `voicing` they know voice, language and speed (0.7 to 1.2); the rest is left to `voice_settings`.

        Raises:
            UsageError: there is no key, no voice, or the format or the speed is none of theirs.
        """
        if audio not in _FORMATS:
            raise UsageError(f"ElevenLabs does not speak {audio}; try one of {', '.join(_FORMATS.values())}")
        voicing = voicing.over(Voicing(os.environ.get("ELEVENLABS_VOICE_ID")))
        if not voicing.voice:
            raise UsageError("ElevenLabs has to be told with which voice to speak; set ELEVENLABS_VOICE_ID to its id")
        api_key = api_key or os.environ.get("ELEVENLABS_API_KEY")
        if not api_key:
            raise UsageError("ElevenLabs wants an API key; set ELEVENLABS_API_KEY, or pass api_key=...")
        self._audio = audio
        self._url = url.rstrip("/")
        self._headers = {"xi-api-key": api_key}
        self._fixed = voicing.voice, voicing.language
        self.socket_url = _socket_url(self._url, voicing.voice, model, voicing.language, audio)
        """Where the sockets go, with everything that cannot change on one."""
        super().__init__(
            connect or partial(connect_websocket, self.socket_url, headers=self._headers),
            model=model,
            voicing=voicing,
            limits=limits,
            provider=PROVIDER,
            dialect=partial(MultiContext, audio, _settings(voicing, voice_settings)),
            random=random,
        )

    def open(self, context_id: str, *, audio: AudioFormat, deliver: Deliver, voicing: Voicing | None = None) -> None:
        """Begin a context; see `Synthesizer.open`. One in another voice or language fails: the sockets have one. How
        fast, too, is the same for all.

        Raises:
            UsageError: the sockets carry another format.
        """
        if audio != self._audio:
            raise UsageError(f"this synthesizer was made for {self._audio}; make another with audio={audio}")
        other = voicing and voicing.over(Voicing(*self._fixed))
        if other and (other.voice, other.language) != self._fixed:
            reason = f"these sockets speak with voice {self._fixed[0]}; make another synthesizer for {other.voice}"
            deliver(ContextFailed(context_id, reason, retryable=False))
            return
        super().open(context_id, audio=audio, deliver=deliver, voicing=voicing)

    async def voices(self) -> list[Voice]:
        """Return the voices that this key may use.

        Raises:
            ProviderError: they cannot be had.
        """
        try:
            async with httpx.AsyncClient(base_url=self._url, headers=self._headers, timeout=_PATIENCE_S) as client:
                response = await client.get("/v1/voices")
                if response.is_error:
                    raise handshake_error(PROVIDER, response.status_code, response.text)
                found = msgspec.json.decode(response.content, type=_Voices).voices
        except httpx.HTTPError as error:
            raise ProviderUnavailable(PROVIDER, f"cannot list the voices: {error}") from error
        except msgspec.MsgspecError as error:
            raise ProviderUnavailable(PROVIDER, f"the list of voices makes no sense: {error}") from error
        return [
            Voice(voice.voice_id, voice.name, (voice.labels and voice.labels.language) or "", voice.description or "")
            for voice in found
        ]


def _settings(voicing: Voicing, voice_settings: Mapping[str, Any] | None) -> dict[str, Any]:
    slowest, fastest = _SPEEDS
    if voicing.speed is None:
        return dict(voice_settings or {})
    if not slowest <= voicing.speed <= fastest:
        raise UsageError(f"ElevenLabs speaks at speeds from {slowest} to {fastest}, and not at {voicing.speed}")
    return {**(voice_settings or {}), "speed": voicing.speed}


def _socket_url(url: str, voice: str, model: str, language: str | None, audio: AudioFormat) -> str:
    query = {
        "model_id": model,
        "output_format": _FORMATS[audio],
        "sync_alignment": "true",
        "auto_mode": "true",
        "inactivity_timeout": _IDLE_S,
        "enable_ssml_parsing": "true",
    } | ({"language_code": language} if language else {})
    path = f"/v1/text-to-speech/{quote(voice, safe='')}/multi-stream-input"
    return "ws" + url.removeprefix("http") + path + "?" + urlencode(query)
