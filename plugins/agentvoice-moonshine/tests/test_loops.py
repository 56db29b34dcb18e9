from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agentvoice_moonshine._loops import is_looping, without_loop


@pytest.mark.parametrize(
    "tokens",
    [[], [7], [1, 2, 3, 4], [5, 5, 5], [5, 5, 5, 5, 5], [1, 2, 1, 2, 1, 2], [1, 2, 3, 4, 1, 2, 3, 4], list(range(40))],
)
def test_what_people_say_again_is_no_loop(tokens: list[int]) -> None:
    assert not is_looping(tokens)
    assert without_loop(tokens) == tokens


@pytest.mark.parametrize(
    ("tokens", "once"),
    [
        ([9, 8] + [5] * 6, [9, 8, 5]),
        ([5] * 6, [5]),
        ([9] + [1, 2] * 5, [9, 1, 2]),
        ([9, 1, 2, 3, 4] * 3, [9, 1, 2, 3, 4]),
        ([6, 7, *[1, 2, 3, 4, 5] * 3], [6, 7, 1, 2, 3, 4, 5]),
        ([4, *[1, 2, 3, 4] * 3], [4, 1, 2, 3, 4]),
    ],
)
def test_a_loop_is_found_and_run_through_once(tokens: list[int], once: list[int]) -> None:
    assert is_looping(tokens)
    assert without_loop(tokens) == once


@given(st.lists(st.integers(0, 3), max_size=60))
def test_what_is_left_is_how_it_began(tokens: list[int]) -> None:
    assert tokens[: len(without_loop(tokens))] == without_loop(tokens)
