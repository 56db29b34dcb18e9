"""The contract of what tells the end of a turn, broken on purpose."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio
import pytest

from agentvoice.testing.contracts.end_of_turn import check_end_of_turn
from agentvoice.testing.hearing import ScriptedEndOfTurn

pytestmark = pytest.mark.anyio


def by_text(_pcm: bytes, _rate: int, text: str) -> float:
    return 0.9 if text.endswith(".") else 0.1


class Blocks(ScriptedEndOfTurn):
    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:
        time.sleep(0.03)  # noqa: ASYNC251 - what it must not do
        return by_text(pcm, sample_rate, text)


class HoldsOut(ScriptedEndOfTurn):
    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:
        with anyio.CancelScope(shield=True):
            await super().judge(pcm, sample_rate, text)
        return by_text(pcm, sample_rate, text)


class Forgetful(ScriptedEndOfTurn):
    """Judges what it was asked last."""

    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:
        await super().judge(pcm, sample_rate, text)
        return by_text(*self.asked[-1])


class Ageing(ScriptedEndOfTurn):
    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:
        return await super().judge(pcm, sample_rate, text) * 0.99 ** len(self.asked)


class Sulking(ScriptedEndOfTurn):
    """Finds nothing finished after it was cancelled."""

    cancelled = False

    async def judge(self, pcm: bytes, sample_rate: int, text: str) -> float:
        try:
            judged = await super().judge(pcm, sample_rate, text)
        except anyio.get_cancelled_exc_class():
            self.cancelled = True
            raise
        return 0.0 if self.cancelled else judged


def breaks_on_nothing(pcm: bytes, rate: int, text: str) -> float:
    return by_text(pcm, rate, text) if pcm else 1 / 0


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: HoldsOut(by_text, latency_s=0.5), "end at once"),
        (lambda: Sulking(by_text), "when a judgement was cancelled"),
        (lambda: Forgetful(by_text), "two calls at once"),
        (lambda: Ageing(by_text), "does not depend on those before it"),
        (lambda: ScriptedEndOfTurn([0.3]), "who has finished is found"),
        (lambda: ScriptedEndOfTurn([0.9]), "who pauses is not found"),
        (lambda: ScriptedEndOfTurn([0.9, 0.1, 1.1]), "no audio without words has a probability"),
        (lambda: ScriptedEndOfTurn([0.9, 0.1, float("nan")]), "no audio without words has a probability"),
    ],
)
async def test_who_breaks_it_is_told_where(make: Callable[[], ScriptedEndOfTurn], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        await check_end_of_turn(make, finished=lambda rate: bytes(2 * rate), unfinished=lambda rate: bytes(2 * rate))


async def test_who_cannot_take_what_a_line_brings_breaks_it() -> None:
    with pytest.raises(ZeroDivisionError):
        await check_end_of_turn(
            lambda: ScriptedEndOfTurn(breaks_on_nothing),
            finished=lambda rate: bytes(2 * rate),
            unfinished=lambda rate: bytes(2 * rate),
        )


@pytest.mark.real_time
async def test_who_blocks_the_loop_breaks_it() -> None:
    with pytest.raises(AssertionError, match="does not block the event loop"):
        await check_end_of_turn(
            lambda: Blocks(by_text),
            finished=lambda rate: bytes(2 * rate),
            unfinished=lambda rate: bytes(2 * rate),
        )
