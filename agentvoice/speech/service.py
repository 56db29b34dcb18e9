"""A speech server without its doors: an engine, its workers, who may use it and how much. `app.py` has the doors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import uuid4

from agentvoice.clock import current_time
from agentvoice.interfaces import SpeechEngine

from .auth import Gate
from .convert import warm_up
from .exchange import Exchange
from .faults import Faults, FaultySession
from .hearing.ears import Ears
from .lexicon import Lexicons
from .limits import Limits, Slots
from .metrics import Metrics
from .origins import Origins
from .repertoire import Repertoire
from .scheduler import RunInThread, Scheduler
from .session import SpeechSession
from .voices import VoiceDirectory

MAX_CONTEXTS: Final = 256
_SOCKETS_FOR_EACH: Final = 10
"""The provider allows ten times as many sockets as contexts."""


class SpeechService:
    """Everything that the clients of one speech server share."""

    def __init__(
        self,
        engine: SpeechEngine,
        *,
        api_key: str | None = None,
        origins: Origins | None = None,
        limits: Limits | None = None,
        max_contexts: int = MAX_CONTEXTS,
        workers: int = 2,
        models: Sequence[str] = (),
        lexicons: Lexicons | None = None,
        faults: Faults | None = None,
        in_thread: RunInThread | None = None,
        ears: Ears | None = None,
    ) -> None:
        self.gate: Final = Gate(api_key)
        self.origins: Final = origins or Origins(everyone=api_key is not None)
        self.metrics: Final = Metrics()
        self.ears: Final = ears
        """Who recognises what is said to this server; `None` when it only speaks."""
        self.voices: Final = VoiceDirectory(engine.voices, models=models)
        self._repertoire = Repertoire(self.voices, lexicons)
        self.max_sockets: Final = max_contexts * _SOCKETS_FOR_EACH
        self._engine = engine
        self._slots = Slots(max_contexts)
        self._limits = limits or Limits()
        self._faults = faults
        self._exchanges = 0
        self._scheduler = Scheduler(engine, workers=workers, in_thread=in_thread)

    def prepare(self) -> None:
        """Load the voice. Blocks: call it once, in a worker thread, before `run`.

        Raises:
            AssetUnavailable: the voice is not there; the message says what to do.
        """
        self._engine.prepare()
        warm_up()

    async def run(self) -> None:
        """Speak what exchanges ask for, until cancelled."""
        await self._scheduler.run()

    def exchange(self, *, version: str, connection_id: str | None = None, behaved: bool = False) -> Exchange:
        """Return a new client's conversation with this server. Whoever asked for it closes it.

        One that is `behaved` has no faults, whatever the server has.
        """
        session = SpeechSession(
            version=version,
            connection_id=connection_id or str(uuid4()),
            repertoire=self._repertoire,
            slots=self._slots,
            limits=self._limits,
            now=current_time(),
        )
        if behaved or self._faults is None:
            return Exchange(session, self._scheduler, self.metrics)
        self._exchanges += 1
        faulty = FaultySession(session, self._faults, name=str(self._exchanges))
        return Exchange(faulty, self._scheduler, self.metrics)
