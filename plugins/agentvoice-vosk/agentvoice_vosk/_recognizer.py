"""The plugin: one model, one desk that all calls share, and one `Listening` for each call.

What it needs is imported with the model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import create_memory_object_stream, create_task_group

from agentvoice.assets import ensure
from agentvoice.events import Transcript
from agentvoice.interfaces import Listening

from ._weights import MODEL

if TYPE_CHECKING:
    from ._desk import Desk


class Vosk:
    """`SpeechRecognizer` by Vosk, for English: it understands as the caller speaks."""

    def __init__(self, *, threads: int = 2, spare: int = 4) -> None:
        """`threads` is how many of them understand; `spare` how many decoders that nobody uses are kept warm, at 100 to
        200 MB each."""
        self._threads = threads
        self._spare = spare
        self._desk: Desk | None = None

    def prepare(self) -> None:
        """Load the model, files of 71 MB that are fetched once into the user's cache, and warm up: 2 s in all."""
        if self._desk is not None:
            return
        from vosk import KaldiRecognizer  # noqa: PLC0415 - takes a fifth of a second

        from ._decoder import SAMPLE_RATE, Decoder  # noqa: PLC0415 - goes with it
        from ._desk import Desk  # noqa: PLC0415 - imports numpy and soxr
        from ._shelf import Shelf  # noqa: PLC0415 - goes with it

        model = _model(ensure(MODEL))

        def decoder() -> Decoder:
            kaldi = KaldiRecognizer(model, SAMPLE_RATE)
            kaldi.SetWords(True)
            return Decoder(kaldi)

        shelf = Shelf(decoder, spare=self._spare)
        shelf.stock(self._threads)
        self._desk = Desk(shelf, threads=self._threads)

    @asynccontextmanager
    async def listen(self, sample_rate: int) -> AsyncIterator[Listening]:
        """Begin to listen to one call, whose audio is PCM of any sample rate."""
        from ._listening import VoskListening  # noqa: PLC0415 - imports numpy and soxr

        self.prepare()
        assert self._desk is not None  # noqa: S101 - `prepare` has just seen to it
        send, receive = create_memory_object_stream[Transcript](64)
        with send, receive:
            listening = VoskListening(self._desk, sample_rate, send, receive)
            async with create_task_group() as group:
                group.start_soon(listening.run)
                yield listening
                group.cancel_scope.cancel()


@cache
def _model(folder: Path) -> Any:
    """Return the model of this process, which all who recognise share."""
    from vosk import Model, SetLogLevel  # noqa: PLC0415 - as above

    SetLogLevel(-1)  # or it tells of every file that it opens, and of every recogniser
    return Model(str(folder))
