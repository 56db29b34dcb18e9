from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import anyio
import pytest
import structlog
from pydantic import BaseModel

from agentvoice import Agent, Call, Host, Message
from agentvoice.audio import TELEPHONE
from agentvoice.errors import ProviderUnavailable
from agentvoice.events import HungUp, LineEvent
from agentvoice.interfaces import ToolSpec
from agentvoice.llm import fill
from agentvoice.testing.hearing import LoudnessActivity, ScriptedRecognizer
from agentvoice.testing.tts import ScriptedSpeech
from agentvoice.trace.observer import Observer
from agentvoice.tts.connection import ContextSynthesizer

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("unguarded")]  # a host prepares its parts in threads


class Line:
    """A line on which nothing happens until the caller hangs up, a second later."""

    audio = TELEPHONE
    has_marks = True
    has_keys = True

    async def run(self) -> None:
        await anyio.sleep_forever()

    async def receive(self) -> LineEvent:
        await anyio.sleep(1)
        return HungUp()

    def send_audio(self, audio: bytes) -> None: ...
    def send_mark(self, name: str) -> None: ...
    def clear(self) -> None: ...
    def hang_up(self) -> None: ...


class Model:
    """Answers everything with the same text, and remembers what it was warmed with."""

    def __init__(self, answer: str = "Yes.") -> None:
        self.answer = answer
        self.prepared = 0
        self.warmed: list[Message] = []

    def prepare(self) -> None:
        self.prepared += 1

    async def warm(self, messages: Sequence[Message]) -> None:
        self.warmed += messages

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[str]:
        for letter in self.answer:
            yield letter


class Clerk(Agent):
    instructions = "Be brief."


class Rude(Agent):
    def __init__(self) -> None:
        self.sources = None  # type: ignore[misc, assignment]


async def host_of(agent: type[Agent], model: Model, calls: list[Call]) -> Host:
    def observe(call: Call) -> Sequence[Observer]:
        calls.append(call)
        return ()

    async with (
        ContextSynthesizer(ScriptedSpeech().connect) as synthesizer,
        Host(
            agent,
            synthesizer=synthesizer,
            vad=LoudnessActivity(),
            recognizer=ScriptedRecognizer([]),
            llm=model,
            observe=observe,
        ) as host,
        anyio.create_task_group() as group,
    ):
        for number in range(2):
            group.start_soon(lambda n=number: host.take(Line(), call_id=f"k{n}", caller="+1555"))
        await anyio.sleep(0.5)
        if agent is Clerk:
            assert host.live == 2
    return host


async def test_a_host_loads_its_parts_once_and_takes_calls_at_once() -> None:
    model, calls = Model(), list[Call]()

    host = await host_of(Clerk, model, calls)

    assert (host.live, host.total) == (0, 2)
    assert model.prepared == 1
    assert model.warmed == [Message("system", "Be brief.")]
    assert [call.caller for call in calls] == ["+1555", "+1555"]
    assert calls[0].agent is not calls[1].agent
    assert calls[0].agent.llm is model


async def test_a_call_that_breaks_ends_itself_and_nothing_else() -> None:
    with structlog.testing.capture_logs() as logs:
        host = await host_of(Rude, Model(), [])

    assert (host.live, host.total) == (0, 2)
    assert {entry["call_id"] for entry in logs if entry["event"] == "call_failed"} == {"k0", "k1"}


class Form(BaseModel):
    party_size: int


async def test_a_form_is_filled_in_by_the_model() -> None:
    assert await fill(Model('{"party_size": 4}'), Form, []) == Form(party_size=4)


async def test_an_answer_that_does_not_fit_the_form_is_the_model_s_fault() -> None:
    with pytest.raises(ProviderUnavailable, match="does not fit Form"):
        await fill(Model('{"party_size": "many"}'), Form, [])


async def test_a_model_that_holds_connections_is_closed_with_the_host_however_long_that_takes() -> None:
    class Hosted(Model):
        closed = 0

        async def aclose(self) -> None:
            self.closed += 1
            await anyio.sleep_forever()

    model, ended = Hosted(), list[float]()

    class Timed(Clerk):
        async def on_call_end(self) -> None:
            ended.append(anyio.current_time())

    await host_of(Timed, model, [])

    assert model.closed == 1
    assert anyio.current_time() - ended[-1] == pytest.approx(1, abs=0.1)
