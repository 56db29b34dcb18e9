"""Many calls at one desk, in virtual time: what is judged when, with what, and what one's trouble does to others."""

from __future__ import annotations

import numpy as np
import pytest
from anyio import CancelScope, create_task_group, current_time, sleep

from agentvoice.errors import ProviderError
from agentvoice_silero._desk import CROWD, GATHER_S, LARGEST, WINDOW_S, Desk, Window
from agentvoice_silero._model import Floats, fresh_state

pytestmark = pytest.mark.anyio


class Model:
    """Answers each call with its own first sample, and adds that to its state. Breaks on a sample of -1."""

    def __init__(self) -> None:
        self.batches: list[tuple[float, list[float]]] = []
        """When, and whose."""

    def __call__(self, samples: Floats, states: Floats, sample_rate: int) -> tuple[Floats, Floats]:
        self.batches.append((current_time(), samples[:, 0].tolist()))
        if (samples[:, 0] == -1).any():
            raise RuntimeError("bad state")
        return samples[:, 0], states + samples[:, 0, None]

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for _, batch in self.batches]


class Call:
    """One call at the desk, whose windows say which it is."""

    def __init__(self, desk: Desk, number: float) -> None:
        self.desk, self.number, self.told, self.at = desk, number, list[float](), list[float]()
        self.state = fresh_state()
        self.error: ProviderError | None = None

    async def ask(self, windows: int = 1) -> None:
        for _ in range(windows):
            window = Window(np.full((1, 288), self.number, np.float32), self.state)
            try:
                await self.desk.judge(self, window)
            except ProviderError as error:
                self.error = error
            else:
                self.told.append(window.probability)
                self.state = window.state
            self.at.append(current_time())


def desk(model: Model, sample_rate: int = 8000) -> Desk:
    return Desk(model, sample_rate)  # type: ignore[arg-type]


async def crowded(model: Model, *, calls: int = CROWD) -> list[Call]:
    """Return calls that have had sound lately, at a desk that has noticed."""
    shared = desk(model)
    crowd = [Call(shared, number) for number in range(calls)]
    await together(crowd)
    await sleep(WINDOW_S)
    for call in crowd:
        call.told.clear()
        call.at.clear()
    model.batches.clear()
    return crowd


async def together(calls: list[Call], windows: int = 1) -> None:
    async with create_task_group() as group:
        for call in calls:
            group.start_soon(call.ask, windows)


async def test_a_call_alone_is_answered_on_the_spot() -> None:
    call = Call(desk(Model()), 0.5)

    with pytest.raises(StopIteration):  # it never waits, not even for its turn
        call.ask(20).__await__().send(None)
    assert call.told == [0.5] * 20


async def test_few_calls_are_answered_on_the_spot() -> None:
    model = Model()
    shared, began = desk(model), current_time()
    await together([Call(shared, number) for number in range(CROWD - 1)])

    assert model.sizes == [1] * (CROWD - 1)
    assert current_time() == began


async def test_a_crowd_is_judged_at_once_and_each_is_given_its_own_answer() -> None:
    model = Model()
    crowd, began = await crowded(model, calls=20), current_time()
    await together(crowd)

    assert model.sizes == [20]
    assert [call.told for call in crowd] == [[call.number] for call in crowd]
    assert [call.state[0, 0, 0] for call in crowd] == [2 * call.number for call in crowd]
    assert current_time() - began == pytest.approx(GATHER_S)


async def test_windows_that_come_a_moment_later_are_judged_with_the_first() -> None:
    model = Model()
    crowd, began = await crowded(model), current_time()

    async def late(call: Call) -> None:
        await sleep(call.number * GATHER_S / CROWD)
        await call.ask()

    async with create_task_group() as group:
        for call in crowd:
            group.start_soon(late, call)

    assert model.batches == [(pytest.approx(began + GATHER_S), [call.number for call in crowd])]


async def test_each_call_hears_of_its_windows_in_order() -> None:
    model = Model()
    crowd = await crowded(model)
    await together(crowd, windows=5)

    assert model.sizes == [CROWD] * 5
    for call in crowd:
        assert call.told == [call.number] * 5
        assert call.state[0, 0, 0] == 6 * call.number


async def test_calls_are_told_in_the_order_in_which_they_asked() -> None:
    crowd, told = await crowded(Model(), calls=LARGEST), list[float]()

    async def ask(call: Call) -> None:
        await call.ask()
        told.append(call.number)

    async with create_task_group() as group:
        for call in crowd:
            group.start_soon(ask, call)

    assert told == list(range(LARGEST))


