from hypothesis import given, strategies as st

from agentvoice.testing.carrier import Carrier, Piece, Played
from agentvoice.testing.weather import Weather

FRAME = b"\x10" * 160
AUDIO = st.integers(0, 500).map(lambda size: bytes(n % 251 for n in range(size)))


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

    assert carrier.played == [Played(0, 160), Played(320, 160, position=160)]


def test_what_is_played_after_a_clear_is_a_stretch_of_its_own_though_no_frame_lies_between() -> None:
    carrier = Carrier()
    carrier.receive_audio(FRAME * 5)
    carrier.tick()
    carrier.receive_clear()
    carrier.receive_audio(FRAME)
    carrier.tick()

    assert carrier.played == [Played(0, 160), Played(160, 160, position=800)]


def test_of_each_message_it_is_known_when_it_was_played() -> None:
    carrier = Carrier()
    carrier.receive_audio(FRAME + FRAME[:80])
    carrier.receive_audio(FRAME * 3)
    carrier.receive_audio(FRAME)
    for _ in range(3):
        carrier.tick()
    carrier.receive_clear()
    carrier.tick()
    carrier.receive_audio(FRAME)
    carrier.tick()

    assert carrier.pieces[1] == Piece(position=240, size=480, arrived=0)
    assert [carrier.heard(piece) for piece in carrier.pieces] == [(0, 240), (240, 480), None, (640, 800)]


def test_marks_may_be_late_or_never_come() -> None:
    late, never = Carrier(weather=Weather(late_marks_s=0.04)), Carrier(weather=Weather(lost_marks=1.0))
    for carrier in (late, never):
        carrier.receive_audio(FRAME)
        carrier.receive_mark("a")

    assert [late.tick()[1] for _ in range(3)] == [[], [], ["a"]]
    assert [never.tick()[1] for _ in range(3)] == [[], [], []]


def test_a_line_that_dies_says_nothing_of_it() -> None:
    carrier = Carrier(weather=Weather(dies_at_s=0.04))
    carrier.receive_audio(FRAME * 5)
    carrier.receive_mark("a")

    frames = [(*carrier.tick(), carrier.carry(FRAME)) for _ in range(10)]

    assert [len(arrived) for _, _, arrived in frames] == [1, 1] + [0] * 8
    assert [frame for frame, _, _ in frames] == [FRAME] * 2 + [b"\xff" * 160] * 8
    assert not any(marks for _, marks, _ in frames)
    assert carrier.dead
    assert carrier.played == [Played(0, 320)]


def test_lost_frames_of_the_agent_s_are_silence_and_known() -> None:
    carrier = Carrier(weather=Weather(loss=0.3, seed=7))
    carrier.receive_audio(FRAME * 1000)
    frames = [carrier.tick()[0] for _ in range(1000)]

    assert frames.count(b"\xff" * 160) * 160 == carrier.lost
    assert 200 < carrier.lost / 160 < 400
    assert sum(stretch.size for stretch in carrier.played) + carrier.lost == 160_000
    assert carrier.buffered_s == 0


def test_lost_frames_of_the_caller_s_leave_a_gap_in_their_numbers() -> None:
    carrier = Carrier(weather=Weather(loss=0.3, seed=7))
    numbers = [number for _ in range(1000) for number, _ in carrier.carry(FRAME)]

    assert 600 < len(numbers) < 800
    assert numbers == sorted(set(numbers))


def test_jitter_delays_and_never_overtakes() -> None:
    carrier = Carrier(weather=Weather(jitter_s=0.1, seed=3))
    arrivals = [[number for number, _ in carrier.carry(FRAME)] for _ in range(1000)]
    delays = [tick - number for tick, numbers in enumerate(arrivals) for number in numbers]

    assert [number for numbers in arrivals for number in numbers] == list(range(len(delays)))
    assert len(delays) >= 995
    assert (min(delays), max(delays)) == (0, 5)


def test_a_clear_that_is_late_silences_late_and_everything_that_came_before_it() -> None:
    carrier = Carrier(weather=Weather(jitter_s=0.2, seed=2))
    carrier.receive_audio(FRAME * 50)
    carrier.receive_mark("a")
    carrier.receive_clear()
    ticks = [carrier.tick() for _ in range(20)]

    assert [marks for _, marks in ticks if marks] == [["a"]]
    assert carrier.played[0].size + carrier.cleared == 8000
    assert carrier.played[0].size > 160


def test_the_same_seed_gives_the_same_line() -> None:
    def line(seed: int) -> list[object]:
        carrier = Carrier(weather=Weather(jitter_s=0.1, loss=0.1, late_marks_s=0.06, lost_marks=0.5, seed=seed))
        log: list[object] = []
        for number in range(200):
            carrier.receive_audio(FRAME)
            carrier.receive_mark(str(number))
            log += [carrier.carry(FRAME), carrier.tick()]
        return log

    assert line(5) == line(5)
    assert line(5) != line(6)


@given(
    st.lists(AUDIO | st.none() | st.text(max_size=3), max_size=50),
    st.builds(Weather, jitter_s=st.sampled_from([0, 0.1]), loss=st.sampled_from([0, 0.2]), seed=st.integers(0, 99)),
)
def test_every_byte_is_played_cleared_or_lost_once_and_every_mark_comes_back(
    steps: list[bytes | str | None], weather: Weather
) -> None:
    carrier, sent, marks = Carrier(weather=weather), b"", list[str]()
    recording = b""

    def tick() -> None:
        nonlocal recording
        frame, returned = carrier.tick()
        recording += frame
        marks.extend(returned)

    for step in steps:
        match step:
            case None:
                carrier.receive_clear()
            case str():
                carrier.receive_mark(step)
            case bytes():
                carrier.receive_audio(step)
                sent += step
        tick()
    for _ in range(250):
        tick()

    assert sum(stretch.size for stretch in carrier.played) + carrier.cleared + carrier.lost == len(sent)
    for played in carrier.played:
        assert recording[played.start :][: played.size] == sent[played.position :][: played.size]
    assert marks == [step for step in steps if isinstance(step, str)]
    assert carrier.buffered_s == 0
