import pytest

from agentvoice.rate_check import RateCheck


def found(declared: int, comes: int, *, seconds: int = 10, burst: int = 0) -> list[int]:
    check = RateCheck(declared)
    answers = [check.receive(burst, now=0.0)]
    answers += [check.receive(comes // 50, now=frame / 50) for frame in range(1, seconds * 50)]
    return [answer for answer in answers if answer is not None]


@pytest.mark.parametrize(("declared", "comes"), [(8000, 16000), (16000, 8000), (48000, 44100 // 2)])
def test_a_line_that_does_not_carry_what_it_says_is_found_out_once(declared: int, comes: int) -> None:
    [rate] = found(declared, comes)

    assert rate == pytest.approx(comes, rel=0.02)


@pytest.mark.parametrize("comes", [8000, 7900, 8150])
def test_a_clock_may_be_a_little_wrong(comes: int) -> None:
    assert found(8000, comes) == []


def test_what_was_buffered_while_the_call_was_set_up_does_not_count() -> None:
    assert found(8000, 8000, burst=40_000) == []


def test_a_short_call_says_nothing_of_it() -> None:
    assert found(8000, 16000, seconds=3) == []
