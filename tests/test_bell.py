"""A bell wakes whoever waits for something to change; on both event loops, in virtual time."""

import math

import pytest
from anyio import create_task_group, move_on_after, sleep

from agentvoice.bell import Bell
from agentvoice.clock import current_time

pytestmark = pytest.mark.anyio


async def test_all_who_wait_are_woken_when_it_is_rung() -> None:
    bell, woken = Bell(), list[float]()

    async def wait(until: float) -> None:
        await bell.wait(until=until)
        woken.append(current_time() - began)

    began = current_time()
    async with create_task_group() as group:
        group.start_soon(wait, math.inf)
        group.start_soon(wait, began + 100)
        await sleep(0.5)
        bell.ring()
        bell.ring()

    assert woken == [0.5, 0.5]
    assert current_time() - began == 0.5


async def test_who_waits_until_an_instant_is_woken_then() -> None:
    bell, began = Bell(), current_time()

    await bell.wait(until=began + 1.25)
    assert current_time() == began + 1.25

    await bell.wait(until=began)  # over already
    assert current_time() == began + 1.25


@pytest.mark.parametrize(("until", "woken_at"), [(28.1725, 28.173), (28.173000000000002, 28.173000000000002)])
async def test_who_waits_is_woken_at_a_whole_millisecond_and_never_before_its_time(
    until: float, woken_at: float
) -> None:
    assert current_time() == 0

    await Bell().wait(until=until)

    assert current_time() == woken_at


async def test_what_was_rung_before_is_not_heard() -> None:
    bell, began = Bell(), current_time()
    bell.ring()

    await bell.wait(until=began + 1)

    assert current_time() == began + 1


async def test_who_waits_can_be_cancelled_and_is_not_rung_for_after_that() -> None:
    bell, woken = Bell(), False
    with move_on_after(0.1):
        await bell.wait(until=current_time() + 1)
        woken = True
    bell.ring()
    await sleep(2)

    assert not woken


async def test_a_bell_that_was_rung_for_one_who_is_cancelled_at_the_same_moment_lets_it_end() -> None:
    bell = Bell()
    async with create_task_group() as group:
        group.start_soon(bell.wait)
        await sleep(0.1)
        bell.ring()
        group.cancel_scope.cancel()
        bell.ring()

    await bell.wait(until=current_time() + 0.1)  # nobody is left on the list who would be woken twice
