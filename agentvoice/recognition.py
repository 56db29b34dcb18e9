"""Recognition of one call: the edge between hearing and a recogniser, which is opened again whenever it breaks.

There are two kinds: `SegmentRecognition` gives a recogniser the segments in which the caller speaks; `TurnRecognition`
gives one that knows turns everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from anyio import CancelScope, sleep

from .bell import Bell
from .errors import AgentVoiceError, ProviderRejected, UsageError
from .events import Event
from .logger import Logger

log = Logger(__name__)

RETRY_S: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
"""How long to wait before a broken recogniser is opened again; the last for ever after."""


class Recognition(Protocol):
    """What hearing tells the recogniser's side of."""

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`, on the call's clock."""

    @property
    def lost_s(self) -> float:
        """Seconds of speech that no recogniser ever got."""

    def hear(self, pcm: bytes, *, at: float) -> None:
        """Take all that the line receives, in order; the first sample was spoken at `at`. Never waits."""

    def speech_started(self, at: float) -> None:
        """The caller began to speak at `at`, a moment ago."""

    def speech_stopped(self, at: float) -> None:
        """The caller fell silent at `at`."""

    def handle_timer(self, now: float) -> None:
        """Do what is due. Harmless when called early."""

    async def run(self) -> None:
        """Keep a recogniser open until cancelled, or until there is no hope."""


class Reopening:
    """What both kinds share: a recogniser is opened, used until it breaks, and opened again."""

    def __init__(self, deliver: Callable[[Event], None]) -> None:
        self._deliver = deliver
        self._more = Bell()
        self._session = CancelScope()
        self._failures = 0

    async def run(self) -> None:
        """Keep a recogniser open. Speech waits while there is none, and is given again to the next one."""
        while True:
            try:
                with CancelScope() as self._session:
                    await self._use()
            except Exception as error:
                if reasons := _reasons(error):
                    log.error("recognizer_failed", failures=self._failures, reason=reasons)  # noqa: TRY400 - it says all
                else:
                    log.exception("recognizer_failed", failures=self._failures)
                if _is_hopeless(error):
                    return
            self._rewind()
            await sleep(RETRY_S[min(self._failures, len(RETRY_S) - 1)])
            self._failures += 1

    async def _use(self) -> None:
        raise NotImplementedError

    def _rewind(self) -> None:
        raise NotImplementedError


def _reasons(error: BaseException) -> str:
    """Return what our own errors say is wrong; nothing where there is any other, whose traceback somebody will need."""
    if isinstance(error, BaseExceptionGroup):
        parts = [_reasons(each) for each in error.exceptions]
        return "; ".join(parts) if all(parts) else ""
    return str(error) if isinstance(error, AgentVoiceError) else ""


def _is_hopeless(error: Exception) -> bool:
    """Whether opening the recogniser again cannot help."""
    hopeless = (ProviderRejected, UsageError)
    if isinstance(error, ExceptionGroup):
        return error.subgroup(hopeless) is not None
    return isinstance(error, hopeless)
