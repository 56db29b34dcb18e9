"""Edge: who recognises, loaded when somebody first wants to be heard; and one stream of audio that is listened to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

import anyio
from anyio import create_task_group, fail_after, to_thread
from anyio.lowlevel import checkpoint

from agentvoice import plugins
from agentvoice.errors import ProviderUnavailable, UsageError
from agentvoice.events import SpeechStarted, SpeechStopped
from agentvoice.interfaces import Listening, SpeechRecognizer, TurnRecognizer, VoiceActivity, VoiceDetector
from agentvoice.stt.messages import Heard

from .segmenter import Segmenter
from .sessions import Session

RECOGNIZER: Final = "moonshine"
VAD: Final = "silero"
_STALLED_S: Final = 30.0
"""After so long without an answer a recogniser is taken for broken."""


class Ears:
    """What all clients of a speech server are heard by."""

    def __init__(self, name: str, recognizer: SpeechRecognizer, vad: VoiceActivity) -> None:
        """`name` is accepted as the name of a model."""
        self.name: Final = name
        self.recognizer: Final = recognizer
        self.vad: Final = vad
        self._lock = anyio.Lock()
        self._ready = False

    @classmethod
    def by_name(cls, name: str = RECOGNIZER, *, vad: str = VAD) -> Ears:
        """Return those that plugins offer.

        Raises:
            UsageError: there is no such plugin, or it recognises turns by itself.
        """
        recognizer = plugins.load("recognizer", name)()
        if isinstance(recognizer, TurnRecognizer):
            raise UsageError(f"'{name}' tells turns apart by itself; the speech server does so: try {RECOGNIZER}")
        return cls(name, recognizer, plugins.load("vad", vad)())

    async def prepare(self) -> None:
        """Load what has to be loaded, once.

        Raises:
            AssetUnavailable: a model cannot be had; the message says what to do.
        """
        async with self._lock:
            if not self._ready:
                await to_thread.run_sync(self._load, abandon_on_cancel=True)
                self._ready = True

    def _load(self) -> None:
        self.recognizer.prepare()
        self.vad.prepare()

    @asynccontextmanager
    async def hearing(
        self, session: Session, sample_rate: int, put: Callable[[Iterable[Heard]], None]
    ) -> AsyncIterator[Ear]:
        """Listen to one stream of PCM of `sample_rate`; what is to be said of it goes to `put`.

        Raises:
            ProviderError: the recogniser has broken.
        """
        detector = self.vad.detector(sample_rate)
        async with self.recognizer.listen(sample_rate) as listening, create_task_group() as group:
            ear = Ear(session, listening, detector, sample_rate, put)
            group.start_soon(ear.understand)
            yield ear
            group.cancel_scope.cancel()


class Ear:
    """One stream that is listened to."""

    def __init__(
        self,
        session: Session,
        listening: Listening,
        detector: VoiceDetector,
        sample_rate: int,
        put: Callable[[Iterable[Heard]], None],
    ) -> None:
        self._session = session
        self._listening = listening
        self._detector = detector
        self._put = put
        self._sensitivity = session.sensitivity
        self._segmenter = Segmenter(sample_rate, detector.window_s, self._sensitivity)
        self._piece = 2 * round(sample_rate * detector.window_s)
        self._understood = anyio.Event()

    async def hear(self, pcm: bytes) -> None:
        """Take PCM of any length, whole samples. Waits when recognition falls behind."""
        for at in range(0, len(pcm), self._piece):
            await checkpoint()  # a detector need not wait for anything, and others want to speak meanwhile
            piece = pcm[at : at + self._piece]
            if self._session.sensitivity is not self._sensitivity and not self._segmenter.speaking:
                self._sensitivity = self._session.sensitivity
                self._segmenter.use(self._sensitivity)
            for what in self._segmenter.receive(piece, await self._detector.feed(piece)):
                await self._follow(what)
            self._put(self._session.passed(self._segmenter.heard_s))
            while self._session.behind:
                await self._wait()

    async def _follow(self, what: SpeechStarted | SpeechStopped | bytes) -> None:
        match what:
            case bytes():
                await self._listening.feed(what)
            case SpeechStarted(at):
                self._put(self._session.started(at))
            case SpeechStopped(at):
                self._put(self._session.stopped(at, began_at=self._segmenter.began_at))
                await self._listening.finalize()

    async def end(self) -> None:
        """Take it that whoever speaks has finished."""
        for stopped in self._segmenter.end():
            await self._follow(stopped)

    async def settle(self) -> None:
        """Wait until all that was said is understood."""
        while self._session.owed:
            await self._wait()

    async def understand(self) -> None:
        """Take transcripts as they come."""
        async for transcript in self._listening.transcripts:
            if transcript.final and not self._session.owed:
                continue  # of nothing that was finalised: a recogniser's own idea
            self._put(self._session.understood(transcript, now=self._segmenter.heard_s))
            self._understood.set()
        raise ProviderUnavailable("recognizer", "it has stopped listening")

    async def _wait(self) -> None:
        self._understood = anyio.Event()
        try:
            with fail_after(_STALLED_S):
                await self._understood.wait()
        except TimeoutError as error:
            raise ProviderUnavailable("recognizer", f"it has said nothing for {_STALLED_S:g} seconds") from error
