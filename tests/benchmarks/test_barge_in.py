from math import nan

from benchmarks.barge_in import on_the_way, row


def test_each_clear_is_measured_from_its_own_decision() -> None:
    assert on_the_way({"a": [1.0, 2.0], "b": [5.0], "c": [7.0]}, {"a": [1.5, 2.25], "b": [5.125]}) == [0.5, 0.25, 0.125]


def test_a_row_has_a_ratio_where_there_is_something_to_divide_by() -> None:
    assert row("a", 2.0, 3.0).split() == ["a", "2.00", "3.00", "1.50"]
    assert row("a", nan, 3.0).split() == ["a", "-", "3.00", "-"]
