"""The plugins: `SpeechRecognizer` by Nova and `TurnRecognizer` by Flux, one stream for each call."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from anyio import create_memory_object_stream, current_time
from anyio.abc import ObjectReceiveStream
from anyio.streams.memory import MemoryObjectSendStream
from pydantic import SecretStr

from agentvoice.events import CallerTurnEvent, Transcript
from agentvoice.interfaces import Following, Listening
from agentvoice.streams import connect_websocket

from ._exchange import Connect, Exchange
from ._flux import Flux
from ._nova import Nova
from ._settings import MULTILINGUAL, flux_url, headers, nova_url, read


class Deepgram:
    """`SpeechRecognizer` by Deepgram's Nova, which understands as the caller speaks."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        url: str | None = None,
        model: str | None = None,
        language: str | None = None,
        keyterms: Sequence[str] | None = None,
        smart_format: bool | None = None,
        connect: Connect = connect_websocket,
    ) -> None:
        """Prepare to connect. What is absent is read from `AGENTVOICE_DEEPGRAM_...`; see `DeepgramSettings`.

        `connect` replaces the socket in tests.

        Raises:
            UsageError: there is no key, or a value is not allowed; the message names the setting.
        """
        given = {"api_key": _secret(api_key), "url": url, "model": model, "language": language}
        self._settings = read({**given, "keyterms": keyterms, "smart_format": smart_format})
        self._connect = connect

    def prepare(self) -> None:
        """Do nothing: what there is to prepare is a connection, and each call has its own."""

    @asynccontextmanager
    async def listen(self, sample_rate: int) -> AsyncIterator[Listening]:
        """Begin to listen to one call, whose audio is PCM of `sample_rate`.

        Raises:
            ProviderRejected: the key is wrong, or the model cannot be had.
            ProviderUnavailable: the service cannot be reached, or has hung up.
        """
        send, receive = create_memory_object_stream[Transcript](math.inf)
        nova = Nova(sample_rate, language=self._settings.language)
        connection = self._connect(nova_url(self._settings, sample_rate), headers=headers(self._settings))
        with send, receive:
            listening = _NovaListening(nova, send, receive)
            async with listening.exchange.run(connection):
                yield listening


class _NovaListening:
    def __init__(
        self, nova: Nova, send: MemoryObjectSendStream[Transcript], receive: ObjectReceiveStream[Transcript]
    ) -> None:
        self.transcripts = receive
        self._nova = nova
        self._send = send
        self.exchange = Exchange(
            nova.outbox, receive=self._take, idle=nova.idle, idle_s=nova.idle_s, handle_timer=self._handle_timer
        )

    async def feed(self, pcm: bytes) -> None:
        self._nova.feed(pcm)
        self.exchange.wake()

    async def finalize(self) -> None:
        self._deliver(self._nova.finalize(now=current_time()))
        self.exchange.wake()

    def _take(self, message: str | bytes) -> None:
        self._deliver(self._nova.receive(message, now=current_time()))

    def _handle_timer(self) -> float:
        self._deliver(self._nova.handle_timer(now=current_time()))
        return self._nova.deadline

    def _deliver(self, transcripts: Sequence[Transcript]) -> None:
        for transcript in transcripts:
            self._send.send_nowait(transcript)


class DeepgramFlux:
    """`TurnRecognizer` by Deepgram's Flux, which says itself when the caller begins and ends a turn."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        url: str | None = None,
        model: str | None = None,
        keyterms: Sequence[str] | None = None,
        language_hints: Sequence[str] | None = None,
        eot_threshold: float | None = None,
        eager_eot_threshold: float | None = None,
        eager: bool | None = None,
        eot_timeout_ms: int | None = None,
        connect: Connect = connect_websocket,
    ) -> None:
        """Prepare to connect. What is absent is read from `AGENTVOICE_DEEPGRAM_...` and `AGENTVOICE_DEEPGRAM_FLUX_...`;
        see `DeepgramSettings`.

        `connect` replaces the socket in tests.

        Raises:
            UsageError: there is no key, or a value is not allowed; the message names the setting.
        """
        given = {"api_key": _secret(api_key), "url": url, "keyterms": keyterms}
        flux = {"model": model, "language_hints": language_hints, "eager": eager, "eot_threshold": eot_threshold}
        flux |= {"eager_eot_threshold": eager_eot_threshold, "eot_timeout_ms": eot_timeout_ms}
        self._settings = read({**given, **{f"flux_{name}": each for name, each in flux.items()}})
        self._connect = connect

    def prepare(self) -> None:
        """Do nothing: what there is to prepare is a connection, and each call has its own."""

    @asynccontextmanager
    async def follow(self, sample_rate: int) -> AsyncIterator[Following]:
        """Begin to follow one call, whose audio is PCM of `sample_rate`.

        Raises:
            ProviderRejected: the key is wrong, or the model cannot be had.
            ProviderUnavailable: the service cannot be reached, has hung up, or says that it cannot go on.
        """
        language = self._settings.flux_model.rpartition("-")[2]
        send, receive = create_memory_object_stream[CallerTurnEvent](math.inf)
        flux = Flux(sample_rate, language="" if language == MULTILINGUAL else language)
        connection = self._connect(flux_url(self._settings, sample_rate), headers=headers(self._settings))
        with send, receive:
            following = _FluxFollowing(flux, send, receive)
            async with following.exchange.run(connection):
                yield following


class _FluxFollowing:
    def __init__(
        self, flux: Flux, send: MemoryObjectSendStream[CallerTurnEvent], receive: ObjectReceiveStream[CallerTurnEvent]
    ) -> None:
        self.events = receive
        self._flux = flux
        self._send = send
        self.exchange = Exchange(flux.outbox, receive=self._take, idle=flux.idle, idle_s=flux.idle_s)

    async def feed(self, pcm: bytes) -> None:
        self._flux.feed(pcm)
        self.exchange.wake()

    def _take(self, message: str | bytes) -> None:
        for event in self._flux.receive(message):
            self._send.send_nowait(event)


def _secret(key: str | None) -> SecretStr | None:
    return None if key is None else SecretStr(key)
