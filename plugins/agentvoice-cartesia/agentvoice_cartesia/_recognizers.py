"""The plugins: `SpeechRecognizer` and `TurnRecognizer`, one socket for each call."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import quote, urlencode

from anyio import create_memory_object_stream
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectSendStream

from agentvoice.errors import UsageError
from agentvoice.events import CallerTurnEvent, Transcript
from agentvoice.interfaces import Following, Listening
from agentvoice.streams import connect_websocket
from agentvoice.stt.messages import Configure
from agentvoice.stt.thresholds import Thresholds
from agentvoice.tts.wire import RequestRejected

from ._account import base_url, headers, socket_url
from ._dictation import Dictation
from ._exchange import Connect, Exchange
from ._turns import Turns

MODEL: Final = "ink-2"


class _Recognizer:
    """What both have in common: where, who, and with which model."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        access_token: str | None = None,
        url: str | None = None,
        model: str | None = None,
        language: str | None = None,
        keyterms: Sequence[str] | None = None,
        connect: Connect = connect_websocket,
    ) -> None:
        """Prepare to connect. What is absent is looked for in the environment: `CARTESIA_API_KEY`,
        `CARTESIA_BASE_URL`, `CARTESIA_STT_MODEL`, `CARTESIA_STT_LANGUAGE`, and `CARTESIA_STT_KEYTERMS`, names and words
        that callers may use, separated by commas.

        `connect` replaces the socket in tests.

        Raises:
            UsageError: there is no key.
        """
        self._url = base_url(url)
        self._headers = headers(api_key, access_token)
        self._model = model or os.environ.get("CARTESIA_STT_MODEL") or MODEL
        self._language = language or os.environ.get("CARTESIA_STT_LANGUAGE") or "en"
        said = os.environ.get("CARTESIA_STT_KEYTERMS", "").split(",")
        self._keyterms = [term.strip() for term in (said if keyterms is None else keyterms) if term.strip()]
        self._connect = connect

    def prepare(self) -> None:
        """Do nothing: what there is to prepare is a connection, and each call has its own."""

    def _connection(self, path: str, sample_rate: int, **more: Any) -> Any:
        query = {"model": self._model, "encoding": "pcm_s16le", "sample_rate": sample_rate, **more}
        query |= {"keyterm": self._keyterms} if self._keyterms else {}
        address = f"{socket_url(self._url, path)}?{urlencode(query, doseq=True, quote_via=quote)}"
        return self._connect(address, headers=self._headers)


class CartesiaListener(_Recognizer):
    """`SpeechRecognizer` by Cartesia's Ink, or by whatever serves the same protocol at `url`."""

    @asynccontextmanager
    async def listen(self, sample_rate: int) -> AsyncIterator[Listening]:
        """Begin to listen to one call, whose audio is PCM of `sample_rate`.

        Raises:
            ProviderRejected: the key is wrong, or the model cannot be had.
            ProviderUnavailable: the service cannot be reached, has hung up, or says that it cannot go on.
        """
        send, receive = create_memory_object_stream[Transcript](math.inf)
        with send, receive:
            listening = _Listening(Dictation(sample_rate), send, receive)
            connection = self._connection("/stt/websocket", sample_rate, language=self._language)
            async with listening.exchange.run(connection):
                yield listening


class _Listening:
    def __init__(
        self, dictation: Dictation, send: MemoryObjectSendStream[Transcript], receive: ObjectReceiveStream[Transcript]
    ) -> None:
        self.transcripts = receive
        self._dictation = dictation
        self._send = send
        self.exchange = Exchange(dictation, self._deliver)

    async def feed(self, pcm: bytes) -> None:
        self._dictation.feed(pcm)
        self.exchange.wake()

    async def finalize(self) -> None:
        self._deliver(self._dictation.finalize())
        self.exchange.wake()

    def _deliver(self, transcripts: Sequence[Transcript]) -> None:
        for transcript in transcripts:
            self._send.send_nowait(transcript)


class CartesiaTurns(_Recognizer):
    """`TurnRecognizer` by Cartesia's Ink, which says itself when the caller begins and ends a turn."""

    def __init__(
        self,
        *,
        start: float | None = None,
        eager_end: float | None = None,
        end: float | None = None,
        end_timeout_s: float | None = None,
        **account: Any,
    ) -> None:
        """As `CartesiaListener`. The rest is how likely it has to be for Ink that somebody speaks for a turn to begin
        (`start`, 0.5 to 0.9), to have probably ended (less than `eager_end`, 0.3 to 0.8) and to have ended (less than
        `end`, 0.05 to 0.5); and after how long a silence it has ended in any case. Absent for Ink's own defaults.

        Raises:
            UsageError: there is no key, or a value is not allowed.
        """
        super().__init__(**account)
        timeout_ms = None if end_timeout_s is None else 1000 * end_timeout_s
        wanted = Configure(start, eager_end, end, timeout_ms)
        try:
            Thresholds().changed(wanted)
        except RequestRejected as refused:
            raise UsageError(refused.failure.message) from refused
        self._wanted = {f"turn_{name}": value for name, value in asdict(wanted).items() if value is not None}

    @asynccontextmanager
    async def follow(self, sample_rate: int) -> AsyncIterator[Following]:
        """Begin to follow one call, whose audio is PCM of `sample_rate`.

        Raises:
            ProviderRejected: the key is wrong, or the model cannot be had.
            ProviderUnavailable: the service cannot be reached, has hung up, or says that it cannot go on.
        """
        send, receive = create_memory_object_stream[CallerTurnEvent](math.inf)
        with send, receive:
            following = _Following(Turns(sample_rate, language=self._language), send, receive)
            async with following.exchange.run(self._connection("/stt/turns/websocket", sample_rate, **self._wanted)):
                yield following


class _Following:
    def __init__(
        self,
        turns: Turns,
        send: MemoryObjectSendStream[CallerTurnEvent],
        receive: ObjectReceiveStream[CallerTurnEvent],
    ) -> None:
        self.events = receive
        self._turns = turns
        self._send = send
        self.exchange = Exchange(turns, self._deliver)

    async def feed(self, pcm: bytes) -> None:
        self._turns.feed(pcm)
        self.exchange.wake()

    def _deliver(self, events: Sequence[CallerTurnEvent]) -> None:
        for event in events:
            self._send.send_nowait(event)
