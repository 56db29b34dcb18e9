"""Any order of continue, flush, cancel, expiry, failure and drop gives each context its words, once, and one end."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import booleans, data, floats, integers, lists, sampled_from

from agentvoice.speech.contexts import Job
from agentvoice.speech.convert import speak
from agentvoice.speech.decisions import Decision, Send, Stop, Synthesize
from agentvoice.speech.limits import Limits, Slots
from agentvoice.speech.repertoire import Repertoire
from agentvoice.speech.session import SpeechSession
from agentvoice.speech.tone import ToneEngine, seconds
from agentvoice.speech.voices import VoiceDirectory
from agentvoice.tts.wire import Chunk, Done, Failure, FlushDone, Reply, Timestamps

PLAIN: dict[str, Any] = {
    "model_id": "sonic",
    "voice": "tone",
    "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
    "add_timestamps": True,
}
WORDS = ["yes ", "no. ", "Dr. ", "well, ", "3.", "14 ", "really? ", "and", "then\n", "... ", "stop! "]


def letters(text: Iterable[str]) -> str:
    return "".join(filter(str.isalnum, "".join(text)))


class Life:
    """What one context was given, and what came back."""

    def __init__(self) -> None:
        self.text = ""
        self.flushes = 0
        self.replies: list[Reply] = []
        self.finished = False
        self.cancelled = False
        """Or its socket is gone: nothing more is said about it."""
        self.failed = False

    @property
    def ended(self) -> bool:
        return any(isinstance(reply, Done | Failure) for reply in self.replies)

    @property
    def takes_text(self) -> bool:
        return not (self.finished or self.cancelled or self.failed or self.ended)


class Socket(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = ToneEngine()
        self.now = 0.0
        self.slots = Slots(1000)
        self.session = self.connect()
        self.lives: dict[str, Life] = {}
        self.jobs: dict[int, deque[Job]] = {}
        self.waiting: deque[Send] = deque()

    def connect(self) -> SpeechSession:
        return SpeechSession(
            version="2026-03-01",
            connection_id="socket",
            repertoire=Repertoire(VoiceDirectory(self.engine.voices)),
            slots=self.slots,
            limits=Limits(expiry_s=1.0),
            now=self.now,
        )

    def carry_out(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            match decision:
                case Synthesize(job):
                    self.jobs.setdefault(job.key, deque()).append(job)
                case Stop(key, forget):
                    self.jobs.pop(key, None)
                    if forget:
                        self.waiting = deque(send for send in self.waiting if send.key != key)
                case Send():
                    self.waiting.append(decision)

    def send(self, context_id: str, **members: Any) -> None:
        message = json.dumps(PLAIN | {"context_id": context_id} | members)
        self.carry_out(self.session.receive(message, now=self.now))

    @rule(text=lists(sampled_from(WORDS)), delay=sampled_from([None, 500]), last=booleans())
    def begin(self, text: list[str], delay: int | None, last: Any) -> None:
        self.start(text, delay, last=last)

    def start(self, text: list[str], delay: int | None, *, last: Any) -> None:
        life, context_id = Life(), f"c{len(self.lives)}"
        self.lives[context_id] = life
        life.text, life.finished = "So, " + "".join(text), last
        self.send(context_id, transcript=life.text, max_buffer_delay_ms=delay, **{"continue": not last})

    @rule(text=sampled_from(WORDS), last=booleans())
    def begin_a_dozen(self, text: str, last: Any) -> None:
        for _ in range(12):
            self.start([text], None, last=last)

    def open_ids(self) -> list[str]:
        """Contexts that a client would still use. Text that crosses a `done` on its way begins anew."""
        ending = {send.reply.context_id for send in self.waiting if isinstance(send.reply, Done)}
        return [name for name, life in self.lives.items() if life.takes_text and name not in ending]

    def pick(self, data: Any, *, open_only: bool) -> str:
        name: str = data.draw(sampled_from(self.open_ids() if open_only else sorted(self.lives)))
        return name

    has_open = precondition(lambda self: bool(self.open_ids()))
    has_any = precondition(lambda self: bool(self.lives))

    @has_any
    @rule()
    def drop(self) -> None:
        """The socket breaks: its contexts are over, and the client comes back on another."""
        self.carry_out(self.session.close())
        assert self.session.live == self.slots.taken == 0
        assert not any(self.jobs.values())
        self.waiting.clear()
        for life in self.lives.values():
            life.cancelled = life.cancelled or not life.ended
        self.session = self.connect()
        self.jobs.clear()

    @has_open
    @rule(data=data(), text=sampled_from(WORDS), flush=booleans())
    def go_on(self, data: Any, text: str, flush: Any) -> None:
        life = self.lives[name := self.pick(data, open_only=True)]
        life.text += text
        life.flushes += flush
        self.send(name, transcript=text, flush=flush, **{"continue": True})
        if flush:  # what is spoken by itself is a word by itself
            life.text += " "

    @has_open
    @rule(data=data(), text=sampled_from(["", " ", "bye."]))
    def finish(self, data: Any, text: str) -> None:
        life = self.lives[name := self.pick(data, open_only=True)]
        life.text += text
        life.finished = True
        self.send(name, transcript=text)

    @has_open
    @rule(data=data())
    def fail(self, data: Any) -> None:
        life = self.lives[name := self.pick(data, open_only=True)]
        life.failed = True
        self.send(name, transcript="x", voice="nobody", **{"continue": True})

    @has_any
    @rule(data=data())
    def cancel(self, data: Any) -> None:
        life = self.lives[name := self.pick(data, open_only=False)]
        life.cancelled = life.cancelled or not (life.ended or life.failed)
        silent_from = len(life.replies)
        self.send(name, cancel=True)
        if life.cancelled:
            life.replies = life.replies[:silent_from]

    @has_any
    @rule(data=data())
    def finish_what_is_over(self, data: Any) -> None:
        name = self.pick(data, open_only=False)
        if not self.lives[name].takes_text:
            self.send(name, transcript="")

    @rule(stretches=integers(1, 12), data=data())
    def work(self, stretches: int, data: Any) -> None:
        for _ in range(stretches):
            keys = sorted(key for key, jobs in self.jobs.items() if jobs)
            if not keys:
                return
            self.run(self.jobs[data.draw(sampled_from(keys))].popleft())

    def run(self, job: Job) -> None:
        for spoken in speak(self.engine, job.utterance):
            self.carry_out(self.session.spoken(job, spoken, step_ms=1.0))
        self.carry_out(self.session.finished(job))

    @rule(messages=integers(1, 50))
    def read(self, messages: int) -> None:
        for _ in range(min(messages, len(self.waiting))):
            send = self.waiting.popleft()
            assert send.reply.context_id is not None
            life = self.lives[send.reply.context_id]
            assert not life.cancelled, "something came after a cancel"
            assert not life.ended, "something came after the end"
            life.replies.append(send.reply)
            self.carry_out(self.session.sent(send, now=self.now))

    @rule(seconds=floats(0.05, 4.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        while self.session.deadline <= self.now and self.session.live:
            self.carry_out(self.session.handle_timer(now=self.now))

    @invariant()
    def what_is_told_is_a_prefix_of_what_was_said(self) -> None:
        for life in self.lives.values():
            told = [time for reply in life.replies if isinstance(reply, Timestamps) for time in reply.words]
            assert letters(life.text).startswith(letters(word for word, _, _ in told))
            assert all(start <= end for _, start, end in told)
            assert all(end <= start for (_, _, end), (_, start, _) in pairwise(told))

    def teardown(self) -> None:
        """Let it all run out, and look at each life as a whole."""
        for _ in range(6):
            while any(self.jobs.values()):
                self.run(next(jobs for jobs in self.jobs.values() if jobs).popleft())
            self.read(1_000_000)
            self.wait(4.0)
        assert self.session.live == self.slots.taken == 0
        assert not self.waiting
        for life in self.lives.values():
            ends = [reply for reply in life.replies if isinstance(reply, Done | Failure)]
            assert len(ends) == (0 if life.cancelled else 1)
            if life.cancelled or life.failed:
                continue
            assert ends == [life.replies[-1]]
            told = [word for reply in life.replies if isinstance(reply, Timestamps) for word, _, _ in reply.words]
            assert sum(isinstance(reply, FlushDone) for reply in life.replies) == life.flushes
            # Words that were cut between two inputs may have been spoken apart; their letters are all there, once.
            assert letters(told) == letters(life.text)
            audio = sum(len(reply.audio) for reply in life.replies if isinstance(reply, Chunk))
            assert abs(audio / 8000 - sum(map(seconds, told))) < 0.01


TestAnyInterleaving = Socket.TestCase
TestAnyInterleaving.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