async def test_a_large_crowd_leaves_room_for_others_between_its_batches() -> None:
    model = Model()
    crowd, began = await crowded(model, calls=2 * LARGEST + 5), current_time()
    await together(crowd)

    assert model.sizes == [LARGEST, LARGEST, 5]
    assert [at - began for at, _ in model.batches] == [pytest.approx(GATHER_S * turn) for turn in (1, 2, 3)]
    assert [call.told for call in crowd] == [[call.number] for call in crowd]


async def test_a_crowd_that_is_noticed_at_once_holds_the_loop_no_longer_than_a_few_calls_do() -> None:
    model = Model()
    shared = desk(model)
    await together([Call(shared, number) for number in range(30)])

    assert model.sizes == [1] * (CROWD - 1) + [30 - CROWD + 1]


async def test_once_the_crowd_has_gone_a_call_does_not_wait() -> None:
    model = Model()
    last, *_ = await crowded(model)
    await last.ask()
    await sleep(WINDOW_S)
    began = current_time()
    await last.ask()

    assert last.at == [pytest.approx(began - WINDOW_S), began]


async def test_calls_of_another_sample_rate_are_judged_apart() -> None:
    model = Model()
    narrow, wide = await crowded(model), await crowded(model)
    await together(narrow + wide)

    assert model.sizes == [CROWD, CROWD]


@pytest.mark.parametrize("gone", [[0], [1], [0, 1], [0, 5, 9]])
async def test_a_call_that_is_cancelled_disturbs_no_other(gone: list[int]) -> None:
    model = Model()
    crowd = await crowded(model)
    scopes = [CancelScope() for _ in crowd]

    async def ask(call: Call, scope: CancelScope) -> None:
        with scope:
            await call.ask()

    async with create_task_group() as group:
        for call, scope in zip(crowd, scopes, strict=True):
            group.start_soon(ask, call, scope)
        await sleep(GATHER_S / 2)
        for number in gone:
            scopes[number].cancel()

    stayed = [call.number for call in crowd if call.number not in gone]
    assert [batch for _, batch in model.batches] == [stayed]
    assert [call.number for call in crowd if call.told] == stayed


async def test_when_all_of_a_gathering_are_cancelled_the_next_is_judged_all_the_same() -> None:
    model = Model()
    crowd = await crowded(model)
    with CancelScope() as scope:
        async with create_task_group() as group:
            for call in crowd:
                group.start_soon(call.ask)
            await sleep(GATHER_S / 2)
            scope.cancel()
    await together(crowd)

    assert [call.told for call in crowd] == [[call.number] for call in crowd]


async def test_a_batch_that_fails_fails_those_in_it_with_a_clear_error_and_no_others() -> None:
    model = Model()
    crowd = await crowded(model)
    crowd[3].number = -1
    await together(crowd)
    errors = [call.error for call in crowd]
    crowd[3].number, crowd[3].error = 3, None
    await together(crowd)

    assert {str(error) for error in errors} == {"silero: bad state; the calls of this batch begin afresh"}
    assert len({id(error) for error in errors}) == CROWD  # each has a traceback of its own
    assert [call.told for call in crowd] == [[call.number] for call in crowd]


async def test_a_state_of_the_wrong_shape_fails_as_clearly() -> None:
    model = Model()
    crowd = await crowded(model)
    crowd[3].state = np.zeros((2, 1, 64), np.float32)
    await together(crowd)

    assert "must match exactly" in str(crowd[0].error)


async def test_a_call_keeps_its_own_state_and_not_that_of_all_others() -> None:
    model = Model()
    crowd = await crowded(model)
    await together(crowd)

    assert all(call.state.base is None for call in crowd)


async def test_the_same_calls_meet_in_the_same_batches_each_time() -> None:
    async def story() -> list[tuple[float, list[float]]]:
        model, chance, began = Model(), np.random.default_rng(8), current_time()
        shared = desk(model)

        async def talk(call: Call, delay: float) -> None:
            await sleep(delay)
            for _ in range(10):
                await sleep(WINDOW_S + call.number * 1e-6)  # trio wakes those of one instant in any order
                await call.ask()

        async with create_task_group() as group:
            for number in range(40):
                group.start_soon(talk, Call(shared, number), float(chance.uniform(0, WINDOW_S)))
        return [(round(at - began, 9), batch) for at, batch in model.batches]

    once = await story()

    assert await story() == once
    assert sum(len(batch) for _, batch in once) == 400
    assert len(once) < 300
