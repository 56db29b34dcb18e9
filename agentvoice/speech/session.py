"""The server's side of one speech socket, decided and not done: requests and `now` in, decisions out.

No clock, no socket, no engine: `exchange.py` carries the decisions out, calls `handle_timer` at `deadline`, and
reports back what was spoken and what has left for the client.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from agentvoice.tts.wire import (
    Cancel,
    Done,
    Failure,
    FlushDone,
    Generate,
    Reply,
    RequestRejected,
    first_flush_id,
    parse_request,
    rejected,
)

from .contexts import Context, ContextEvent, ContextState, FlushMark, Job
from .convert import Spoken
from .decisions import Close, Decision, Overlook, Send, Stop, Synthesize
from .limits import Limits, Slots
from .markup import strip_markup
from .repertoire import Repertoire
from .sentences import is_speakable

_SPENT: Final = 4096
"""How many ids of cancelled and failed contexts are remembered, so that late messages about them do no harm."""


class SpeechSession:
    """All contexts of one socket.

    `repertoire` is what there is to speak them with.
    """

    def __init__(
        self,
        *,
        version: str,
        connection_id: str,
        repertoire: Repertoire,
        slots: Slots,
        limits: Limits,
        now: float,
    ) -> None:
        self._version = version
        self._connection_id = connection_id
        self._repertoire = repertoire
        self._slots = slots
        self._limits = limits
        self._ids: dict[str, Context] = {}
        """Contexts that a client can still talk to."""
        self._contexts: dict[int, Context] = {}
        """Those, and the ones whose last message has not been sent yet."""
        self._spent: OrderedDict[str, ContextState] = OrderedDict()
        self._keys = 0
        self._refusals = 0
        self._active_at = now
        self._closed = False

    @property
    def live(self) -> int:
        """How many contexts have not ended."""
        return len(self._contexts)

    # -------------------------------------------------------------- the client

    def receive(self, message: str | bytes, *, now: float) -> list[Decision]:
        """Take one message from the client. Never raises: a bad one is answered."""
        self._active_at = now
        try:
            request = parse_request(message, self._version, default_id=self._nameless())
        except RequestRejected as refused:
            return list(self._refuse(refused.failure))
        return self.request(request, now=now)

    def request(self, request: Generate | Cancel, *, now: float) -> list[Decision]:
        """Take one request. Never raises: a bad one is answered."""
        try:
            if isinstance(request, Cancel):
                return list(self._cancel(request.context_id))
            return list(self._generate(request, now))
        except RequestRejected as refused:
            return list(self._refuse(refused.failure))

    def _nameless(self) -> str | None:
        """Versions before 2026 let the server name the context."""
        return f"{self._connection_id}-{self._keys + 1}" if self._version < "2026" else None

    def _generate(self, request: Generate, now: float) -> Iterator[Decision]:
        context = self._ids.get(request.context_id)
        blank = not request.transcript.strip()
        if context is None:
            if self._is_left_over(request, blank=blank):
                return
            context = self._open(request)
        elif not blank:
            if not context.is_locked_to(request):
                message = "model, voice, output format and language stay the same within a context; open a new one"
                raise rejected(request.context_id, "Context has closed", message)
            if context.characters + len(context.buffer) + len(request.transcript) > self._limits.waiting_characters:
                raise rejected(request.context_id, "Too much text", "wait for speech before sending more text")
            context.update(request)
        context.active_at = now
        if not blank:
            yield from map(Overlook, self._repertoire.overlooks(request))
        yield from self._submit(context, request, blank=blank, now=now)

    def _is_left_over(self, request: Generate, *, blank: bool) -> bool:
        """Return whether a request is about a context that is no more, and asks for nothing that needs an answer."""
        if blank and (request.flush or not request.continue_):
            return True  # clients finish what has failed, or what they never began
        match self._spent.get(request.context_id):
            case ContextState.CANCELLED:
                return True  # it crossed the cancel
            case ContextState.FAILED if blank or request.continue_:
                return True  # it has been told once
            case ContextState.FAILED:  # somebody waits for an end
                raise rejected(request.context_id, "Context has closed", "it failed before; open a new one")
            case _:
                return False

    def _open(self, request: Generate) -> Context:
        if not is_speakable(strip_markup(request.transcript)):
            title = "transcript empty or contains only punctuation"
            message = "first transcript for WS is empty or contains only punctuation"
            raise rejected(request.context_id, title, message)
        voice = self._repertoire.voice(request)
        output = request.output
        if output is None:  # pragma: no cover  # a request with text has been checked to have one
            raise rejected(request.context_id, "Unsupported output format", "output_format is required")
        if not self._slots.take():
            message = f"this server speaks on {self._slots.limit} contexts at once; end one, or try again later"
            raise rejected(
                request.context_id,
                "Too many contexts",
                message,
                status_code=429,
                error_code="concurrency_limited",
            )
        self._keys += 1
        context = Context(
            self._keys,
            request,
            voice=voice,
            output=output,
            lexicon=self._repertoire.lexicon(request),
            first_flush=first_flush_id(self._version),
        )
        self._ids[request.context_id] = self._contexts[context.key] = context
        return context

    def _submit(self, context: Context, request: Generate, *, blank: bool, now: float) -> Iterator[Decision]:
        delay = request.max_buffer_delay_ms
        delay_s = self._limits.buffer_delay_s if delay is None else delay / 1000
        released = context.buffer.add(request.transcript, delay_s=delay_s, now=now)
        at_once = delay_s == 0 and not blank
        if at_once or request.flush or not request.continue_:
            released += context.buffer.take()
        yield from self._speak(context, released)
        # SDKs of 2024 have a queue for each flush that they asked for, and break when there are more.
        if request.flush or (at_once and first_flush_id(self._version) == 1):
            context.steps.append(FlushMark())
        if not request.continue_:
            context.move(ContextEvent.FINISHED)
        yield from self._settle(context)

    def _cancel(self, context_id: str) -> Iterator[Decision]:
        # All of it may have been spoken already, and wait for a slow client: that is not wanted either.
        for context in [context for context in self._contexts.values() if context.context_id == context_id]:
            yield self._end(context, ContextEvent.CANCELLED)

    def _refuse(self, failure: Failure) -> Iterator[Decision]:
        """Answer with an error. It is the end of its context, and of no other."""
        context = self._ids.get(failure.context_id) if failure.context_id else None
        if failure.context_id and self._spent.get(failure.context_id) is ContextState.CANCELLED:
            return
        if context is not None:
            yield self._end(context, ContextEvent.FAILED)
        self._refusals += 1
        request_id = f"{self._connection_id}:{failure.context_id or ''}:{self._refusals}"
        yield Send(0, replace(failure, request_id=request_id))

    # -------------------------------------------------------------- the speech

    def spoken(self, job: Job, spoken: Spoken, *, step_ms: float) -> list[Decision]:
        """Take a stretch of a job's speech. Nothing comes of one whose context is no more."""
        context = self._contexts.get(job.key)
        if context is None or context.is_full():
            return []
        sends: list[Decision] = [self._send(context, reply) for reply in context.take(job, spoken, step_ms=step_ms)]
        if context.is_full():
            sends.append(Stop(job.key, forget=False))
            context.forget_jobs()
            sends += self._settle(context)
        return sends

    def finished(self, job: Job) -> list[Decision]:
        """All of a job was spoken."""
        context = self._contexts.get(job.key)
        if context is None or context.is_full():
            return []
        context.end_job()
        return list(self._settle(context))

    def failed(self, job: Job, reason: str) -> list[Decision]:
        """The engine could not speak a job."""
        context = self._contexts.get(job.key)
        if context is None or context.is_full():
            return []
        return list(self._refuse(Failure(context.context_id, 500, "Synthesis failed", reason)))

    def _speak(self, context: Context, text: str) -> Iterator[Decision]:
        jobs = context.plan(text)
        if context.is_full():
            context.forget_jobs()
        else:
            yield from map(Synthesize, jobs)

    def _settle(self, context: Context) -> Iterator[Decision]:
        """Confirm the flushes that have been reached, and the end."""
        while context.steps and isinstance(context.steps[0], FlushMark):
            context.steps.popleft()
            yield self._send(context, FlushDone(context.context_id, context.flush_id))
            context.flush_id += 1
        if context.state is ContextState.DRAINING and not context.steps:
            yield from self._done(context, ContextEvent.DRAINED)

    def _done(self, context: Context, event: ContextEvent) -> Iterator[Decision]:
        context.move(event)
        del self._ids[context.context_id]
        yield self._send(context, Done(context.context_id))

    def _end(self, context: Context, event: ContextEvent) -> Stop:
        """End a context before its time."""
        context.move(event)
        self._ids.pop(context.context_id, None)
        self._forget(context)
        self._spent[context.context_id] = context.state
        if len(self._spent) > _SPENT:
            self._spent.popitem(last=False)
        return Stop(context.key)

    def _forget(self, context: Context) -> None:
        del self._contexts[context.key]
        self._slots.release()

    def _send(self, context: Context, reply: Reply) -> Send:
        context.unsent += 1
        return Send(context.key, reply)

    # -------------------------------------------------------------- the socket

    def sent(self, send: Send, *, now: float) -> list[Decision]:
        """Take note that a message has left for the client."""
        context = self._contexts.get(send.key)
        if context is None:
            return []
        context.unsent -= 1
        context.active_at = self._active_at = now
        if isinstance(send.reply, Done):
            self._forget(context)
            return [Stop(context.key, forget=False)]  # its lane has nothing left to do
        return []

    def close(self) -> list[Decision]:
        """The socket is gone, and all its contexts with it."""
        stops: list[Decision] = []
        for context in list(self._contexts.values()):
            self._forget(context)
            stops.append(Stop(context.key))
        self._ids.clear()
        return stops

    # -------------------------------------------------------------- time

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`, on the clock that `now` comes from."""
        if self._closed:
            return math.inf
        if not self._contexts:
            return self._active_at + self._limits.idle_s
        return min((self._due(context) for context in self._contexts.values()), default=math.inf)

    def _due(self, context: Context) -> float:
        if context.state is not ContextState.OPEN:
            return math.inf
        quiet = not context.steps and not context.unsent and context.buffer.deadline == math.inf
        return context.active_at + self._limits.expiry_s if quiet else context.buffer.deadline

    def handle_timer(self, *, now: float) -> list[Decision]:
        """Return what the passing of time has decided. Harmless when called early."""
        if now < self.deadline:
            return []
        if not self._contexts:
            self._closed = True
            return [Close(1000, "connection idle timeout")]
        return [decision for context in list(self._contexts.values()) for decision in self._tick(context, now)]

    def _tick(self, context: Context, now: float) -> Iterator[Decision]:
        if now < self._due(context):
            return
        if now >= context.buffer.deadline:
            yield from self._speak(context, context.buffer.handle_timer(now=now))
        else:
            yield from self._done(context, ContextEvent.EXPIRED)
