"""Where rows break."""

from dataclasses import replace
from itertools import pairwise

import pytest

from agentvoice.trace.staff import LEFT, RIGHT, WIDTH, clock, rows
from agentvoice.trace.story import Sound
from agentvoice.trace.telling import tell


@pytest.fixture(scope="module")
def story(booking):
    return tell(booking.trace)


def test_the_rows_cover_the_call_without_gap_or_overlap(story) -> None:
    found = rows(story, 40.0, 12.0)

    assert (found[0].start, found[-1].end) == (0.0, 40.0)
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(row.end - row.start <= 12.0 + 1e-9 for row in found)


def test_the_longest_row_fills_the_width(story) -> None:
    found = rows(story, 40.0, 12.0)

    assert max(row.x(row.end) for row in found) == pytest.approx(WIDTH - RIGHT)
    assert all(row.x(row.start) == LEFT for row in found)


def test_no_row_begins_in_the_middle_of_a_word_where_there_is_a_better_place(story) -> None:
    words = [word for turn in story.turns for word in turn.words if word.heard]

    for row in rows(story, 34.0, 13.0)[1:]:
        assert not any(word.start < row.start < word.end for word in words), row


def test_a_short_call_is_one_row(story) -> None:
    (row,) = rows(replace(story, turns=(), segments=(), barge_ins=()), 5.0, 12.0)

    assert (row.start, row.end) == (0.0, 5.0)
    assert len(rows(replace(story, turns=(), segments=(), barge_ins=()), 0.0, 12.0)) == 1


def test_speech_without_a_pause_breaks_late_rather_than_never(story) -> None:
    endless = replace(story, turns=(), barge_ins=(), segments=(Sound(0.0, 30.0),))

    assert len(rows(endless, 30.0, 12.0)) == 3


def test_the_last_row_is_no_stump(story) -> None:
    silent = replace(story, turns=(), segments=(), barge_ins=())

    assert min(row.end - row.start for row in rows(silent, 12.5, 12.0)) > 3


def test_a_row_knows_what_it_shows(story) -> None:
    row = rows(story, 40.0, 12.0)[1]

    assert row.has(row.start)
    assert not row.has(row.end)
    assert row.shows(row.start - 1, row.start + 1)
    assert not row.shows(row.end, row.end + 1)
    assert row.x(row.start - 5) == LEFT


def test_moments_are_written_as_people_read_them() -> None:
    assert [clock(at) for at in (0, 5.2, 65, 600)] == ["0:00", "0:05", "1:05", "10:00"]


def test_a_good_place_to_break_is_no_reason_for_a_stump(story) -> None:
    speech = (Sound(0.0, 0.85), Sound(1.15, 12.5))

    found = rows(replace(story, turns=(), barge_ins=(), segments=speech), 12.5, 12.0)

    assert min(row.end - row.start for row in found) > 3
