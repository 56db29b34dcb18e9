import math
from dataclasses import replace

import pytest

from benchmarks.selectivity.figures import Result, Share, chosen, quantile, rates, share, times

CALLER = Result(
    policy="phone",
    kind="interruption",
    condition="clean",
    clip=1,
    name="Stop.",
    source="a voice",
    ends_s=0.5,
    hold_s=0.08,
    cut_s=0.3,
    cut_by="words",
    silent_s=0.2,
    paused_s=0.0,
)
LISTENER = replace(CALLER, kind="backchannel", cut_s=math.inf, silent_s=math.inf, paused_s=0.3)


def test_yielding_to_an_interruption_is_right_and_to_a_listener_is_not() -> None:
    assert CALLER.right
    assert LISTENER.right
    assert not replace(LISTENER, cut_s=0.3).right


@pytest.mark.parametrize("cut_s", [math.inf, 1.6, -0.5])
def test_an_interruption_that_was_not_answered_in_its_time_was_not_yielded_to(cut_s: float) -> None:
    assert not replace(CALLER, cut_s=cut_s).right


def test_a_share_says_how_sure_it_is() -> None:
    low, high = Share(95, 100).interval

    assert (round(low, 3), round(high, 3)) == (0.888, 0.978)  # as the textbook has it
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Share(10, 10).interval[1] == 1.0
    assert math.isnan(Share(0, 0).value)


def test_a_quantile_leaves_out_what_never_was() -> None:
    assert quantile([3.0, 1.0, math.inf, 2.0], 0.5) == 2.0
    assert quantile([1.0, 2.0], 1.0) == 2.0
    assert math.isnan(quantile([math.inf], 0.5))


def test_results_are_chosen_by_their_facts() -> None:
    assert chosen([CALLER, LISTENER], kind="backchannel") == [LISTENER]
    assert chosen([CALLER, LISTENER], kind=("backchannel", "interruption"), policy="phone") == [CALLER, LISTENER]
    assert share([CALLER, replace(CALLER, cut_s=math.inf)]) == Share(1, 2)


def test_the_tables_have_a_row_for_each_policy_and_noise() -> None:
    results = [CALLER, LISTENER, replace(CALLER, policy="browser")]

    assert rates(results, ["clean"], ["interruption", "backchannel"]).splitlines() == [
        "| policy, noise | interruption | backchannel |",
        "| --- | --: | --: |",
        "| phone, clean | 100 (21–100) | 100 (21–100) |",
        "| browser, clean | 100 (21–100) | – |",
    ]
    assert times(results, ["clean"]).splitlines()[2] == "| phone, clean | 80 | 80 | 100 | 200 | 200 | 300 | 300 | 300 |"
