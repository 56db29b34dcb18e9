"""Which signs are one phoneme."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from agentvoice_piper._sounds import is_sound, sounds


@pytest.mark.parametrize(
    ("signs", "phonemes"),
    [
        ("ˈiːvnɪŋ", ["ˈiː", "v", "n", "ɪ", "ŋ"]),
        ("ɡˈʊd, sˌɜː.", ["ɡ", "ˈʊ", "d", "s", "ˌɜː"]),
        ("ɑ̃ːʃɑ̃", ["ɑ̃ː", "ʃ", "ɑ̃"]),
        ("ˈ ˈa ˈ", ["ˈa"]),
        ("ː, …", []),
        ("", []),
    ],
)
def test_stress_goes_with_what_follows_and_length_with_what_is_before(signs: str, phonemes: list[str]) -> None:
    assert [name for name, _, _ in sounds(signs)] == phonemes


@given(st.text("aiʃˈˌː ,\u0303"))
def test_every_sound_is_told_once_in_order_and_as_it_stands(signs: str) -> None:
    told = list(sounds(signs))
    assert all(name == signs[first:last] for name, first, last in told)
    assert all(last <= first for (_, _, last), (_, first, _) in pairwise(told))
    assert sum(is_sound(sign) for name, _, _ in told for sign in name) == sum(map(is_sound, signs))
