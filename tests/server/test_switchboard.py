"""Counting calls, and letting them end."""

from __future__ import annotations

import anyio
import pytest

from agentvoice.server.switchboard import Switchboard

pytestmark = pytest.mark.anyio


async def a_call(board: Switchboard, seconds: float, over: list[float]) -> None:
    with board.call():
        await anyio.sleep(seconds)
        over.append(seconds)


async def test_calls_are_counted_while_they_last() -> None:
    board = Switchboard()
    with board.call(), board.call():
        assert (board.live, board.total) == (2, 2)
    assert (board.live, board.total) == (0, 2)


async def test_a_call_that_fails_is_not_live_any_more() -> None:
    board = Switchboard()
    try:
        with board.call():
            int("no")
    except ValueError:
        pass
    assert board.live == 0


async def test_no_more_calls_are_taken_than_there_is_room_for() -> None:
    board = Switchboard(max_calls=1)
    before = board.accepting
    with board.call():
        during = board.accepting
    assert (before, during, board.accepting) == (True, False, True)


async def test_draining_takes_no_new_call_and_waits_for_those_that_are_live() -> None:
    board, over = Switchboard(), list[float]()
    async with anyio.create_task_group() as group:
        for seconds in (3, 1, 2):
            group.start_soon(a_call, board, seconds, over)
        await anyio.sleep(0.5)
        began = anyio.current_time()

        await board.drain(seconds=10)

        assert anyio.current_time() - began == pytest.approx(2.5)
        assert over == [1, 2, 3]
        assert (board.live, board.accepting) == (0, False)


async def test_draining_ends_what_has_not_ended_in_time() -> None:
    board, over = Switchboard(), list[float]()
    async with anyio.create_task_group() as group:
        for seconds in (1, 100):
            group.start_soon(a_call, board, seconds, over)
        await anyio.sleep(0.5)
        began = anyio.current_time()

        await board.drain(seconds=5)

        assert anyio.current_time() - began == pytest.approx(5)
        assert over == [1]
        assert board.live == 0


async def test_an_idle_switchboard_is_drained_at_once() -> None:
    began = anyio.current_time()
    await Switchboard().drain(seconds=5)
    assert anyio.current_time() == began
