from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agentvoice.audio import TELEPHONE, AudioFormat, Encoding
from agentvoice.events import CallerAudio
from agentvoice.sequencer import FILL_S, Sequencer, Stretch

FRAME = 160


def frame(number: int, *, shift: int = 0) -> CallerAudio:
    """The `number`th 20 ms frame of a line, whose every sample is that number."""
    return CallerAudio(bytes([number]) * FRAME, number * FRAME + shift)


def receive(sequencer: Sequencer, *frames: CallerAudio, late_s: float = 0.0) -> list[Stretch]:
    """Frames that arrive as soon as they are spoken, or `late_s` later, on a clock that is 100 s ahead."""
    return [
        stretch
        for f in frames
        for stretch in sequencer.receive(f, now=100.0 + (f.start + len(f.audio)) / 8000 + late_s)
    ]


def numbers(stretches: list[Stretch]) -> list[int]:
    return [stretch.audio[0] for stretch in stretches]


def test_frames_in_order_pass_at_once_with_the_time_at_which_they_were_spoken() -> None:
    stretches = receive(Sequencer(TELEPHONE), frame(7), frame(8))

    assert numbers(stretches) == [7, 8]
    assert [s.at for s in stretches] == [pytest.approx(100.14), pytest.approx(100.16)]


def test_a_frame_that_comes_late_was_not_spoken_late() -> None:
    sequencer = Sequencer(TELEPHONE)
    receive(sequencer, frame(0))

    assert receive(sequencer, frame(1), late_s=0.3)[0].at == pytest.approx(100.02, abs=0.001)


def test_a_line_that_begins_late_is_corrected_by_its_first_quick_frame() -> None:
    sequencer = Sequencer(TELEPHONE)

    assert receive(sequencer, frame(0), late_s=0.3)[0].at == pytest.approx(100.30)
    assert receive(sequencer, frame(1))[0].at == pytest.approx(100.02)


def test_a_far_end_whose_clock_is_slow_is_followed() -> None:
    sequencer = Sequencer(TELEPHONE)
    for n in range(50 * 600):  # ten minutes, 50 parts per million slow
        start = n * FRAME
        list(sequencer.receive(CallerAudio(b"x" * FRAME, start), now=(start + FRAME) / 8000 * 1.00005))

    last = list(sequencer.receive(CallerAudio(b"x" * FRAME, 600 * 8000), now=600.02 * 1.00005))
    assert last[0].at == pytest.approx(600.03, abs=0.002)


def test_a_frame_that_comes_twice_is_heard_once() -> None:
    sequencer = Sequencer(TELEPHONE)

    assert numbers(receive(sequencer, frame(0), frame(1), frame(1), frame(0), frame(2))) == [0, 1, 2]
    assert sequencer.repeated == 2


def test_frames_that_overtake_are_put_back_in_order() -> None:
    sequencer = Sequencer(TELEPHONE)

    assert numbers(receive(sequencer, frame(0), frame(2), frame(1), frame(3))) == [0, 1, 2, 3]
    assert sequencer.lost == 0


def test_a_lost_frame_becomes_silence_of_its_length_once_it_is_given_up() -> None:
    sequencer = Sequencer(TELEPHONE)

    assert numbers(receive(sequencer, frame(0), frame(2), frame(3))) == [0]
    stretches = receive(sequencer, frame(4))

    assert [(s.audio[0], len(s.audio)) for s in stretches] == [(0xFF, 160), (2, 160), (3, 160), (4, 160)]
    assert [s.at for s in stretches] == [pytest.approx(100.02 + n * 0.02) for n in range(4)]
    assert sequencer.lost == FRAME


def test_a_long_gap_is_not_filled_to_its_full_length() -> None:
    sequencer = Sequencer(TELEPHONE)
    stretches = receive(sequencer, frame(0), *[CallerAudio(b"x" * FRAME, 40_000 + n * FRAME) for n in range(3)])

    assert len(stretches[1].audio) == FILL_S * 8000
    assert stretches[1].at == pytest.approx(100 + 5.0 - FILL_S)
    assert sequencer.lost == 40_000 - FRAME


def test_timestamps_rounded_by_the_far_end_are_no_gaps() -> None:
    sequencer = Sequencer(TELEPHONE)
    stretches = receive(sequencer, frame(0), frame(1, shift=8), frame(2, shift=-8), frame(3))

    assert numbers(stretches) == [0, 1, 2, 3]
    assert (sequencer.lost, sequencer.repeated) == (0, 0)


@pytest.mark.parametrize("restart", [0, 10_000_000])
def test_a_far_end_that_counts_anew_is_heard_on(restart: int) -> None:
    sequencer = Sequencer(TELEPHONE)
    list(sequencer.receive(CallerAudio(b"a" * FRAME, 200_000), now=50.0))

    [stretch] = sequencer.receive(CallerAudio(b"b" * FRAME, restart), now=51.0)

    assert stretch.audio == b"b" * FRAME
    assert stretch.at == pytest.approx(50.98)


def test_half_a_sample_and_empty_frames_are_left_out() -> None:
    sequencer = Sequencer(AudioFormat(Encoding.S16LE, 8000))

    assert list(sequencer.receive(CallerAudio(b"", 0), now=1.0)) == []
    assert list(sequencer.receive(CallerAudio(b"x", 0), now=1.0)) == []
    assert [s.audio for s in sequencer.receive(CallerAudio(b"abcde", 0), now=1.0)] == [b"abcd"]


@given(st.permutations(range(12)), st.sets(st.integers(0, 11)))
def test_whatever_order_frames_come_in_they_are_heard_forward_and_at_most_once(
    order: list[int], lost: set[int]
) -> None:
    sequencer = Sequencer(TELEPHONE)
    stretches = receive(sequencer, *[frame(n) for n in order if n not in lost])

    heard = [n for n in numbers(stretches) if n != 0xFF]
    assert heard == sorted(set(heard))
    assert not set(heard) & lost
