"""The plugin: one model that all calls share, and one `Listening` for each call.

What it needs is imported with the model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, Literal

from anyio import CapacityLimiter, from_thread, to_thread
from anyio.lowlevel import RunVar
from pydantic import BaseModel, Field, PositiveFloat, PositiveInt

from agentvoice.assets import Asset, ensure
from agentvoice.batch_listening import listen_in_batches
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening
from agentvoice.settings import read_plugin

from ._weights import BASE, TINY

if TYPE_CHECKING:
    from ._model import Model

LONGEST_S: Final = 25.0
"""A segment that is longer is understood in parts."""
_WEIGHTS: Final[dict[str, Asset]] = {"tiny": TINY, "base": BASE}


class WhisperSettings(BaseModel):
    """What may be set: `AGENTVOICE_WHISPER_MODEL`, and so on."""

    model: Literal["tiny", "base"] = "tiny"
    """`tiny` is for English alone, and better at it than `base`, which knows a hundred languages."""
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3}|auto)$")] = "en"
    """What callers speak, as a code; `auto` to have it found out for each segment."""
    threads: PositiveInt = 1
    """How many cores a segment may take."""
    partial_every_s: PositiveFloat | None = None
    """Speech between two partial transcripts, in seconds; absent for final ones alone."""


class Whisper:
    """`SpeechRecognizer` by Whisper, tiny or base."""

    def __init__(
        self,
        *,
        model: Literal["tiny", "base"] | None = None,
        language: str | None = None,
        threads: int | None = None,
        partial_every_s: float | None = None,
    ) -> None:
        """Choose a model. What is absent is read from `AGENTVOICE_WHISPER_...`; see `WhisperSettings`.

        Raises:
            UsageError: a setting is not allowed.
        """
        given = {"model": model, "language": language, "threads": threads, "partial_every_s": partial_every_s}
        self._settings = read_plugin("whisper", WhisperSettings, given)
        self._limiter: RunVar[CapacityLimiter] = RunVar("agentvoice_whisper")
        self._model: Model | None = None

    def prepare(self) -> None:
        """Load the model: files of 76 or 146 MB, fetched once into the user's cache.

        Raises:
            AssetUnavailable: they could not be had.
            UsageError: the model does not know the language.
        """
        if self._model is None:
            from ._model import Model  # noqa: PLC0415 - takes a quarter of a second

            folder = ensure(_WEIGHTS[self._settings.model])
            language = self._settings.language.replace("auto", "")
            self._model = Model(folder, language=language, threads=self._settings.threads)

    @asynccontextmanager
    async def listen(self, sample_rate: int) -> AsyncIterator[Listening]:
        """Begin to listen to one call, whose audio is PCM of any sample rate."""
        self.prepare()
        async with listen_in_batches(
            self._transcribe, sample_rate, longest_s=LONGEST_S, partial_every_s=self._settings.partial_every_s
        ) as listening:
            yield listening

    async def _transcribe(self, pcm: bytes, sample_rate: int) -> Transcript:
        work = partial(self._understand, pcm, sample_rate)
        return await to_thread.run_sync(work, limiter=self._queue, abandon_on_cancel=True)

    def _understand(self, pcm: bytes, sample_rate: int) -> Transcript:
        """In a worker thread."""
        from ._samples import floats  # noqa: PLC0415 - as above

        assert self._model is not None  # noqa: S101 - `listen` has seen to it
        return self._model(floats(pcm, sample_rate), from_thread.check_cancelled).transcript()

    @property
    def _queue(self) -> CapacityLimiter:
        """The limiter of this event loop. One thread at a time: two would take as long, and the cores from those who
        play audio."""
        limiter = self._limiter.get(None)
        if limiter is None:
            limiter = CapacityLimiter(1)
            self._limiter.set(limiter)
        return limiter
