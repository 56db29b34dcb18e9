from hypothesis import given, strategies as st

from agentvoice.testing.carrier import Carrier, Played

FRAME = b"\x10" * 160


def test_a_frame_a_tick_is_played_in_order_and_then_silence() -> None:
    carrier = Carrier()
    carrier.receive_audio(b"\x01" * 160 + b"\x02" * 80)

    assert [carrier.tick()[0] for _ in range(3)] == [b"\x01" * 160, b"\x02" * 80 + b"\xff" * 80, b"\xff" * 160]
    assert carrier.played == [Played(0, 240)]


def test_a_mark_comes_back_when_everything_before_it_was_played() -> None:
    carrier = Carrier()
    carrier.receive_audio(FRAME + FRAME)
    carrier.receive_mark("a")
    carrier.receive_audio(FRAME)
    carrier.receive_mark("b")

    assert [carrier.tick()[1] for _ in range(4)] == [[], ["a"], ["b"], []]


def test_a_mark_with_nothing_before_it_comes_back_at_once() -> None:
    carrier = Carrier()
    carrier.receive_mark("a")

    assert carrier.tick()[1] == ["a"]


def test_a_clear_silences_and_returns_all_marks() -> None:
    carrier = Carrier()
    carrier.receive_audio(FRAME * 10)
    carrier.receive_mark("a")
    carrier.tick()

    carrier.receive_clear()

    assert carrier.tick() == (b"\xff" * 160, ["a"])
    assert carrier.cleared == 9 * 160
    assert carrier.played == [Played(0, 160)]


def test_what_is_played_after_a_pause_is_a_stretch_of_its_own() -> None:
    carrier = Carrier()
    carrier.receive_audio(FRAME)
    carrier.tick()
    carrier.tick()
    carrier.receive_audio(FRAME)
    carrier.tick()

    assert carrier.played == [Played(0, 160), Played(320, 160)]


def test_marks_may_be_late_or_never_come() -> None:
    late, never = Carrier(mark_delay=2), Carrier(returns_marks=False)
    for carrier in (late, never):
        carrier.receive_audio(FRAME)
        carrier.receive_mark("a")

    assert [late.tick()[1] for _ in range(3)] == [[], [], ["a"]]
    assert [never.tick()[1] for _ in range(3)] == [[], [], []]


@given(st.lists(st.binary(max_size=500) | st.none(), max_size=50))
def test_every_byte_is_played_or_cleared_once(steps: list[bytes | None]) -> None:
    carrier, sent = Carrier(), 0
    for step in steps:
        if step is None:
            carrier.receive_clear()
        else:
            carrier.receive_audio(step)
            sent += len(step)
        carrier.tick()
    for _ in range(200):
        carrier.tick()

    assert sum(stretch.size for stretch in carrier.played) + carrier.cleared == sent
    assert carrier.buffered_s == 0
