"""What Pico is given to read."""

import pytest
from hypothesis import given, strategies as st

from agentvoice_pico._spoken import LONGEST, joined, spoken


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Sure.", "Sure."),
        ("evening,", "evening,"),
        ('"Really?"', "Really?"),
        ("</speed>", "/speed"),
        ("**yes**", "yes"),
        ("don’t", "don't"),
        ("wait…", "wait."),
        ("$5.50", "$5.50"),
        ("—", ","),
        ("-", ","),
        ("...", "."),
        ("😀", ""),
        ("x" * 90, " ".join(["x" * 40, "x" * 40, "x" * 10])),
    ],
)
def test_what_would_be_read_wrongly_is_left_out(written: str, read: str) -> None:
    assert spoken(written) == read


def test_a_mark_by_itself_goes_to_what_is_before_it() -> None:
    assert joined(["", "yes", ",", "no", ".", "."]) == "yes, no."
    assert joined([",", "a"]) == "a"
    assert joined([",", ""]) == ""


@given(st.text())
def test_nothing_that_pico_takes_for_markup_or_never_comes_back_from_is_left(token: str) -> None:
    read = spoken(token)

    assert not set(read) & set("<>\x00\n")
    assert all(len(word) <= LONGEST + 1 for word in read.split())
