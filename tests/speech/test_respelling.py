"""Phonemes as letters."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, strategies as st

from agentvoice.speech.respelling import PHONEMES, respell


@pytest.mark.parametrize(
    ("phonemes", "letters"),
    [
        ("m|ɛ|t", "met"),
        ("k|aɪ|t", "kight"),
        ("h|ə|l|ˈ|oʊ", "hulloh"),
        ("b|ʌ|t|ɚ", "butter"),
        ("tʃ|ɜː|ɹ|tʃ", "cherch"),
        ("k|ɑː|ɹ|t|ˈiː|ʒ|ɚ", "karteezher"),
        ("s|oʊ|f|ə", "sohfa"),
        ("S|æ|n", "San"),
        ("ˈ", ""),
    ],
)
def test_phonemes_are_respelled_for_readers_of_english(phonemes: str, letters: str) -> None:
    assert respell(f"a <<{phonemes}>> b") == f"a {letters} b"


@given(st.text(alphabet="ˈːəɛiaɪtʃk|<>mx4 \u0303"))
def test_no_sign_that_would_be_read_by_its_name_is_left(text: str) -> None:
    phonemes = text.replace(" ", "").replace("<", "").replace(">", "")
    assert respell(f"<<{phonemes}>>").isascii() or not phonemes


@given(st.text(alphabet="abc <>"))
def test_text_without_phonemes_stays(text: str) -> None:
    assume(not PHONEMES.search(text))

    assert respell(text) == text
