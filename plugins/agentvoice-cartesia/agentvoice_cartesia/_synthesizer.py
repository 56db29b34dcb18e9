"""A `ContextSynthesizer` that knows where Cartesia is, and how it wants to be greeted."""

from __future__ import annotations

import os
from functools import partial
from random import Random

from agentvoice.errors import UsageError
from agentvoice.interfaces import Voice
from agentvoice.streams import connect_websocket
from agentvoice.tts.connection import ContextSynthesizer
from agentvoice.tts.governor import Limits
from agentvoice.voicing import NATURAL, Voicing

from ._account import PROVIDER, base_url, headers, socket_url
from ._voices import list_voices


class Cartesia(ContextSynthesizer):
    """`Synthesizer` by Cartesia, or by whatever serves the same protocol at `url`. Enter it before the first call."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        access_token: str | None = None,
        voicing: Voicing = NATURAL,
        url: str | None = None,
        model: str = "sonic-3.5",
        phonemes: bool = False,
        limits: Limits | None = None,
        random: Random | None = None,
    ) -> None:
        """Prepare to connect; see `ContextSynthesizer`. What is absent is looked for in the environment:
        `CARTESIA_API_KEY`, `CARTESIA_VOICE`, and `CARTESIA_BASE_URL`.

        Raises:
            UsageError: there is no key, or no voice.
        """
        self._url = base_url(url)
        self._headers = headers(api_key, access_token)
        voicing = voicing.over(Voicing(os.environ.get("CARTESIA_VOICE")))
        if not voicing.voice:
            raise UsageError("Cartesia has to be told with which voice to speak; set CARTESIA_VOICE to the id of one")
        super().__init__(
            partial(connect_websocket, socket_url(self._url, "/tts/websocket"), headers=self._headers),
            model=model,
            voicing=voicing,
            phonemes=phonemes,
            limits=limits,
            provider=PROVIDER,
            random=random,
        )

    async def voices(self, *, language: str | None = None) -> list[Voice]:
        """Return the voices that this key may use; those of one language, if it is given.

        Raises:
            ProviderError: they cannot be had.
        """
        return await list_voices(PROVIDER, self._url, self._headers, language=language)
