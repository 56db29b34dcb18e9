"""What happens at one instant of virtual time has an order of its own, whatever the event loop made of it."""

import math

import anyio
import pytest
from anyio import create_task_group, current_time, sleep, sleep_until

from agentvoice.events import AudioReceived, BargeIn, BargeInKind, KeyPressed, SayRequested, SpeechStarted, TextProduced
from agentvoice.inbox import Inbox
from agentvoice.testing.clock import settled
from agentvoice.testing.instant import InstantInbox

pytestmark = pytest.mark.anyio

EVENTS = [
    AudioReceived("c-2", b""),
    AudioReceived("c-1", b""),
    TextProduced("t1", "b"),
    SayRequested("s1", "a"),
    BargeIn(BargeInKind.ONSET, "words"),
    BargeIn(BargeInKind.ONSET, "voice"),
    SpeechStarted(0.5),
    KeyPressed("5"),
]
IN_ORDER = [
    KeyPressed("5"),
    SpeechStarted(0.5),
    BargeIn(BargeInKind.ONSET, "voice"),
    BargeIn(BargeInKind.ONSET, "words"),
    TextProduced("t1", "b"),
    SayRequested("s1", "a"),
    AudioReceived("c-1", b""),
    AudioReceived("c-2", b""),
]


def taken(inbox: Inbox) -> list:
    return list(iter(inbox.take, None))


async def test_events_of_one_instant_are_put_in_order_once_it_is_over() -> None:
    inbox = InstantInbox()

    async def deliver(event, steps: int) -> None:
        await sleep_until(1.0)
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        inbox.put(event)

    async with create_task_group() as group:
        for steps, event in enumerate(EVENTS):
            group.start_soon(deliver, event, steps)
        await inbox.wait(until=math.inf)
        await inbox.settle()
        assert current_time() == 1.0

    assert taken(inbox) == IN_ORDER


async def test_an_instant_is_over_before_the_clock_moves() -> None:
    happened = []

    async def later() -> None:
        await sleep(1e-6)
        happened.append("later")

    async def now() -> None:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        happened.append("now")

    async with create_task_group() as group:
        group.start_soon(later)
        group.start_soon(now)
        await settled()
        happened.append("settled")

    assert happened == ["now", "settled", "later"]


@pytest.mark.real_time
async def test_on_a_real_clock_nobody_waits_for_an_instant_to_be_over() -> None:
    async with create_task_group() as group:
        group.start_soon(sleep, 3600)
        await settled()
        group.cancel_scope.cancel()


async def test_an_inbox_gives_what_it_got_and_waits_no_longer_than_asked() -> None:
    inbox = Inbox()
    inbox.put(KeyPressed("1"))
    inbox.put(KeyPressed("2"))
    await inbox.settle()
    assert taken(inbox) == [KeyPressed("1"), KeyPressed("2")]

    began = current_time()
    await inbox.wait(until=began + 2)
    assert current_time() == pytest.approx(began + 2)
    assert inbox.take() is None


async def test_tasks_of_one_instant_run_in_the_order_in_which_they_were_started() -> None:
    for _ in range(20):
        ran: list[int] = []

        async def run(number: int, ran: list[int]) -> None:
            ran.append(number)

        async with create_task_group() as group:
            for number in range(5):
                group.start_soon(run, number, ran)
        assert ran == [0, 1, 2, 3, 4]
