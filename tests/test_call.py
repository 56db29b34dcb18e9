"""The edge: tasks, and the order in which things are done. What is decided is tested in `test_conversation.py`."""

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio import create_memory_object_stream, create_task_group, current_time, fail_after, sleep

from agentvoice import Agent, BargeIn, BargeInKind, Call, Manners, Turn, TurnClosed, TurnState
from agentvoice.audio import TELEPHONE, AudioFormat
from agentvoice.commands import Command
from agentvoice.errors import UsageError
from agentvoice.events import (
    AudioReceived,
    CallerAudio,
    ContextDone,
    ContextEvent,
    Event,
    HungUp,
    KeyPressed,
    LineEvent,
    MarkReturned,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    WordsReceived,
)
from agentvoice.markup import NO_MARKUP
from agentvoice.voicing import Voicing

pytestmark = pytest.mark.anyio


class Line:
    """A phone line that plays what it is sent in virtual time, and writes down what it is told."""

    audio: AudioFormat = TELEPHONE
    has_marks = True

    def __init__(self) -> None:
        self.log: list[str] = []
        self._events, self._received = create_memory_object_stream[LineEvent](math.inf)
        self._closed = anyio.Event()
        self._playing: list[tuple[float, str]] = []
        self._dry_at = 0.0
        self._sent = anyio.Event()
        self.drains = True

    async def run(self) -> None:
        while not self._closed.is_set():
            while self._playing and self._playing[0][0] <= current_time():
                self._events.send_nowait(MarkReturned(self._playing.pop(0)[1]))
            self._sent = anyio.Event()
            with anyio.CancelScope(deadline=self._playing[0][0] if self._playing else math.inf):
                await self._sent.wait()
        if not self.drains:
            await anyio.sleep_forever()

    async def receive(self) -> LineEvent:
        return await self._received.receive()

    def happens(self, event: LineEvent) -> None:
        self._events.send_nowait(event)

    def send_audio(self, audio: bytes) -> None:
        self.log.append("audio")
        self._dry_at = max(self._dry_at, current_time()) + TELEPHONE.seconds(len(audio))

    def send_mark(self, name: str) -> None:
        self._playing.append((self._dry_at, name))
        self._sent.set()

    def clear(self) -> None:
        self.log.append("clear")
        self._dry_at = 0.0

    def hang_up(self) -> None:
        self.log.append("hang_up")
        self._closed.set()
        self._sent.set()

    def close(self) -> None:
        self._events.close()
        self._received.close()


class Voice:
    """A provider that speaks a word every 250 ms, at once."""

    markup = NO_MARKUP

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.texts: dict[str, str] = {}
        self._deliver: dict[str, Callable[[ContextEvent], None]] = {}

    def open(
        self,
        context_id: str,
        *,
        audio: AudioFormat,
        deliver: Callable[[ContextEvent], None],
        voicing: Voicing | None = None,
    ) -> None:
        self.texts[context_id], self._deliver[context_id] = "", deliver
        assert audio == TELEPHONE

    def send(self, context_id: str, text: str) -> None:
        before = len(self.texts[context_id].split())
        self.texts[context_id] += text
        words = text.split()
        times = tuple((word, (before + i) / 4, (before + i + 1) / 4) for i, word in enumerate(words))
        self._deliver[context_id](AudioReceived(context_id, b"\0" * (2000 * len(words))))
        self._deliver[context_id](WordsReceived(context_id, times))

    def finish(self, context_id: str) -> None:
        self._deliver[context_id](ContextDone(context_id))

    def cancel(self, context_id: str) -> None:
        self.log.append("cancel")


class Ears:
    """Hears nothing by itself."""

    judges = False

    def __init__(self, deliver: Callable[[Event], None]) -> None:
        self.deliver = deliver
        self.fed = 0

    def feed(self, event: CallerAudio) -> None:
        self.fed += len(event.audio)

    def notice(self, decided: Command) -> None:
        pass

    async def run(self) -> None:
        await anyio.sleep_forever()

    async def hear(self, text: str, seconds: float = 1.0) -> None:
        self.deliver(SpeechStarted(current_time()))
        await sleep(seconds)
        self.deliver(SpeechStopped(current_time()))
        self.deliver(Transcript(text, final=True))


class Log:
    """Watches a call."""

    def __init__(self) -> None:
        self.closed_turns: list[TurnClosed] = []
        self.over = False

    def received(self, now: float, event: Event | None) -> None:
        pass

    def decided(self, now: float, commands: Sequence[Command]) -> None:
        self.closed_turns += [command for command in commands if isinstance(command, TurnClosed)]

    def closed(self) -> None:
        self.over = True


class Parrot(Agent):
    manners = Manners(speculate=False)

    async def reply(self, turn: Turn) -> AsyncIterator[str]:
        for word in f"You said: {turn.prompt} Is that right, or shall I say it once more?".split(" "):
            yield word + " "
            await sleep(0.01)


