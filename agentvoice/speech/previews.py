"""Edge: a sentence of each voice, to hear what it is like. Spoken when it is first asked for, and kept.

Nobody has to show a key for it, as a page's `<audio>` could not: it costs one sentence for each voice, once.
"""

from __future__ import annotations

from typing import Final

from anyio import Lock

from agentvoice.audio import AudioFormat, Encoding
from agentvoice.interfaces import Voice
from agentvoice.tts.wire import Chunk, Failure, Generate, RequestRejected

from .answers import begin, replies
from .containers import Wav
from .service import SpeechService

_OUTPUT: Final = AudioFormat(Encoding.S16LE, 24000)


class Previews:
    """Whole WAV files, by voice."""

    def __init__(self, service: SpeechService) -> None:
        self._service = service
        self._kept: dict[str, bytes] = {}
        self._speaking = Lock()

    async def of(self, voice: Voice) -> bytes:
        """Return what a voice says about itself.

        Raises:
            RequestRejected: it cannot speak now.
        """
        async with self._speaking:  # who asks at the same time waits, and hears the same
            if voice.id not in self._kept:
                self._kept[voice.id] = await self._speak(voice)
        return self._kept[voice.id]

    async def _speak(self, voice: Voice) -> bytes:
        text = f"Hello, I am {voice.name}. This is how I sound."
        said = Generate(context_id="preview", transcript=text, model_id="sonic", voice_id=voice.id, output=_OUTPUT)
        exchange = self._service.exchange(version="", behaved=True)
        pcm = b""
        try:
            async for reply in replies(await begin(exchange, said), exchange):
                if isinstance(reply, Failure):
                    raise RequestRejected(reply)
                pcm += reply.audio if isinstance(reply, Chunk) else b""
        finally:
            exchange.close()
        return Wav(_OUTPUT, size=len(pcm)).begin() + pcm
