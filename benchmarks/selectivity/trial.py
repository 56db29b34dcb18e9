"""One trial: an agent speaks, a sound comes from the caller's side, and we see what the agent does. In virtual time.

The call is a real one: `Call`, its conversation, controller, playout and sources. Only the far end, the voice (made
ahead) and, where nothing depends on it, the ears (what was heard before) are stood in for.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import anyio
from anyio import create_task_group, current_time, sleep, sleep_until
from anyio.abc import TaskGroup

from agentvoice import Agent, Turn
from agentvoice.audio import TELEPHONE
from agentvoice.call import Call, Ears
from agentvoice.commands import BargeInDecided, Command
from agentvoice.events import (
    AudioReceived,
    CallerAudio,
    ContextDone,
    ContextEvent,
    Event,
    HungUp,
    LineEvent,
    MarkReturned,
    WordsReceived,
)
from agentvoice.interruption import Decision, InterruptionSource, Policy
from agentvoice.manners import Manners
from agentvoice.markup import NO_MARKUP
from agentvoice.testing.carrier import Carrier

FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class Speech:
    """What the agent says, made ahead."""

    text: str
    audio: bytes
    words: tuple[tuple[str, float, float], ...]


@dataclass(slots=True)
class Outcome:
    """What the agent did about a sound. Times are seconds since the call began."""

    held: list[float] = field(default_factory=list)
    """When it fell silent on a suspicion."""
    resumed: list[float] = field(default_factory=list)
    """When it went on."""
    cut_s: float = math.inf
    """When it gave up the floor; never, where it did not."""
    cut_by: str = ""
    """The source that decided it."""
    silent_s: float = math.inf
    """When the caller heard the last of a turn that was given up."""

    @property
    def paused_s(self) -> float:
        """How long it was silent for nothing."""
        ends = [*self.resumed, *([self.cut_s] if self.cut_s < math.inf else [])]
        return sum(max(0.0, end - begin) for begin, end in zip(self.held, ends, strict=False))


class Voice:
    """A synthesizer that says one thing, four times faster than it is spoken."""

    markup = NO_MARKUP

    def __init__(self, speech: Speech, group: TaskGroup) -> None:
        self._speech = speech
        self._group = group
        self._deliver: dict[str, Callable[[ContextEvent], None]] = {}
        self._sent: dict[str, str] = {}

    def open(self, context_id: str, *, deliver: Callable[[ContextEvent], None], **_: object) -> None:
        self._deliver[context_id] = deliver
        self._sent[context_id] = ""

    def send(self, context_id: str, text: str) -> None:
        self._sent[context_id] += text

    def finish(self, context_id: str) -> None:
        if self._sent.get(context_id, "").strip() == self._speech.text:
            self._group.start_soon(self._speak, context_id)

    def cancel(self, context_id: str) -> None:
        self._deliver.pop(context_id, None)

    async def _speak(self, context_id: str) -> None:
        self._tell(context_id, WordsReceived(context_id, self._speech.words))
        for at in range(0, len(self._speech.audio), 4000):
            self._tell(context_id, AudioReceived(context_id, self._speech.audio[at : at + 4000]))
            await sleep(0.125)
        self._tell(context_id, ContextDone(context_id))

    def _tell(self, context_id: str, event: ContextEvent) -> None:
        if context_id in self._deliver:
            self._deliver[context_id](event)


class Line:
    """The far end: plays what it is sent, frame by frame, and says what `say` makes of that."""

    audio = TELEPHONE
    has_marks = True
    has_keys = True

    def __init__(self, say: Callable[[int, bytes], bytes] | None = None) -> None:
        self.carrier = Carrier()
        self._say = say
        self._events: deque[LineEvent] = deque()
        self._wake = anyio.Event()

    async def run(self) -> None:
        began = current_time()
        while True:
            number = self.carrier.frames
            await sleep_until(began + (number + 1) * FRAME_S)
            frame, marks = self.carrier.tick()
            self._events += [MarkReturned(name) for name in marks]
            if self._say is not None:
                self._events.append(CallerAudio(self._say(number, frame), number * len(frame)))
            if self._events:
                self._wake.set()

    async def receive(self) -> LineEvent:
        while not self._events:
            self._wake = anyio.Event()
            await self._wake.wait()
        return self._events.popleft()

    def send_audio(self, audio: bytes) -> None:
        self.carrier.receive_audio(audio)

    def send_mark(self, name: str) -> None:
        self.carrier.receive_mark(name)

    def clear(self) -> None:
        self.carrier.receive_clear()

    def hang_up(self) -> None:
        self._events.append(HungUp("agent"))
        self._wake.set()

    @property
    def silent_s(self) -> float:
        """When the last of the agent's audio so far was played."""
        last = self.carrier.played[-1] if self.carrier.played else None
        return (last.start + last.size) / 8000 if last else 0.0


class Watch:
    """An observer that keeps what was decided about barge-in."""

    def __init__(self, outcome: Outcome, began: float, line: Line) -> None:
        self._outcome = outcome
        self._began = began
        self._line = line

    def received(self, now: float, event: Event | None) -> None:
        pass

    def decided(self, now: float, commands: Sequence[Command]) -> None:
        outcome = self._outcome
        for command in commands:
            match command:
                case BargeInDecided(_, Decision.HOLD):
                    outcome.held.append(now - self._began)
                case BargeInDecided(_, Decision.RESUME):
                    outcome.resumed.append(now - self._began)
                case BargeInDecided(_, Decision.CUT, source) if outcome.cut_s == math.inf:
                    outcome.cut_s, outcome.cut_by = now - self._began, source
                    outcome.silent_s = self._line.silent_s
                case _:
                    pass

    def closed(self) -> None:
        pass


async def attempt(
    policy: Policy,
    among: Sequence[InterruptionSource],
    speech: Speech,
    seconds: float,
    ears: Callable[[Callable[[Event], None]], Ears],
    *,
    say: Callable[[int, bytes], bytes] | None = None,
) -> Outcome:
    """Have a call of so many `seconds`, in which the agent says `speech` from the start."""

    class Speaker(Agent):
        manners = Manners(interruption=policy)
        sources = among

        async def on_call_start(self) -> None:
            await self.call.say(speech.text)

        async def reply(self, _: Turn) -> AsyncIterator[str]:
            yield "Yes."

    outcome, line = Outcome(), Line(say)
    async with create_task_group() as group:
        call = Call("trial", Speaker(), line, Voice(speech, group), ears)
        call.observers = (Watch(outcome, current_time(), line),)
        group.start_soon(call.run)
        await sleep(seconds)
        group.cancel_scope.cancel()
    return outcome
