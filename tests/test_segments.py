from __future__ import annotations

import math

from agentvoice.events import Transcript
from agentvoice.segments import FINALIZE, KEPT_S, LATE_S, PATIENCE_S, STALLED_S, Pour, Segments
from agentvoice.utterance import HeardWord


def segments() -> Segments:
    return Segments(bytes_per_second=10)


def take_all(waiting: Segments) -> list[Pour]:
    return list(iter(waiting.take, None))


def said(text: str, *, final: bool = True) -> Transcript:
    return Transcript(text, final=final)


def with_segment(waiting: Segments, *pieces: bytes, ended_at: float) -> Segments:
    waiting.begin(pieces[0], at=0.0)
    for piece in pieces[1:]:
        waiting.add(piece)
    waiting.end(ended_at)
    return waiting


def test_a_segment_is_poured_piece_by_piece_and_finalized_when_it_ends() -> None:
    waiting = segments()
    waiting.begin(b"pre-roll", at=0.0)
    assert take_all(waiting) == [b"pre-roll"]
    waiting.add(b"hel")
    assert take_all(waiting) == [b"hel"]
    waiting.add(b"lo")
    waiting.end(1.0)
    assert take_all(waiting) == [b"lo", FINALIZE]
    assert take_all(waiting) == []


def test_segments_that_wait_for_a_recogniser_are_poured_in_order() -> None:
    waiting = with_segment(with_segment(segments(), b"a", ended_at=1.0), b"b", b"c", ended_at=2.0)

    assert take_all(waiting) == [b"a", FINALIZE, b"b", b"c", FINALIZE]
    assert waiting.owed == 2


def test_transcripts_are_passed_on_and_the_final_one_settles_the_segment() -> None:
    waiting = with_segment(segments(), b"a", ended_at=1.0)
    take_all(waiting)

    assert waiting.receive(said("hel", final=False)) == said("hel", final=False)
    assert waiting.receive(said("hello")) == said("hello")
    assert (waiting.owed, waiting.deadline, waiting.stalled_at) == (0, math.inf, math.inf)


def test_an_overdue_segment_gets_its_last_partial_for_a_final_transcript() -> None:
    waiting = with_segment(segments(), b"a", ended_at=1.0)
    take_all(waiting)
    waiting.receive(said("a table for", final=False))

    assert waiting.deadline == 1.0 + PATIENCE_S
    assert waiting.handle_timer(now=waiting.deadline - 0.01) == []
    assert waiting.handle_timer(now=waiting.deadline) == [said("a table for")]
    assert waiting.handle_timer(now=99) == []


def test_what_comes_for_a_segment_that_was_given_up_is_never_taken_for_the_next_ones() -> None:
    waiting = with_segment(segments(), b"a", ended_at=1.0)
    take_all(waiting)
    waiting.handle_timer(now=1.0 + LATE_S)
    with_segment(waiting, b"b", ended_at=5.5)
    take_all(waiting)

    assert waiting.receive(said("late par", final=False)) is None
    assert waiting.receive(said("late")) is None
    assert waiting.receive(said("second")) == said("second")


def test_every_segment_of_a_silent_recogniser_gets_a_final_transcript_in_time() -> None:
    waiting = with_segment(with_segment(segments(), b"a", ended_at=1.0), b"b", ended_at=2.0)

    assert waiting.handle_timer(now=1.0 + LATE_S) == [said("")]
    assert waiting.deadline == 2.0 + LATE_S
    assert waiting.handle_timer(now=2.0 + LATE_S) == [said("")]


def test_a_final_transcript_that_nobody_asked_for_is_ignored() -> None:
    waiting = segments()
    assert waiting.receive(said("from nowhere")) is None

    waiting.begin(b"a", at=0.0)
    take_all(waiting)
    assert waiting.receive(said("too early")) is None
    waiting.end(1.0)
    take_all(waiting)
    assert waiting.receive(said("in time")) == said("in time")


def test_a_new_recogniser_is_given_everything_that_is_still_worth_an_answer() -> None:
    waiting = with_segment(segments(), b"old", ended_at=1.0)
    take_all(waiting)
    waiting.handle_timer(now=1.0 + LATE_S)
    with_segment(waiting, b"a", b"b", ended_at=6.0)
    waiting.begin(b"c", at=0.0)
    take_all(waiting)

    waiting.rewind()

    assert take_all(waiting) == [b"a", b"b", FINALIZE, b"c"]


def test_a_recogniser_that_owes_an_answer_for_long_is_taken_for_broken() -> None:
    waiting = with_segment(segments(), b"a", ended_at=1.0)

    assert waiting.stalled_at == 1.0 + STALLED_S
    waiting.handle_timer(now=1.0 + STALLED_S)
    waiting.rewind()
    assert waiting.stalled_at == math.inf


def test_nobody_is_late_while_the_caller_still_speaks() -> None:
    waiting = segments()
    waiting.begin(b"a", at=0.0)

    assert (waiting.deadline, waiting.stalled_at, waiting.owed) == (math.inf, math.inf, 0)
    assert waiting.handle_timer(now=1e9) == []


def test_of_endless_speech_the_oldest_is_forgotten_and_counted_if_it_was_never_poured() -> None:
    waiting = segments()
    waiting.begin(b"0123456789", at=0.0)
    for _ in range(int(KEPT_S) + 4):
        waiting.add(b"0123456789")

    assert waiting.lost == 50
    assert len(take_all(waiting)) == KEPT_S


def test_what_the_recogniser_had_before_it_was_forgotten_is_not_lost() -> None:
    waiting = segments()
    waiting.begin(b"0123456789", at=0.0)
    for _ in range(int(KEPT_S) + 4):
        waiting.add(b"0123456789")
        take_all(waiting)
    waiting.add(b"the last one")

    assert waiting.lost == 0
    assert take_all(waiting) == [b"the last one"]


def test_words_are_put_on_the_clock_of_their_segment() -> None:
    waiting = segments()
    waiting.begin(b"a", at=7.0)
    waiting.end(8.0)
    take_all(waiting)

    heard = waiting.receive(Transcript("yes", final=True, words=(HeardWord("yes", 0.25, 0.5, 0.9),)))

    assert heard == Transcript("yes", final=True, words=(HeardWord("yes", 7.25, 7.5, 0.9),))


def test_a_segment_whose_beginning_was_forgotten_begins_later() -> None:
    waiting = segments()
    waiting.begin(b"0123456789", at=7.0)  # a second
    for _ in range(int(KEPT_S)):
        waiting.add(b"0123456789")
    waiting.end(40.0)
    take_all(waiting)

    heard = waiting.receive(Transcript("yes", final=True, words=(HeardWord("yes", 0.0, 0.5),)))

    assert heard is not None
    assert heard.words[0].start == 8.0
