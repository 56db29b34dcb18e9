"""How long a call may last."""

import math

from agentvoice.limit import CallLimit, Spending


def test_a_call_is_warned_once_and_ended_once() -> None:
    limit = CallLimit(60.0, 20.0)
    limit.start(100.0)

    assert limit.deadline == 140.0
    assert limit.handle_timer(now=139.0) is None
    assert limit.handle_timer(now=140.5) == 19.5
    assert limit.deadline == 160.0
    assert limit.handle_timer(now=161.0) == 0.0


def test_a_call_without_a_limit_is_never_warned() -> None:
    limit = CallLimit(math.inf, 20.0)
    limit.start(100.0)

    assert limit.deadline == math.inf


def test_a_call_shorter_than_its_warning_is_warned_when_it_begins() -> None:
    limit = CallLimit(10.0, 30.0)
    limit.start(100.0)

    assert limit.handle_timer(now=100.0) == 10.0


def test_what_is_spent_is_told_once() -> None:
    spending = Spending(tokens=100, characters=math.inf)

    assert [spending.spend("tokens", 60) for _ in range(3)] == [False, True, False]
    assert not spending.spend("characters", 10_000)
