"""What callers say, and what it means."""

from datetime import date, time

import pytest

from agentvoice.answers import (
    corrected,
    day,
    one_of,
    phone_number,
    spaced,
    spelled,
    time_of_day,
    whole_number,
    yes_or_no,
)

MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("Yes.", True),
        ("Yeah, that's right.", True),
        ("Okay.", True),
        ("That’s correct", True),
        ("No.", False),
        ("No, thanks.", False),
        ("That's wrong.", False),
        ("That is not right.", False),
        ("I don't think so.", False),
    ],
)
def test_a_yes_is_told_from_a_no(words: str, *, meant: bool) -> None:
    assert yes_or_no(words) is meant


@pytest.mark.parametrize("words", ["Well, maybe.", "The blue one.", "No, wait, yes.", ""])
def test_what_is_neither_yes_nor_no_is_asked_again(words: str) -> None:
    with pytest.raises(ValueError, match="say yes or no"):
        yes_or_no(words)


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ("At five, no, sorry, at six.", "at six."),
        ("Two. Actually, make it four.", "four."),
        ("No.", "No."),
        ("Nothing, thanks.", "Nothing, thanks."),
    ],
)
def test_who_takes_something_back_means_what_follows(words: str, rest: str) -> None:
    assert corrected(words) == rest


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("We are four.", 4),
        ("Twelve people", 12),
        ("Two, no wait, make it four people.", 4),
        ("7", 7),
        ("Four, or so", 4),
    ],
)
def test_a_number_is_understood(words: str, number: int) -> None:
    assert whole_number(1, 20)(words) == number


@pytest.mark.parametrize("words", ["A few.", "Two hundred.", "Zero."])
def test_a_number_that_does_not_fit_is_asked_again_with_the_limits(words: str) -> None:
    with pytest.raises(ValueError, match="a number from 1 to 20"):
        whole_number(1, 20)(words)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("five five five oh one double nine", "5550199"),
        ("It's 555 01 99.", "5550199"),
        ("Plus one, five five five, zero one zero zero", "+15550100"),
        ("triple five oh one oh oh", "5550100"),
        ("five five five oh one nine nine, no sorry, five five five oh one oh oh", "5550100"),
    ],
)
def test_a_telephone_number_is_understood_digit_by_digit(words: str, number: str) -> None:
    assert phone_number(words) == number


@pytest.mark.parametrize("words", ["five five", "I do not have one.", "1" * 16])
def test_what_is_no_telephone_number_is_asked_again(words: str) -> None:
    with pytest.raises(ValueError, match="digit by digit"):
        phone_number(words)


def test_a_number_is_read_back_in_groups() -> None:
    assert spaced("+15550100") == "plus 1 5 5, 5 0 1, 0 0"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("S, A, R, A, H.", "Sarah"),
        ("s as in sugar, a, double l, y", "Sally"),
        ("It's Meyer, M E Y E R", "Meyer"),
        ("I am Tom, and it's spelled M E Y E R.", "Meyer"),
        ("Sierra Mike India Tango Hotel", "Smith"),
        ("O apostrophe B R I E N", "O'Brien"),
        ("em, eye, el, el, ee, ar", "Miller"),
        ("S M Y T H. No, S M I T H.", "Smith"),
        ("A N N A hyphen L E N A", "Anna-Lena"),
    ],
)
def test_a_name_is_understood_letter_by_letter(words: str, name: str) -> None:
    assert spelled(words) == name


def test_a_name_that_was_not_spelled_is_asked_for_again() -> None:
    with pytest.raises(ValueError, match="letter by letter"):
        spelled("Sarah Johnson.")


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        ("The small one please.", "small"),
        ("Large. No, small.", "small"),
        ("smal", "small"),
        ("A large", "large"),
    ],
)
def test_one_of_a_few_is_understood(words: str, choice: str) -> None:
    assert one_of("small", "large")(words) == choice


def test_who_names_none_of_them_is_told_what_there_is() -> None:
    with pytest.raises(ValueError, match="You can say small, medium or large"):
        one_of("small", "medium", "large")("The blue one.")
    with pytest.raises(ValueError, match="You can say continue"):
        one_of("continue")("Hm.")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("Tomorrow.", date(2026, 11, 24)),
        ("On Friday, please.", date(2026, 11, 27)),
        ("Today, no, tomorrow.", date(2026, 11, 24)),
        ("The third of December.", date(2026, 12, 3)),
        ("December fifth", date(2026, 12, 5)),
    ],
)
def test_a_day_is_understood(words: str, meant: date) -> None:
    assert day(MONDAY)(words) == meant


def test_what_is_no_day_is_asked_again() -> None:
    with pytest.raises(ValueError, match="Which day"):
        day(MONDAY)("A table for four.")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("At seven.", time(19)),
        ("Seven thirty", time(19, 30)),
        ("Half past seven.", time(19, 30)),
        ("A quarter to eight", time(19, 45)),
        ("Eight o'clock", time(20)),
        ("7 p.m.", time(19)),
        ("19:30", time(19, 30)),
        ("At five, no, at six.", time(18)),
        ("Twenty past nine", time(21, 20)),
    ],
)
def test_a_time_is_the_one_that_fits_the_opening_hours(words: str, meant: time) -> None:
    assert time_of_day(time(17), time(23))(words) == meant


def test_noon_is_a_time() -> None:
    assert time_of_day(time(9), time(17))("At noon.") == time(12)
    assert time_of_day(time(9), time(17))("Ten a.m.") == time(10)


@pytest.mark.parametrize("words", ["At four a.m.", "Later.", "At noon."])
def test_a_time_outside_them_is_asked_again(words: str) -> None:
    with pytest.raises(ValueError, match="between 17 o'clock and 22:30"):
        time_of_day(time(17), time(22, 30))(words)