class Scene:
    def __init__(self, agent: Agent) -> None:
        self.line = Line()
        self.voice = Voice(self.line.log)
        self.log = Log()
        self.call = Call("k", agent, self.line, self.voice, self._ears)
        self.call.observers = [self.log]

    def _ears(self, deliver: Callable[[Event], None]) -> Ears:
        self.ears = Ears(deliver)
        return self.ears

    @property
    def turns(self) -> list[tuple[TurnState, str | None]]:
        return [(turn.outcome, turn.heard.text if turn.heard else None) for turn in self.log.closed_turns]


@asynccontextmanager
async def calling(agent: Agent) -> AsyncIterator[Scene]:
    """A call that the caller ends when the test has seen enough; it must be over within a second."""
    scene = Scene(agent)
    with fail_after(3600):
        async with create_task_group() as group:
            group.start_soon(scene.call.run)
            await anyio.lowlevel.checkpoint()
            try:
                yield scene
            finally:
                ended = current_time()
                scene.line.happens(HungUp())
        scene.line.close()
    assert current_time() - ended <= 1.01
    assert scene.log.over


async def test_an_utterance_is_answered_and_the_answer_is_played() -> None:
    async with calling(Parrot()) as scene:
        await scene.ears.hear("Good evening.")
        await sleep(10)

    text = "You said: Good evening. Is that right, or shall I say it once more?"
    assert scene.turns == [(TurnState.COMPLETED, text)]
    assert [entry.text for entry in scene.call.history.entries] == ["Good evening.", text]


async def test_barge_in_clears_the_line_before_the_provider_is_told() -> None:
    cut: list[TurnClosed] = []

    class Witness(Parrot):
        async def on_interrupted(self, turn: TurnClosed) -> None:
            cut.append(turn)

    async with calling(Witness()) as scene:
        await scene.ears.hear("Good evening.")
        await sleep(1.6)
        scene.call.interrupt(BargeIn(BargeInKind.CONFIRM, "test"))
        await sleep(0.01)
        assert [entry for entry in scene.line.log if entry != "audio"] == ["clear", "cancel"]

    assert scene.turns[0][0] is TurnState.INTERRUPTED
    assert scene.turns[0][1] == "You said: Good evening."
    assert [turn.turn_id for turn in cut] == ["t1"]


async def test_an_interruption_cancels_the_stream_of_tokens_and_closes_it() -> None:
    events: list[str] = []

    class Slow(Agent):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            try:
                yield "One moment, please, I am looking it up. "
                await anyio.sleep_forever()
            finally:
                events.append("closed")

    async with calling(Slow()) as scene:
        await scene.ears.hear("Are you open?")
        await sleep(2)
        scene.call.interrupt(BargeIn(BargeInKind.CONFIRM, "test"))
        await sleep(0.01)
        assert events == ["closed"]


async def test_the_voice_interrupts_when_it_lasts_and_words_interrupt_at_once() -> None:
    async with calling(Parrot()) as scene:
        await scene.ears.hear("Good evening.")
        await sleep(1.5)
        scene.ears.deliver(SpeechStarted(current_time()))
        await sleep(0.3)
        assert "clear" not in scene.line.log
        scene.ears.deliver(Transcript("No, wait", final=False))
        await sleep(0.01)
        assert "clear" in scene.line.log


async def test_a_key_interrupts_and_the_agent_is_told() -> None:
    keys: list[str] = []

    class Keys(Parrot):
        async def on_dtmf(self, key: str) -> None:
            keys.append(key)

    async with calling(Keys()) as scene:
        await scene.ears.hear("Good evening.")
        await sleep(1.5)
        scene.line.happens(KeyPressed("5"))
        await sleep(0.01)

    assert "clear" in scene.line.log
    assert keys == ["5"]


async def test_the_greeting_comes_first_and_saying_waits_until_it_was_heard() -> None:
    heard: list[float] = []

    class Greeter(Parrot):
        greeting = "Good evening, Bella Vista."

        async def on_call_start(self) -> None:
            began = current_time()
            await super().on_call_start()
            heard.append(current_time() - began)

    async with calling(Greeter()) as scene:
        await sleep(5)

    assert heard == [pytest.approx(1.0, abs=0.01)]
    assert scene.turns == [(TurnState.COMPLETED, "Good evening, Bella Vista.")]


async def test_what_was_said_tells_how_much_of_it_was_heard() -> None:
    async with calling(Parrot()) as scene, create_task_group() as group:
        results = []

        async def say() -> None:
            results.append(await scene.call.say("one two three four five six"))

        group.start_soon(say)
        await sleep(0.8)
        scene.call.interrupt(BargeIn(BargeInKind.CONFIRM, "test"))

    assert results[0] is not None
    assert results[0].text == "one two three"


