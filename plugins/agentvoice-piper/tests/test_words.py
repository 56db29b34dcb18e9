"""Which phonemes are which word's. Pronunciations are espeak's own, as it gave them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from agentvoice_piper._words import match


def words(text: str, spoken: str, **alone: str) -> dict[str, str]:
    """Return what of `spoken` each token of `text` is; alone it is spoken as `alone` says, or as it is written."""
    tokens = text.split()
    spans = match([alone.get(token, token) for token in tokens], spoken)
    assert [span for span in spans if span[0] > span[1]] == []
    return {token: spoken[first:last] for token, (first, last) in zip(tokens, spans, strict=True)}


def test_words_that_are_run_together_are_told_apart() -> None:
    assert words("ʌv ðə tˈeɪbəl", "ʌvðə tˈeɪbəl") == {"ʌv": "ʌv", "ðə": "ðə", "tˈeɪbəl": "tˈeɪbəl"}


def test_a_number_is_several_words_and_one_token() -> None:
    found = words("æt T fɔːɹ", "æt sˈɛvən θˈɜːɾi fɔːɹ", T="sˈɛvən θˈɜːɾi")

    assert found["T"] == "sˈɛvən θˈɜːɾi"
    assert found["fɔːɹ"] == "fɔːɹ"


def test_runs_together_and_numbers_do_not_make_up_for_each_other() -> None:
    """As many words are spoken as there are tokens, and yet they are not each other's."""
    found = words("N ʌv ðə bˈʊks", "fˈɔːɹɾi tˈuː ʌvðə bˈʊks", N="fˈɔːɹɾi tˈuː")

    assert found == {"N": "fˈɔːɹɾi tˈuː", "ʌv": "ʌv", "ðə": "ðə", "bˈʊks": "bˈʊks"}


def test_a_word_that_is_weak_in_its_sentence_is_the_same_word() -> None:
    found = words("ɡˈoʊɪŋ TO bˈʊk A", "ɡˌoʊɪŋ tə bˈʊk ɐ", TO="tuː", A="eɪ")

    assert found == {"ɡˈoʊɪŋ": "ɡˌoʊɪŋ", "TO": "tə", "bˈʊk": "bˈʊk", "A": "ɐ"}


def test_what_is_not_spoken_is_nothing_at_the_end_of_what_is_before_it() -> None:
    assert match(["", "wˈɛl", "", "jˈɛs"], "wˈɛl jˈɛs") == [(0, 0), (0, 4), (4, 4), (5, 9)]


def test_the_silence_of_punctuation_is_no_word() -> None:
    assert words("jˈɛs, kˈɔːɹs.", "jˈɛs, kˈɔːɹs.") == {"jˈɛs,": "jˈɛs", "kˈɔːɹs.": "kˈɔːɹs"}


def test_a_sound_that_nobody_expects_goes_with_the_word_that_it_stands_in() -> None:
    assert words("nˈʌmbɚ ɪz", "nˈʌmbɚɹ ɪz") == {"nˈʌmbɚ": "nˈʌmbɚɹ", "ɪz": "ɪz"}


def test_a_long_text_is_matched_to_its_end() -> None:
    tokens = ["wʊd", "hæv", "sˈɛvənti fˈaɪv"] * 100

    spans = match(tokens, " ".join(tokens))

    assert spans[-1] == (len(" ".join(tokens)) - 14, len(" ".join(tokens)))


def test_nothing_is_nothing() -> None:
    assert match([], "") == []
    assert match(["a"], "") == [(0, 0)]


@pytest.mark.parametrize("spoken", ["", " ", "aɪ", "t t t t", "bˈʊk, ɪt."])
@settings(deadline=None)  # it says what is right, not how fast
@given(tokens=st.lists(st.text("abtˈʊː ,.", max_size=6), max_size=8))
def test_spans_are_in_order_and_do_not_overlap(tokens: list[str], spoken: str) -> None:
    spans = match(tokens, spoken)

    edges = [edge for span in spans for edge in span]
    assert len(spans) == len(tokens)
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(spoken) for edge in edges)
