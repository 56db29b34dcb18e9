"""The plugin: one model, one desk that all calls share, and one `Listening` for each call.

What it needs is imported with the model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio import create_memory_object_stream, create_task_group

from agentvoice.assets import ensure
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening

from ._weights import DECODER, ENCODER, TOKENIZER, WEIGHTS

if TYPE_CHECKING:
    from ._desk import Desk


class Moonshine:
    """`SpeechRecognizer` by Moonshine tiny, for English."""

    def __init__(self, *, partial_every_s: float = 0.3) -> None:
        """`partial_every_s` is the speech between two partial transcripts, in seconds."""
        self._partial_every_s = partial_every_s
        self._desk: Desk | None = None

    def prepare(self) -> None:
        """Load the model: files of 44 MB, fetched once into the user's cache."""
        from ._desk import Desk  # noqa: PLC0415 - takes a third of a second
        from ._model import Model  # noqa: PLC0415 - as above

        if self._desk is None:
            folder = ensure(WEIGHTS)
            self._desk = Desk(Model(folder / ENCODER.name, folder / DECODER.name, folder / TOKENIZER.name))

    @asynccontextmanager
    async def listen(self, sample_rate: int) -> AsyncIterator[Listening]:
        """Begin to listen to one call, whose audio is PCM of any sample rate."""
        from ._listening import MoonshineListening  # noqa: PLC0415 - as above

        self.prepare()
        assert self._desk is not None  # noqa: S101 - `prepare` has just seen to it
        send, receive = create_memory_object_stream[Transcript](64)
        with send, receive:
            listening = MoonshineListening(self._desk, sample_rate, send, receive, self._partial_every_s)
            async with create_task_group() as group:
                group.start_soon(listening.run)
                yield listening
                group.cancel_scope.cancel()
