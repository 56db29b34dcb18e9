"""What every `EndOfTurn` has to keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from time import perf_counter
from typing import Final

from anyio import create_task_group, fail_after, sleep
from anyio.lowlevel import checkpoint

from agentvoice.clock import current_time
from agentvoice.interfaces import HEARD_S, EndOfTurn

RATES: Final = (8000, 16000)
SAME: Final = 0.01
"""How much two answers to one question may differ."""
AT_ONCE_S: Final = 0.02
"""How long a cancelled judgement may take to give up, and for how long one may hold others up: a frame of audio."""
QUEUE: Final = 5
UNDER_WAY: Final = 10
"""After so many turns of the event loop a judgement has begun, and none is over."""
ATTEMPTS: Final = 5
PATIENCE_S: Final = 30.0
"""How long a judgement may take on the slowest machine."""


async def check_end_of_turn(
    make: Callable[[], EndOfTurn],
    *,
    finished: Callable[[int], bytes],
    unfinished: Callable[[int], bytes],
    finished_text: str = "Thank you, that is all.",
    unfinished_text: str = "I would like to book a",
) -> None:
    """Check a plugin, or a double.

    `finished(rate)` is PCM of that rate in which somebody has finished and falls silent; in `unfinished(rate)` they
    only pause. The texts are what they said, for a model that goes by words.

    Raises:
        AssertionError: the contract is broken; the message says where.
    """
    model = make()
    model.prepare()
    for rate in RATES:
        ended = await _judge(model, finished(rate), rate, finished_text)
        paused = await _judge(model, unfinished(rate), rate, unfinished_text)
        assert ended >= 0.5, f"who has finished is found to have finished, at {rate} Hz; it said {ended:.2f}"
        assert paused < 0.5, f"who pauses is not found to have finished, at {rate} Hz; it said {paused:.2f}"
        for name, pcm in _odd(rate, finished(rate)):
            assert 0 <= await _judge(model, pcm, rate, "") <= 1, f"{name} without words has a probability too"
        again = await _judge(model, finished(rate), rate, finished_text)
        assert abs(again - ended) <= SAME, "a judgement does not depend on those before it"
    await _check_independence(model, finished(8000), finished_text, unfinished(8000), unfinished_text)
    await _check_cancellation(model, finished(8000), finished_text)
    await _check_loop(model, finished(8000), finished_text)


async def _judge(model: EndOfTurn, pcm: bytes, rate: int, text: str) -> float:
    with fail_after(PATIENCE_S):
        return await model.judge(pcm, rate, text)


def _odd(rate: int, speech: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what a line may bring besides clear speech."""
    random, whole = Random(1), round(HEARD_S * rate)
    yield "no audio", b""
    yield "half a sample", b"\x01"
    yield "one sample", b"\x01\x00"
    yield "audio of odd length", speech[: len(speech) // 2 * 2 - 1]
    yield "a tenth of a second", speech[: rate // 10 * 2]
    yield "silence", bytes(2 * whole)
    yield "noise", random.randbytes(2 * whole)
    yield "clipped audio", b"\xff\x7f\x00\x80" * (whole // 2)


async def _check_independence(model: EndOfTurn, ended: bytes, end: str, paused: bytes, pause: str) -> None:
    answers: dict[str, float] = {}

    async def ask(pcm: bytes, text: str) -> None:
        answers[text] = await _judge(model, pcm, 8000, text)

    async with create_task_group() as group:
        group.start_soon(ask, ended, end)
        group.start_soon(ask, paused, pause)
    assert answers[end] >= 0.5 > answers[pause], "two calls at once do not disturb each other"


async def _check_cancellation(model: EndOfTurn, pcm: bytes, text: str) -> None:
    """The machine itself may hold a task up now and then; here and below the best of some attempts counts."""
    took = min([await _giving_up_s(model, pcm, text) for _ in range(ATTEMPTS)])
    assert took <= AT_ONCE_S, f"judgements that nobody waits for end at once; {QUEUE} of them took {1e3 * took:.0f} ms"
    assert await _judge(model, pcm, 8000, text) >= 0.5, "it judges as before when a judgement was cancelled"


async def _giving_up_s(model: EndOfTurn, pcm: bytes, text: str) -> float:
    """Return how long it takes to end judgements that are under way."""
    async with create_task_group() as group:
        for _ in range(QUEUE):
            group.start_soon(_judge, model, pcm, 8000, text)
        for _ in range(UNDER_WAY):
            await checkpoint()
        cancelled_at = current_time()
        group.cancel_scope.cancel()
    return current_time() - cancelled_at


async def _check_loop(model: EndOfTurn, pcm: bytes, text: str) -> None:
    held_up_s = min([await _held_up_s(model, pcm, text) for _ in range(ATTEMPTS)])
    assert held_up_s <= AT_ONCE_S, f"a judgement does not block the event loop; it did for {1e3 * held_up_s:.0f} ms"


async def _held_up_s(model: EndOfTurn, pcm: bytes, text: str) -> float:
    """Return for how long another task was kept from running at most; in real time, which a virtual clock hides."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            ran_at = perf_counter()
            try:
                await sleep(0.001)
            finally:
                longest = max(longest, perf_counter() - ran_at)

    async with create_task_group() as group:
        group.start_soon(watch)
        await checkpoint()
        await _judge(model, pcm, 8000, text)
        await checkpoint()
        group.cancel_scope.cancel()
    return longest
