"""The client's side of the context protocol, without I/O: which contexts live, where, and what is said about them.

A context gets a place on a socket with its first text. Its requests wait in line until the socket's writer asks for
them with `next_request`, one context after the other, so that a chapter does not hold up a "yes"; a cancel overtakes
them all. Messages are known by their `context_id`, never by timing: what is said about the dead is counted, no more.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import replace
from typing import Final

from agentvoice.audio import AudioFormat
from agentvoice.errors import LocalProtocolError
from agentvoice.events import (
    AudioReceived,
    ContextDone,
    ContextEvent,
    ContextFailed,
    PhonemesReceived,
    WordsReceived,
)
from agentvoice.markup import NO_MARKUP, Markup, WordTimes
from agentvoice.speakable import is_spoken
from agentvoice.voicing import NATURAL, Voicing

from .failures import may_pass, reason_of
from .governor import Governor, Limits
from .lifecycle import Context, State, Step
from .messages import (
    Cancel,
    Chunk,
    Done,
    Failure,
    Generate,
    GenerationConfig,
    PhonemeTimestamps,
    Request,
    Response,
    Timestamps,
    Unknown,
    UnknownMember,
)

_REMEMBERED: Final = 4096
"""How many dead contexts are remembered, to tell late messages from foreign ones."""


class Contexts:
    """All contexts of one provider, on all sockets. Every verb returns what to deliver, in order.

    Ask `next_request` of every socket for which `has_requests`, and call `handle_timer` at `deadline`.
    """

    def __init__(
        self,
        template: Generate,
        limits: Limits | None = None,
        *,
        voicing: Voicing = NATURAL,
        markup: Markup = NO_MARKUP,
    ) -> None:
        """`template` is a request with everything that all contexts have in common; `voicing` is how those sound that
        do not say otherwise; `markup` is what their text may hold besides words."""
        self._template = template
        self._voicing = voicing
        self._markup = markup
        self._limits = limits or Limits()
        self._governor = Governor(self._limits)
        self._contexts: dict[str, Context] = {}
        self._waiting: dict[str, None] = {}  # those with text, but without a place; the oldest first
        self._lines: dict[int, deque[str]] = {}  # by socket: whose turn it is to send a request
        self._cancels: dict[int, deque[Cancel]] = {}
        self._dead: dict[str, None] = {}
        self._heard: dict[int, float] = {}  # when each socket last said anything
        self._hung: set[int] = set()
        self._refusal = ""
        self.counts: Counter[str] = Counter()
        """What was sent and received, by kind, and what came `late`, `foreign`, `unknown` or `unaddressed`."""

    # ------------------------------------------------------------------ what the calls want

    def open(self, context_id: str, audio: AudioFormat, voicing: Voicing | None = None) -> None:
        """Begin a context. The provider hears of it with its first text.

        Raises:
            LocalProtocolError: the id is, or was, in use.
        """
        if context_id in self._contexts or context_id in self._dead:
            raise LocalProtocolError(f"context {context_id!r} was opened before; every context needs an id of its own")
        template = replace(self._template, context_id=context_id, output=audio)
        voicing = voicing.over(self._voicing) if voicing else self._voicing
        self._contexts[context_id] = Context(context_id, _voiced(template, voicing), WordTimes(self._markup))

    def send(self, context_id: str, text: str, *, now: float) -> list[ContextEvent]:
        """Take text. Ignored when the context takes none any more."""
        context = self._contexts.get(context_id)
        if context is None or context.state is not State.OPEN:
            return []
        text = context.unspoken + text
        if not any(map(is_spoken, self._markup.words(text))):
            context.unspoken = text
            return []
        context.unspoken = ""
        context.texts.append(text)
        return self._enqueue(context, now)

    def finish(self, context_id: str, *, now: float) -> list[ContextEvent]:
        """Take the end of the text. A context that never had any is done at once, and costs nothing."""
        context = self._contexts.get(context_id)
        if context is None or context.state is not State.OPEN:
            return []
        context.move(Step.FINISH)
        if not context.begun and not context.texts:
            return self._end(context, ContextDone(context_id))
        return self._enqueue(context, now) if context.has_requests else []

    def cancel(self, context_id: str, *, now: float) -> list[ContextEvent]:
        """Drop what was not sent, and tell the provider ahead of everything else. Nothing more is delivered."""
        context = self._contexts.get(context_id)
        if context is None or not context.live:
            return []
        self._give_up(context, now)
        return []

    def _give_up(self, context: Context, now: float) -> None:
        context.texts.clear()
        self._waiting.pop(context.id, None)
        if context.socket is None or not context.begun:
            self._end(context)  # the provider never heard of it
            return
        context.move(Step.CANCEL)
        self._cancels[context.socket].append(Cancel(context.id))
        context.deadline = now + self._limits.linger_s
        context.linger_most = now + self._limits.linger_most_s

    # ------------------------------------------------------------------ sockets

    def socket_up(self, socket: int, *, now: float) -> None:
        """Take a socket into use."""
        self._refusal, self._heard[socket] = "", now
        self._governor.socket_up(socket)
        self._lines[socket], self._cancels[socket] = deque(), deque()
        self.counts["sockets"] += 1
        self._place()

    def socket_lost(self, socket: int, reason: str, *, now: float) -> list[ContextEvent]:
        """Give up a socket, and with it the contexts that had begun there. The others look for another place."""
        self._governor.socket_down(socket)
        self._lines.pop(socket, None)
        self._cancels.pop(socket, None)
        self._hung.discard(socket)
        events: list[ContextEvent] = []
        for context in [context for context in self._contexts.values() if context.socket == socket]:
            if context.live and not context.begun:
                self._governor.release(context.id)
                context.socket, context.deadline = None, now + self._limits.wait_s
                self._waiting[context.id] = None
            else:
                events += self._end(context, ContextFailed(context.id, reason, retryable=True))
        self._place()
        return events

    def refused(self, reason: str, *, for_good: bool) -> list[ContextEvent]:
        """Take a failed attempt to connect. If it failed `for_good`, nobody need wait for another one."""
        self._refusal = reason
        if self._governor.is_up or not for_good:
            return []
        waiting = [self._contexts[context_id] for context_id in self._waiting]
        return [event for context in waiting for event in self._end(context, ContextFailed(context.id, reason, False))]

    def is_hung(self, socket: int) -> bool:
        """Return whether a socket should be given up: a context stalled on it, and no other was spoken on either."""
        return socket in self._hung

    def close(self) -> list[ContextEvent]:
        """End everything."""
        contexts = list(self._contexts.values())
        return [e for c in contexts for e in self._end(c, ContextFailed(c.id, "speech was shut down", False))]

    def wants(self, socket: int) -> bool:
        """Return whether this socket is needed; number 0 always is."""
        return self._governor.wants(socket, waiting=len(self._waiting))

    def has_requests(self, socket: int) -> bool:
        """Return whether `next_request` has something for this socket."""
        return bool(self._lines.get(socket) or self._cancels.get(socket))

    def next_request(self, socket: int, *, now: float) -> Request | None:
        """Return what to send next on a socket, cancels first, and take it as sent."""
        if cancels := self._cancels.get(socket):
            self.counts["cancels"] += 1
            return cancels.popleft()
        line = self._lines.get(socket)
        while line:
            context = self._contexts.get(line.popleft())
            if context is not None and context.has_requests:
                return self._request(context, line, now)
        return None

    def _request(self, context: Context, line: deque[str], now: float) -> Generate:
        text = context.texts.popleft() if context.texts else ""
        context.closed = context.state is State.FINISHED and not context.texts
        context.begun = True
        context.owing |= bool(text)
        context.deadline = now + self._limits.stall_s
        if context.has_requests:
            line.append(context.id)
        self.counts["requests"] += 1
        return replace(context.template, transcript=text, continue_=not context.closed)

    # ------------------------------------------------------------------ places

    def _enqueue(self, context: Context, now: float) -> list[ContextEvent]:
        """Line up a context that has requests, once it has a place."""
        if context.socket is not None:
            if context.id not in self._lines[context.socket]:
                self._lines[context.socket].append(context.id)
            return []
        if context.id in self._waiting:
            return []
        if len(self._waiting) >= self._limits.waiting:
            reason = f"{len(self._waiting)} contexts are waiting already ({self._crowd})"
            return self._end(context, ContextFailed(context.id, reason, retryable=False))
        self._waiting[context.id] = None
        context.deadline = now + self._limits.wait_s
        self._place()
        return []

    def _place(self) -> None:
        """Give places to those who wait, in order."""
        for context_id in list(self._waiting):
            socket = self._governor.place(context_id)
            if socket is None:
                break
            del self._waiting[context_id]
            context = self._contexts[context_id]
            context.socket, context.deadline = socket, math.inf
            self._lines[socket].append(context_id)

    @property
    def _crowd(self) -> str:
        if not self._governor.is_up:
            return f"no connection: {self._refusal}" if self._refusal else "no connection"
        return f"{self._governor.used} of {self._limits.total} contexts in use"

    def _end(self, context: Context, *events: ContextEvent) -> list[ContextEvent]:
        """Bury a context; return the events, if anybody still wants to know."""
        wanted = list(events) if context.live else []
        context.move(Step.END)
        del self._contexts[context.id]
        self._waiting.pop(context.id, None)
        self._governor.release(context.id)
        self._dead[context.id] = None
        if len(self._dead) > _REMEMBERED:
            del self._dead[next(iter(self._dead))]
        self._place()
        return wanted

    # ------------------------------------------------------------------ what the provider says

    def receive(self, socket: int, response: Response, *, now: float) -> list[ContextEvent]:
        """Take a message that came on a socket. Nothing that a provider says is an error here."""
        self.counts[type(response).__name__] += 1
        self._heard[socket] = now
        match response:
            case UnknownMember():
                return []
            case Unknown():
                self.counts["unknown"] += 1
        context = self._addressed(socket, response)
        if context is None:
            return []
        if context.state is State.LINGERING:
            return self._linger(context, response, now)
        owing, context.owing = context.owing, False
        context.deadline = now + self._limits.stall_s if context.closed else math.inf
        match response:
            case Chunk(_, audio):
                return [AudioReceived(context.id, audio)]
            case Timestamps(_, words):
                return [WordsReceived(context.id, spoken)] if (spoken := context.words.of(words)) else []
            case PhonemeTimestamps(_, phonemes):
                return [PhonemesReceived(context.id, phonemes)]
            case Done() if owing or context.texts:  # it would not wait for what we have, or for what is on its way
                return self._abandon(context, "the provider ended the context before its text was spoken", now)
            case Done():
                return self._end(context, ContextDone(context.id))
            case Failure():
                return self._end(context, ContextFailed(context.id, reason_of(response), may_pass(response)))
        return []

    def _addressed(self, socket: int, response: Response) -> Context | None:
        """Return the context that a message is about, if it is ours and on this socket."""
        if response.context_id is None:
            return self._suspect(socket, response)
        context = self._contexts.get(response.context_id)
        if context is not None and context.socket == socket and context.begun:
            return context
        self.counts["late" if response.context_id in self._dead else "foreign"] += 1
        return None

    def _suspect(self, socket: int, response: Response) -> Context | None:
        """An error that names no context: it is about the one that owes us an answer, if there is but one."""
        self.counts["unaddressed"] += 1
        if not isinstance(response, Failure):
            return None
        owing = [each for each in self._contexts.values() if each.socket == socket and each.live and each.owing]
        return owing[0] if len(owing) == 1 else None

    def _linger(self, context: Context, response: Response, now: float) -> list[ContextEvent]:
        self.counts["late"] += 1
        if isinstance(response, Done | Failure):
            self._end(context)
        context.deadline = min(now + self._limits.linger_s, context.linger_most)
        return []

    def _abandon(self, context: Context, reason: str, now: float) -> list[ContextEvent]:
        """Give up a context of which the provider may not know that it is over."""
        self._give_up(context, now)
        return [ContextFailed(context.id, reason, retryable=True)]

    # ------------------------------------------------------------------ time

    @property
    def deadline(self) -> float:
        """When to call `handle_timer`, on the clock that `now` comes from."""
        return min((context.deadline for context in self._contexts.values()), default=math.inf)

    def handle_timer(self, *, now: float) -> list[ContextEvent]:
        """Return what the passing of time has decided. Harmless when called early."""
        events: list[ContextEvent] = []
        for context in list(self._contexts.values()):
            if context.deadline > now:  # asked one by one: the end of one may be the chance of another
                continue
            if context.state is State.LINGERING:
                self._end(context)
            elif context.socket is None:
                reason = f"no place at the provider for {self._limits.wait_s:g} s ({self._crowd})"
                events += self._end(context, ContextFailed(context.id, reason, retryable=False))
            else:
                reason = f"the provider said nothing for {self._limits.stall_s:g} s"
                if self._heard[context.socket] + self._limits.stall_s <= now:
                    self._hung.add(context.socket)  # the path may be dead, and a successor would stall there too
                events += self._abandon(context, reason, now)
        return events


def _voiced(request: Generate, voicing: Voicing) -> Generate:
    """Return the request of a context that shall sound so."""
    natural = GenerationConfig()
    speed = natural.speed if voicing.speed is None else voicing.speed
    volume = natural.volume if voicing.volume is None else voicing.volume
    config = GenerationConfig(speed, volume, voicing.emotion)
    return replace(
        request,
        voice_id=voicing.voice,
        language=voicing.language,
        generation=config if config != natural else None,
        pronunciation_dict_id=voicing.pronunciation_dict_id,
    )
