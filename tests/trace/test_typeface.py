"""Text is as wide as the font says."""

import pytest

from agentvoice.trace.typeface import WEIGHTS, elide, font_file, width


def test_widths_come_from_the_font_that_lies_beside_the_code() -> None:
    assert width("A", 2048) == pytest.approx(1410, abs=80)
    assert width("iiii", 10) < width("mmmm", 10)
    assert width("Hello", 20) == pytest.approx(2 * width("Hello", 10))
    assert width("Hello", 10, 600) > width("Hello", 10)


def test_every_letter_that_western_names_need_is_in_it() -> None:
    for letter in "ÅåÉéßøŁłŞşŽž–—…“”’·→":
        assert width(letter, 10) != 6.0, letter


def test_what_is_not_in_it_is_guessed_by_its_script() -> None:
    assert width("я", 10) == 6.0
    assert width("語", 10) == 10.0


def test_text_that_is_too_long_ends_with_an_ellipsis() -> None:
    room = width("A table for…", 12)

    assert elide("A table for two", 12, room) == "A table for…"
    assert elide("A table", 12, room) == "A table"
    assert elide("A table for two", 12, 3) == ""


def test_the_fonts_are_small_enough_to_travel_with_every_page() -> None:
    assert sum(len(font_file(weight)) for weight in WEIGHTS) < 120_000
