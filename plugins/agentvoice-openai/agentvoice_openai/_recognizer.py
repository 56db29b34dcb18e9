"""`SpeechRecognizer` at an endpoint that takes a whole segment of speech in one request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from anyio import create_task_group

from agentvoice.batch_listening import listen_in_batches
from agentvoice.endpoint import Endpoint
from agentvoice.errors import ProviderRejected, ProviderUnavailable
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening
from agentvoice.logger import Logger

from ._settings import PROVIDER, headers, read, required
from ._transcription import form, transcript, wav

log = Logger(__name__)

AT_ONCE: Final = 4
"""How many segments of one call may be under way at the same time."""
SILENCE_S: Final = 10.0
"""How long the endpoint may say nothing. By then the segment has long been given to a fresh `Listening`."""
_HINTS: Final = {
    401: "check AGENTVOICE_OPENAI_STT_API_KEY, or AGENTVOICE_OPENAI_API_KEY",
    404: "check AGENTVOICE_OPENAI_STT_MODEL and AGENTVOICE_OPENAI_STT_BASE_URL",
    415: "check AGENTVOICE_OPENAI_STT_MODEL: it does not take WAV files",
}


class OpenAIRecognizer:
    """A recogniser at any endpoint that has `/audio/transcriptions`: OpenAI's own, or one that serves Whisper."""

    def __init__(
        self,
        *,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        language: str | None = None,
        prompt: str | None = None,
        words: bool | None = None,
    ) -> None:
        """Prepare to ask. What is absent is read from `AGENTVOICE_OPENAI_STT_...`; see `OpenAISettings`.

        Raises:
            UsageError: there is no model, or no key for an endpoint that wants one; the message names the setting.
        """
        given = {"model": model, "base_url": base_url, "api_key": api_key}
        given |= {"language": language, "prompt": prompt}
        settings = read({f"stt_{name}": each for name, each in {**given, "words": words}.items()})
        self._model = required(settings.stt_model, "AGENTVOICE_OPENAI_STT_MODEL", "recogniser")
        self._language, self._prompt = settings.stt_language, settings.stt_prompt
        self._words = "whisper" in self._model.lower() if settings.stt_words is None else settings.stt_words
        url = settings.stt_base_url or settings.base_url
        # A key is shown to nobody whom it was not meant for.
        key = settings.stt_api_key or (settings.api_key if url == settings.base_url else None)
        sent = headers(url, key, "AGENTVOICE_OPENAI_STT_BASE_URL")
        self._endpoint = Endpoint(PROVIDER, url, headers=sent, hints=_HINTS, silence_s=SILENCE_S)

    def prepare(self) -> None:
        """Do nothing: what there is to prepare is a connection, which each call opens, or finds open."""

    @asynccontextmanager
    async def listen(self, sample_rate: int) -> AsyncIterator[Listening]:
        """Begin to listen to one call, and connect meanwhile.

        Raises:
            ProviderRejected: the key is wrong, or the model cannot do it.
            ProviderUnavailable: it cannot now.
        """
        async with (
            listen_in_batches(self._transcribe, sample_rate, at_once=AT_ONCE) as listening,
            create_task_group() as group,
        ):
            group.start_soon(self._endpoint.reach, "/models")
            yield listening
            group.cancel_scope.cancel()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()

    async def _transcribe(self, pcm: bytes, sample_rate: int) -> Transcript:
        words = self._words
        try:
            return await self._ask(pcm, sample_rate, words=words)
        except ProviderRejected as refusal:
            if words and _is_about_times(refusal):
                log.warning("words_without_times", model=self._model, reason=refusal.reason)
                self._words = False
                return await self._ask(pcm, sample_rate, words=False)
            if "too short" in refusal.reason.lower():  # each endpoint has an opinion of its own of what is
                return Transcript("", final=True)
            raise

    async def _ask(self, pcm: bytes, sample_rate: int, *, words: bool) -> Transcript:
        fields = form(self._model, language=self._language, prompt=self._prompt, words=words)
        file = ("speech.wav", wav(pcm, sample_rate), "audio/wav")
        answer = await self._endpoint.answer("/audio/transcriptions", fields, {"file": file})
        try:
            return transcript(answer, language=self._language)
        except (TypeError, ValueError) as error:
            raise ProviderUnavailable(PROVIDER, f"its answer makes no sense: {error}") from error


def _is_about_times(refusal: ProviderRejected) -> bool:
    """Whether the model cannot tell when a word was spoken. Endpoints agree on no code for it."""
    return any(name in refusal.reason for name in ("response_format", "verbose_json", "timestamp"))