async def test_hanging_up_waits_for_the_last_word_and_then_ends_the_call() -> None:
    class Brief(Agent):
        manners = Manners(speculate=False)

        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            yield "Good night to you all."
            self.call.hang_up()

    scene = Scene(Brief())
    with fail_after(60):
        async with create_task_group() as group:
            group.start_soon(scene.call.run)
            await scene.ears.hear("Good night.")
    scene.line.close()

    assert scene.turns == [(TurnState.COMPLETED, "Good night to you all.")]
    assert scene.line.log[-1] == "hang_up"
    assert current_time() > 1.5


async def test_a_line_that_does_not_drain_holds_the_hang_up_for_a_second_at_most() -> None:
    class Rude(Agent):
        async def on_call_start(self) -> None:
            self.call.hang_up()

    scene = Scene(Rude())
    scene.line.drains = False
    began = current_time()
    with fail_after(60):
        await scene.call.run()
    scene.line.close()

    assert 0.4 < current_time() - began <= 1.0


async def test_a_hook_that_hangs_holds_the_end_for_a_second_at_most() -> None:
    class Clinging(Parrot):
        async def on_call_end(self) -> None:
            await anyio.sleep_forever()

    async with calling(Clinging()):
        pass


async def test_a_hook_or_a_source_that_breaks_ends_nothing() -> None:
    class Broken:
        @asynccontextmanager
        async def signals(self, call: Call) -> AsyncIterator[None]:
            raise RuntimeError("broken source")
            yield

    class Unlucky(Parrot):
        sources = (Broken(),)  # type: ignore[assignment]

        async def on_call_start(self) -> None:
            raise RuntimeError("broken hook")

    async with calling(Unlucky()) as scene:
        await scene.ears.hear("Good evening.")
        await sleep(10)

    assert scene.turns[0][0] is TurnState.COMPLETED


async def test_a_reply_that_raises_fails_its_turn_only() -> None:
    class Fragile(Parrot):
        apology = ""

        async def reply(self, turn: Turn) -> AsyncIterator[str]:
            if turn.id == "t1":
                raise RuntimeError("broken model")
            async for token in super().reply(turn):
                yield token

    async with calling(Fragile()) as scene:
        await scene.ears.hear("Good evening.")
        await sleep(1)
        await scene.ears.hear("Hello?")
        await sleep(10)

    assert [outcome for outcome, _ in scene.turns] == [TurnState.FAILED, TurnState.COMPLETED]
    assert scene.log.closed_turns[0].reason == "RuntimeError: broken model"


async def test_a_reply_may_be_a_coroutine_that_returns_a_stream() -> None:
    class Late(Parrot):
        async def reply(self, turn: Turn) -> AsyncIterator[str]:  # type: ignore[override]
            await sleep(0.1)
            return super().reply(turn)

    async with calling(Late()) as scene:
        await scene.ears.hear("Good evening.")
        await sleep(10)

    assert scene.turns[0][0] is TurnState.COMPLETED


async def test_an_agent_with_nothing_to_say_with_fails_with_the_way_out() -> None:
    class Speechless(Agent):
        apology = ""

    async with calling(Speechless()) as scene:
        await scene.ears.hear("Good evening.")
        await sleep(1)

    assert "set `llm`, or write `reply`" in scene.log.closed_turns[0].reason


async def test_the_caller_s_audio_goes_to_the_ears() -> None:
    async with calling(Parrot()) as scene:
        scene.line.happens(CallerAudio(b"\xff" * 160, 0))
        await sleep(0.01)
        assert scene.ears.fed == 160


async def test_one_who_does_not_read_the_events_misses_some_and_harms_nobody() -> None:
    async with calling(Parrot()) as scene, scene.call.events(KeyPressed) as events:
        for _ in range(100):
            scene.line.happens(KeyPressed("5"))
        await sleep(1)
        assert events.statistics().current_buffer_used == 64  # type: ignore[attr-defined]


async def test_what_is_worth_keeping_is_kept() -> None:
    async with calling(Parrot()) as scene:
        scene.call.note(party=4)
        scene.call.note(name="Sarah")

    assert scene.call.notes == {"party": 4, "name": "Sarah"}
    assert scene.call.turn is None


async def test_cancelling_the_call_from_outside_ends_it_like_any_task() -> None:
    scene = Scene(Parrot())
    with anyio.move_on_after(5) as scope:
        await scene.call.run()
    scene.line.close()

    assert scope.cancelled_caught
    assert scene.log.over


async def test_a_line_that_cannot_put_a_caller_through_says_so_and_the_call_goes_on() -> None:
    async with calling(Parrot()) as scene:
        with pytest.raises(UsageError, match="Line cannot put a caller through"):
            scene.call.transfer("+15550100")
        await scene.ears.hear("Hello?")
        await sleep(1)
        assert scene.call.turn is not None
