"""Anything may happen, in any order: `make fuzz STEPS=1000000` for as long as you like.

A step is one event, or one rung of the timer. The far ends disobey: audio, marks, and ends come for contexts that were
cancelled long ago, replies go on after they were stopped. What must hold nevertheless is checked after each step.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from agentvoice.audio import TELEPHONE
from agentvoice.commands import (
    AnswerTool,
    BargeInDecided,
    CancelContext,
    ClearPlayout,
    Command,
    ContextSucceeded,
    HangUp,
    OpenContext,
    SendAudio,
    SendMark,
    SpeakText,
    StartReply,
    StartTool,
    StopTool,
    TurnClosed,
    TurnConfirmed,
    TurnOpened,
)
from agentvoice.conversation import Conversation
from agentvoice.events import (
    AudioReceived,
    BargeIn,
    BargeInKind,
    CallStarted,
    ContextDone,
    ContextFailed,
    Event,
    HandedOff,
    HangUpRequested,
    HungUp,
    KeyPressed,
    MarkReturned,
    OnInterrupt,
    PlayRequested,
    ReplyFailed,
    SayRequested,
    SpeechStarted,
    SpeechStopped,
    StopRequested,
    TextEnded,
    TextPaused,
    TextProduced,
    ToolEnded,
    ToolOutcome,
    ToolRequested,
    Transcript,
    WordsReceived,
)
from agentvoice.history import ToolUse
from agentvoice.voicing import Voicing

STEPS = int(os.environ.get("FUZZ_STEPS", "6000"))
RUNS = 6
TEXTS = ("Of course. ", "One ", "moment, ", "please. ", "A table for four at seven. ", "Yes? ", "and ", "", " ")
WORDS = ("no wait", "mm-hm", "okay", "a table for two", "stop", "", "my name is", "thank you goodbye")


class World:
    """A conversation, and everything around it, behaving as badly as it can."""

    def __init__(self, luck: random.Random, seed: int = 0) -> None:
        self.luck = luck
        self.seed = seed
        self.now = 100.0
        self.stale = self.calls = self.turns = self.cuts = 0
        self.ring()

    def ring(self) -> None:
        """Begin another call."""
        self.calls += 1
        self.conversation = Conversation("c", TELEPHONE, has_marks=self.luck.random() < 0.8)
        self.contexts: list[str] = []
        self.live = ""
        self.dead: set[str] = set()
        self.family: dict[str, set[int]] = {}  # whose audio a context may be given out with
        self.spoken: dict[str, str] = {}
        self.timed: dict[str, int] = {}
        self.opened: list[str] = []
        self.closed: set[str] = set()
        self.writing: list[str] = []  # turns whose reply has not ended; those that were stopped may go on
        self.marks: list[str] = []
        self.tools: dict[str, ToolRequested] = {}
        self.running: list[str] = []
        self.started: set[str] = set()
        self.guesses: set[str] = set()  # turns that are speculative
        self.says = 0
        self.hung_up = False

    # ------------------------------------------------------------------ what happens

    def step(self) -> None:
        """Let something happen, and check what must hold."""
        if self.conversation.closed:
            assert self.conversation.receive(self.anything(), now=self.now) == []
            assert set(self.opened) == self.closed, "a turn outlived its call"
            self.ring()
        if self.luck.random() < 0.4:
            self.now = max(self.now, min(self.conversation.deadline, self.now + 2))
            self.check(self.conversation.handle_timer(now=self.now))
            for _ in range(50):
                if self.conversation.deadline > self.now:
                    break
                self.check(self.conversation.handle_timer(now=self.now))
            else:
                raise AssertionError("the timer rings for ever")
        else:
            self.now += self.luck.choice((0, 0, 0.001, 0.02, 0.3))
            self.check(self.conversation.receive(self.anything(), now=self.now))

    def anything(self) -> Event:
        luck = self.luck
        turn = luck.choice(self.writing) if self.writing and luck.random() < 0.2 else (self.writing or ["t0"])[-1]
        given = list(self.spoken) or ["c-0"]  # a provider speaks of no context that it was given no text for
        context = luck.choice(given) if luck.random() < 0.3 else given[-1]
        words = luck.choice(WORDS)
        self.says += 1
        if luck.random() < 0.002:
            return luck.choice((HungUp(), HangUpRequested(), CallStarted()))
        if self.marks and luck.random() < 0.3:
            return MarkReturned(self.marks.pop(0 if luck.random() < 0.9 else -1))
        makers: Sequence[Callable[[], Event]] = (
            lambda: SpeechStarted(self.now - luck.random() * 0.1),
            lambda: SpeechStopped(self.now - luck.random() * 0.1),
            lambda: Transcript(words, final=luck.random() < 0.5),
            lambda: BargeIn(luck.choice(list(BargeInKind)), luck.choice(("voice", "words", "key")), words),
            lambda: KeyPressed("1"),
            lambda: SayRequested(f"s{self.says}", "Still there? Then go on.", interruptible=luck.random() < 0.7),
            lambda: PlayRequested(f"s{self.says}", b"\xff" * luck.choice((160, 8000)), "Gong."),
            lambda: StopRequested(f"s{self.says - luck.randrange(40)}"),
            lambda: HandedOff("Other", "Be other.", Voicing(voice="bass")),
            lambda: TextProduced(turn, f"Hear{self.says} this to its very end{self.says}. ", protected=True),
            lambda: self.last_word_of(turn),
            lambda: self.tool_asked_by(turn),
            lambda: TextPaused(turn),
            *[self.tool_that_ends] * 2,
            lambda: ContextDone(context),
            lambda: ContextFailed(context, "lost", luck.random() < 0.7),
            *[lambda: TextProduced(turn, luck.choice(TEXTS))] * 4,
            *[lambda: AudioReceived(context, sound(context) * luck.choice((160, 800, 4000)))] * 6,
            *[lambda: self.word_times(context)] * 3,
        )
        return luck.choice(makers)()

    def last_word_of(self, turn: str) -> Event:
        """The end of a reply, after which nothing more of it comes: that much its task makes sure of."""
        if turn in self.writing:
            self.writing.remove(turn)
        return ReplyFailed(turn, "a bug") if self.luck.random() < 0.1 else TextEnded(turn)

    def tool_asked_by(self, turn: str) -> Event:
        """A request for one of a few things, so that the same is often asked for again, and some come twice."""
        luck = self.luck
        if self.tools and luck.random() < 0.1:
            return luck.choice(list(self.tools.values()))
        name = luck.choice(("book", "note", "look"))
        how = {"book": OnInterrupt.FINISH_AND_TELL, "note": OnInterrupt.FINISH, "look": OnInterrupt.CANCEL}[name]
        request = ToolRequested(turn, f"call{self.says}", name, luck.choice(("1", "2")), 1, luck.random() < 0.3, how)
        self.tools[request.tool_call_id] = request
        return request

    def tool_that_ends(self) -> Event:
        ends = self.running.pop(self.luck.randrange(len(self.running))) if self.running else "call0"
        return ToolEnded(ends, self.luck.choice(list(ToolOutcome)), "as it is")

    def word_times(self, context: str) -> WordsReceived:
        """The next words of what a context was given to speak, a third of a second each."""
        words, first = self.spoken.get(context, "").split(), self.timed.get(context, 0)
        some = words[first : first + 2]
        self.timed[context] = first + len(some)
        return WordsReceived(
            context, tuple((word, (first + n) / 3, (first + n + 1) / 3) for n, word in enumerate(some))
        )

    # ------------------------------------------------------------------ what must hold

    def check(self, commands: Sequence[Command]) -> None:
        """Carry out what was decided, and hold it against the promises."""
        cut = any(isinstance(command, BargeInDecided) and command.decision == "confirmed" for command in commands)
        for command in commands:
            match command:
                case TurnOpened(turn_id, context_id):
                    self.live = context_id
                    assert turn_id not in self.opened, "a turn opened twice"
                    self.opened.append(turn_id)
                    self.turns += 1
                case StartReply(turn_id):
                    self.writing.append(turn_id)
                    turn = self.conversation.turn
                    if turn is not None and turn.id == turn_id and not turn.confirmed:
                        self.guesses.add(turn_id)
                case TurnConfirmed(turn_id):
                    self.guesses.discard(turn_id)
                case StartTool(call) | AnswerTool(call):
                    request = self.tools[call]
                    assert request.turn_id not in self.closed, "a tool of a turn that is over"
                    if isinstance(command, StartTool):
                        assert request.pure or request.turn_id not in self.guesses, "a tool ran ahead"
                        assert call not in self.started, "a tool was started twice"
                        self.started.add(call)
                        self.running.append(call)
                case StopTool(call):
                    assert self.tools[call].on_interrupt is OnInterrupt.CANCEL, "a tool that is to finish was stopped"
                case OpenContext(context_id):
                    assert context_id not in self.contexts, "a context opened twice"
                    self.contexts.append(context_id)
                    self.family.setdefault(context_id, set()).update(sound(context_id))
                    self.live = context_id
                case SpeakText(context_id, text):
                    assert context_id not in self.dead, "text for a dead context"
                    self.spoken[context_id] = self.spoken.get(context_id, "") + text
                case SendAudio(context_id, audio):
                    assert context_id == self.live, "audio of a context that is not the live one"
                    assert context_id not in self.dead, "stale audio"
                    of_its_own = self.family.get(context_id, {0xFF})  # what is played has no context
                    assert set(audio) <= of_its_own, "audio of another turn, under this one's name"
                case SendMark(name):
                    self.marks.append(name)
                case ClearPlayout():
                    self.cuts += 1
                case CancelContext(context_id):
                    self.dead.add(context_id)
                case ContextSucceeded(old=old, new=new):
                    self.dead.add(old)
                    # What was received of the old one is the same turn's, and played to the end of its last word.
                    self.family[new] = self.family[old] | set(sound(new))
                case TurnClosed(turn_id, context_id, generated=generated, heard=heard):
                    assert turn_id in self.opened, "a turn closed that never opened"
                    assert turn_id not in self.closed, "a turn closed twice"
                    self.closed.add(turn_id)
                    self.dead.add(context_id)
                    if heard is not None:
                        heard_words, said = heard.text.split(), generated.split()
                        assert heard_words == said[: len(heard_words)], "words were heard that were not said"
                        begun = {word[4:] for word in heard_words if word.startswith("Hear")}
                        ended = {word[3:-1] for word in heard_words if word.startswith("end")}
                        assert not cut or begun == ended, "a protected stretch was cut"
                case HangUp():
                    assert not self.hung_up, "hung up twice"
                    self.hung_up = True
                case _:
                    pass
        uses = [entry for entry in self.conversation.history.entries if isinstance(entry, ToolUse)]
        assert len({use.call.id for use in uses}) == len(uses), "a request stands in the history twice"
        assert all(use.result is not None or use.turn_id not in self.closed for use in uses), (
            "a tool is pending for ever"
        )
        # Within a step the new turn opens before the old one is closed: first silence, then housekeeping.
        assert len(set(self.opened) - self.closed) <= 1, "two turns at once"


def sound(context: str) -> bytes:
    """One sample that only this context has, more or less."""
    return bytes([int(context.rpartition("-")[2]) % 251])


@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(RUNS))
def test_whatever_happens_the_promises_hold_fuzz(seed: int) -> None:
    seed += int(os.environ.get("FUZZ_SEED", "0"))
    world = World(random.Random(seed), seed)
    for number in range(STEPS // RUNS):
        try:
            world.step()
        except AssertionError as error:
            raise AssertionError(f"{error} (seed {world.seed}, step {number}, call {world.calls})") from error
    assert world.turns > 10
    assert world.cuts > 0


class Anything(RuleBasedStateMachine):
    """The same with Hypothesis's own luck, which finds the shortest way to what goes wrong."""

    @initialize(luck=strategies.randoms(use_true_random=False))
    def ring(self, luck: random.Random) -> None:
        self.world = World(luck)

    @rule(steps=strategies.integers(1, 20))
    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            self.world.step()


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
