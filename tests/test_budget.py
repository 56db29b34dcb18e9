from hypothesis import given, strategies as st

from agentvoice.budget import Budget, Weighed, count_roughly, fit

BUDGET = Budget(max_tokens=100, keep=0.5)


def test_four_characters_are_about_a_token() -> None:
    assert [count_roughly(text) for text in ("", "a", "four", "fives")] == [0, 1, 1, 2]


def test_what_fits_stays() -> None:
    assert fit([Weighed(0, "user", 50), Weighed(1, "tool", 40)], BUDGET, fixed=10) == set()


def test_the_oldest_tool_results_go_first_then_the_oldest_words_then_facts() -> None:
    entries = [Weighed(0, "system", 20), Weighed(1, "user", 20), Weighed(2, "tool", 20), Weighed(3, "assistant", 20)]
    entries += [Weighed(4, "tool", 20), Weighed(5, "user", 10)]

    assert fit(entries, Budget(100, keep=0.9), fixed=0) == {2}
    assert fit(entries, Budget(100, keep=0.7), fixed=0) == {2, 4}
    assert fit(entries, Budget(100, keep=0.5), fixed=0) == {2, 4, 1}
    assert fit(entries, Budget(100, keep=0.3), fixed=0) == {2, 4, 1, 3}
    assert fit(entries, Budget(100, keep=0.0), fixed=0) == {2, 4, 1, 3, 5, 0}


def test_what_is_needed_stays_whatever_the_budget_says() -> None:
    assert fit([Weighed(0, "user", 500, needed=True), Weighed(1, "tool", 1)], BUDGET, fixed=1000) == {1}


@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant", "tool", "system"]), st.integers(0, 60)), max_size=30),
    st.integers(0, 200),
)
def test_what_is_left_fits_or_only_what_is_needed_is_left(entries: list[tuple[str, int]], fixed: int) -> None:
    weighed = [Weighed(i, role, size, needed=i == len(entries) - 1) for i, (role, size) in enumerate(entries)]
    left_out = fit(weighed, BUDGET, fixed=fixed)
    left = [each for each in weighed if each.index not in left_out]

    assert fixed + sum(each.tokens for each in left) <= 100 or all(each.needed for each in left)
    assert all(each in left for each in weighed if each.needed)
