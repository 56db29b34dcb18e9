"""Where signals come from."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import pytest

from agentvoice import Agent, BargeIn, BargeInKind, Call
from agentvoice.events import (
    CallerTurnStarted,
    ClientMessage,
    Event,
    KeyPressed,
    SpeechStarted,
    SpeechStopped,
    SupervisorCutIn,
    Transcript,
)
from agentvoice.interruption import InterruptionSource
from agentvoice.sources import (
    SOURCES,
    CallerTurnSource,
    ClientSource,
    EventSource,
    KeySource,
    SupervisorSource,
    TranscriptSource,
    VoiceActivitySource,
)
from agentvoice.testing.contracts.source import check_source
from agentvoice.testing.quiet import quiet_call

pytestmark = pytest.mark.anyio

MEANT: Sequence[tuple[Any, Event, BargeIn | None]] = [
    (VoiceActivitySource(), SpeechStarted(1.0), BargeIn(BargeInKind.ONSET, "voice")),
    (VoiceActivitySource(), SpeechStopped(1.0), BargeIn(BargeInKind.RETRACT, "voice")),
    (TranscriptSource(), Transcript("wait", final=False), BargeIn(BargeInKind.ONSET, "words", "wait")),
    (TranscriptSource(), Transcript(" ", final=True), None),
    (KeySource(), KeyPressed("5"), BargeIn(BargeInKind.CONFIRM, "keys")),
    (KeySource("#"), KeyPressed("5"), None),
    (ClientSource(), ClientMessage("interrupt"), BargeIn(BargeInKind.CONFIRM, "client")),
    (ClientSource("stop"), ClientMessage("interrupt"), None),
    (SupervisorSource(), SupervisorCutIn(), BargeIn(BargeInKind.CONFIRM, "supervisor")),
    (CallerTurnSource(), CallerTurnStarted(" no wait"), BargeIn(BargeInKind.ONSET, "caller_turn", "no wait")),
    (CallerTurnSource(), CallerTurnStarted(), BargeIn(BargeInKind.CONFIRM, "caller_turn")),
]


@pytest.mark.parametrize(("source", "event", "signal"), MEANT)
def test_what_a_source_makes_of_an_event(source: EventSource, event: Event, signal: BargeIn | None) -> None:
    assert isinstance(event, source.watches)
    assert source.signal(event) == signal


@pytest.mark.parametrize(("source", "event", "signal"), [meant for meant in MEANT if meant[2]])
async def test_each_source_keeps_the_contract(source: EventSource, event: Event, signal: BargeIn) -> None:
    others = [other for _, other, _ in MEANT if not isinstance(other, source.watches)]
    await check_source(source, lambda call: call.deliver(event), ignored=others)


def test_an_agent_that_names_no_sources_has_all_of_them() -> None:
    assert {type(source) for source in Agent.sources} == {type(source) for source, *_ in MEANT}
    assert Agent.sources is SOURCES


# ------------------------------------------------------------------ what the contract notices


class Wrong(EventSource):
    watches = (KeyPressed,)

    def __init__(self, signals: Callable[[Event], Any]) -> None:
        self._signals = signals

    def signal(self, event: Event) -> BargeIn | None:
        return self._signals(event)  # type: ignore[no-any-return]


def press(call: Call) -> Awaitable[None] | None:
    call.deliver(KeyPressed("1"))
    return None


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (Wrong(lambda _: None), "comes within 1 s"),
        (Wrong(lambda _: "stop"), "is a BargeIn, and not 'stop'"),
        (Wrong(lambda _: BargeIn(BargeInKind.CONFIRM, "")), "names its source"),
    ],
)
async def test_the_contract_notices_what_a_source_does_wrong(source: InterruptionSource, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        await check_source(source, press)


async def test_the_contract_notices_a_source_that_minds_others_business() -> None:
    class Nosy(KeySource):
        watches = (KeyPressed, SpeechStarted)  # type: ignore[assignment]

        def signal(self, event: Event) -> BargeIn | None:
            return BargeIn(BargeInKind.CONFIRM, "nosy")

    with pytest.raises(AssertionError, match="none of its business"):
        await check_source(Nosy(), press, ignored=[SpeechStarted(1.0)])


# ------------------------------------------------------------------ in a call


class Broken(EventSource):
    watches = (KeyPressed,)

    def signal(self, event: Event) -> BargeIn | None:
        raise ValueError("a bug")


async def test_a_source_that_breaks_is_missed_and_the_others_are_heard() -> None:
    class Listed(Agent):
        sources = (Broken(), KeySource())

    async with quiet_call(agent=Listed()) as call, call.events(BargeIn) as signals:
        await anyio.wait_all_tasks_blocked()
        call.deliver(KeyPressed("1"))
        call.deliver(KeyPressed("2"))
        await anyio.wait_all_tasks_blocked()

        assert [signals.receive_nowait() for _ in range(2)] == [BargeIn(BargeInKind.CONFIRM, "keys")] * 2  # type: ignore[attr-defined]


async def test_keys_are_dealt_with_in_their_order_and_one_at_a_time() -> None:
    class Slow(Agent):
        async def on_dtmf(self, key: str) -> None:
            await anyio.sleep(1 if key == "1" else 0)
            self.call.note(keys=self.call.notes.get("keys", "") + key)

    async with quiet_call(agent=Slow()) as call:
        for key in "123":
            call.deliver(KeyPressed(key))
        await anyio.sleep(2)

        assert call.notes == {"keys": "123"}
