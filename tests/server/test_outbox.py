"""What a `clear` does to what waits."""

from __future__ import annotations

from hypothesis import given, strategies as st

from agentvoice.server.outbox import Audio, Clear, Item, Mark, Outbox


def drained(outbox: Outbox) -> list[Item]:
    items = []
    while (item := outbox.take()) is not None:
        items.append(item)
    return items


def test_what_is_queued_comes_out_in_order() -> None:
    outbox = Outbox()
    for item in (Audio(b"a"), Mark("1"), Audio(b"b")):
        outbox.put(item)

    assert len(outbox) == 3
    assert drained(outbox) == [Audio(b"a"), Mark("1"), Audio(b"b")]
    assert outbox.take() is None


def test_a_clear_overtakes_what_is_queued_and_drops_it_with_its_marks() -> None:
    outbox = Outbox()
    for item in (Audio(b"old"), Mark("old"), Clear(), Audio(b"new"), Mark("new")):
        outbox.put(item)

    assert drained(outbox) == [Clear(), Audio(b"new"), Mark("new")]


def test_two_clears_are_one() -> None:
    outbox = Outbox()
    for item in (Audio(b"old"), Clear(), Mark("late"), Clear()):
        outbox.put(item)

    assert drained(outbox) == [Clear()]


def test_after_the_hang_up_what_is_queued_is_still_sent_and_nothing_more_is_taken() -> None:
    outbox = Outbox()
    outbox.put(Audio(b"goodbye"))
    outbox.close()
    outbox.put(Audio(b"too late"))

    assert drained(outbox) == [Audio(b"goodbye")]


ITEMS = st.one_of(st.binary(max_size=3).map(Audio), st.text(max_size=3).map(Mark), st.just(Clear()))


@given(st.lists(ITEMS))
def test_nothing_from_before_the_last_clear_is_ever_sent(items: list[Item]) -> None:
    outbox = Outbox()
    for item in items:
        outbox.put(item)

    last = max((at for at, item in enumerate(items) if item == Clear()), default=0)
    assert drained(outbox) == items[last:]
