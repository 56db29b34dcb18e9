"""Edge: sockets to a speech provider, shared by all calls of the process.

Everything is decided in `contexts.py`. Here each socket has a reader and a writer, one task connects it again, and
one more wakes the contexts at their deadline.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from random import Random
from typing import Final, Self, TypeAlias

import structlog
from anyio import (
    TASK_STATUS_IGNORED,
    AsyncContextManagerMixin,
    BrokenResourceError,
    CancelScope,
    EndOfStream,
    create_task_group,
    sleep,
)
from anyio.abc import TaskStatus
from websockets.exceptions import InvalidStatus, WebSocketException

from agentvoice.audio import AudioFormat
from agentvoice.bell import Bell
from agentvoice.clock import current_time
from agentvoice.errors import AgentVoiceError, ProviderError, ProviderRejected, ProviderUnavailable
from agentvoice.events import ContextDone, ContextEvent, ContextFailed
from agentvoice.interfaces import MessageStream
from agentvoice.streams import Connect
from agentvoice.voicing import NATURAL, Voicing

from .backoff import Backoff
from .contexts import Contexts
from .dialect import ContextProtocol, Dialect
from .failures import handshake_error, reason_of
from .governor import Limits
from .messages import Failure, Generate, Response, Unknown, UnknownMember

log = structlog.get_logger(__name__)

Deliver: TypeAlias = Callable[[ContextEvent], None]
_Outcome: TypeAlias = AgentVoiceError | None

_HEALTHY_S: Final = 5.0
"""A connection that lived so long may be replaced at once."""


class ContextSynthesizer(AsyncContextManagerMixin):
    """`Synthesizer` over a multiplexed context socket, opened on entry and kept warm.

        async with ContextSynthesizer(connect=lambda: connect_websocket(url), voicing=Voicing("anna")) as tts:
            tts.open("c1", audio=TELEPHONE, deliver=print)
            tts.send("c1", "Good morning. ")
            tts.finish("c1")

    Entering raises `ProviderRejected` or `ProviderUnavailable` when the first connection cannot be made. One that is
    lost later is made again; the contexts on it get a `ContextFailed` that is retryable.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        model: str = "sonic-3",
        voicing: Voicing = NATURAL,
        phonemes: bool = False,
        limits: Limits | None = None,
        provider: str = "speech",
        dialect: Callable[[], Dialect] = ContextProtocol,
        random: Random | None = None,
    ) -> None:
        """Prepare to connect. `voicing` is how contexts sound that are not opened otherwise; with `phonemes` there are
        `PhonemesReceived` too; `random` is where the jitter comes from, `provider` the name in errors."""
        template = Generate(
            context_id="",
            transcript="",
            model_id=model,
            max_buffer_delay_ms=0,  # `Pieces` splits the text; a server that waits for more adds up to 3 s
            add_timestamps=True,
            add_phoneme_timestamps=phonemes,
            use_normalized_timestamps=False,  # the words as written are what the ledger compares
        )
        self.markup = dialect().markup
        """What the text of its contexts may hold besides words; see `Synthesizer.markup`."""
        self._connect = connect
        self._limits = limits or Limits()
        self._contexts = Contexts(template, self._limits, voicing=voicing, markup=self.markup)
        self._provider = provider
        self._dialect = dialect
        self._random = random or Random()
        self._deliver: dict[str, Deliver] = {}
        self._wake_timer = Bell()
        self._watched_until = math.inf  # the watch is woken then, if nobody wakes it before
        self._wake_socket = [Bell() for _ in range(self._limits.sockets)]

    @property
    def counts(self) -> Counter[str]:
        """What was sent and received, by kind: `sockets` (handshakes), `requests`, `cancels`, `Chunk`, `late`, ..."""
        return self._contexts.counts

    # ------------------------------------------------------------------ for calls

    def open(self, context_id: str, *, audio: AudioFormat, deliver: Deliver, voicing: Voicing | None = None) -> None:
        """Begin a context; see `Synthesizer.open`."""
        self._contexts.open(context_id, audio, voicing)
        self._deliver[context_id] = deliver

    def send(self, context_id: str, text: str) -> None:
        """Send text; see `Synthesizer.send`."""
        self._carry_out(self._contexts.send(context_id, text, now=current_time()))
        self._wake()

    def finish(self, context_id: str) -> None:
        """Say that no more text comes; see `Synthesizer.finish`."""
        self._carry_out(self._contexts.finish(context_id, now=current_time()))
        self._wake()

    def cancel(self, context_id: str) -> None:
        """Say that nothing of the context is wanted; see `Synthesizer.cancel`."""
        self._deliver.pop(context_id, None)
        self._carry_out(self._contexts.cancel(context_id, now=current_time()))
        self._wake()

    def _carry_out(self, events: Iterable[ContextEvent]) -> None:
        """Deliver what happened, and have the writers send what follows from it."""
        for event in events:
            over = isinstance(event, ContextDone | ContextFailed)
            deliver = (self._deliver.pop if over else self._deliver.get)(event.context_id, None)
            if deliver is not None:
                self._hand_over(event, deliver)
        for socket, wake in enumerate(self._wake_socket):
            if self._contexts.has_requests(socket):
                wake.ring()

    def _hand_over(self, event: ContextEvent, deliver: Deliver) -> None:
        try:
            deliver(event)
        except Exception:  # one call's bug is no reason to silence the others
            log.exception("deliver_failed", context_id=event.context_id)
            self._deliver.pop(event.context_id, None)
            self._contexts.cancel(event.context_id, now=current_time())

    def _wake(self) -> None:
        """Have those look again whom it may concern: a deadline may be nearer, a socket wanted."""
        self._wake_the_watch()
        for socket, wake in enumerate(self._wake_socket):
            if self._contexts.wants(socket):
                wake.ring()

    def _wake_the_watch(self) -> None:
        if self._contexts.deadline < self._watched_until:
            self._wake_timer.ring()

    # ------------------------------------------------------------------ tasks

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self, None]:
        failure: Exception | None = None
        async with create_task_group() as group:
            failure = await group.start(self._keep, 0)
            if failure is None:
                for socket in range(1, self._limits.sockets):
                    group.start_soon(self._keep, socket)
                group.start_soon(self._watch_the_time)
                try:
                    yield self
                except Exception as error:  # noqa: BLE001 - raised below, as itself and not in a group
                    failure = error
            group.cancel_scope.cancel()
        self._carry_out(self._contexts.close())
        if failure is not None:
            raise failure

    async def _keep(self, socket: int, *, task_status: TaskStatus[_Outcome] = TASK_STATUS_IGNORED) -> None:
        """Keep one socket open while it is wanted. The first attempt of all reports how it went."""
        backoff, first = Backoff(self._random), socket == 0
        while True:
            while not self._contexts.wants(socket):
                await self._wake_socket[socket].wait()
            try:
                async with self._connecting() as stream:
                    opened_at = current_time()
                    if first:
                        first = False
                        task_status.started()
                    await self._serve(socket, stream)
                if current_time() - opened_at >= _HEALTHY_S:
                    backoff.reset()
            except AgentVoiceError as error:
                if first:
                    task_status.started(error)
                    return
                if not isinstance(error, ProviderError):
                    raise  # a bug: not what a provider does
                log.warning("speech_socket_refused", provider=self._provider, socket=socket, reason=error.reason)
                hopeless = isinstance(error, ProviderRejected)
                self._carry_out(self._contexts.refused(error.reason, for_good=hopeless))
            await sleep(backoff.next())

    @asynccontextmanager
    async def _connecting(self) -> AsyncGenerator[MessageStream, None]:
        """Connect; what a connection raises becomes a `ProviderError`."""
        try:
            async with self._connect() as stream:
                yield stream
        except InvalidStatus as error:
            body = bytes(error.response.body or b"").decode(errors="replace")
            raise handshake_error(self._provider, error.response.status_code, body) from error
        except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
            raise ProviderUnavailable(self._provider, f"cannot connect: {error}") from error

    async def _serve(self, socket: int, stream: MessageStream) -> None:
        """Read and write until the connection ends."""
        dialect = self._dialect()
        self._contexts.socket_up(socket, now=current_time())
        self._wake()
        said, reason = "", "closed on this side"
        try:
            async with create_task_group() as group:
                group.start_soon(self._write, socket, stream, dialect, group.cancel_scope)
                try:
                    while True:
                        for response in dialect.parse(await stream.receive()):
                            self._take(socket, response)
                except EndOfStream as error:
                    said = str(error)
                group.cancel_scope.cancel()
            reason = said or "connection lost"
        finally:
            lost = self._contexts.socket_lost(socket, reason, now=current_time())
            # An idle close is the provider's good right, and nobody's business.
            tell = log.warning if lost else log.debug
            tell("speech_socket_closed", provider=self._provider, socket=socket, reason=reason, contexts=len(lost))
            self._carry_out(lost)
            self._wake()

    def _take(self, socket: int, response: Response) -> None:
        match response:
            case Failure(context_id):
                log.warning("speech_error", provider=self._provider, context_id=context_id, reason=reason_of(response))
            case UnknownMember(context_id, what):
                log.debug("unknown_member", provider=self._provider, context_id=context_id, what=what)
            case Unknown(context_id, kind, size):
                log.debug("unknown_message", provider=self._provider, context_id=context_id, type=kind, size=size)
        self._carry_out(self._contexts.receive(socket, response, now=current_time()))

    async def _write(self, socket: int, stream: MessageStream, dialect: Dialect, scope: CancelScope) -> None:
        """Send what the contexts want to say, in their order."""
        try:
            while not self._contexts.is_hung(socket):
                request = self._contexts.next_request(socket, now=current_time())
                if request is None:
                    await self._wake_socket[socket].wait()
                    continue
                self._wake_the_watch()  # an answer is due from now on
                for message in dialect.render(request):
                    await stream.send(message)
        except BrokenResourceError:
            pass
        scope.cancel()

    async def _watch_the_time(self) -> None:
        while True:
            self._carry_out(self._contexts.handle_timer(now=current_time()))
            self._watched_until = self._contexts.deadline
            await self._wake_timer.wait(until=self._watched_until)
