from __future__ import annotations

from array import array
from random import Random

import pytest
from hypothesis import given, strategies as st

from agentvoice.batch_segments import BatchSegments, Part
from agentvoice.events import Transcript
from agentvoice.utterance import HeardWord

RATE = 1000


def segments(*, longest_s: float = 10.0, kept_s: float = 60.0) -> BatchSegments:
    return BatchSegments(RATE, shortest_s=0.1, longest_s=longest_s, kept_s=kept_s)


def speech(seconds: float, *, seed: int = 0) -> bytes:
    random = Random(seed)
    return array("h", [random.randrange(-9000, 9000) for _ in range(round(seconds * RATE))]).tobytes()


def pause(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def said(text: str, *, confidence: float | None = None, words: bool = False) -> Transcript:
    times = tuple(HeardWord(word, n, n + 1) for n, word in enumerate(text.split())) if words else ()
    return Transcript(text, final=True, confidence=confidence, words=times)


def taken(waiting: BatchSegments) -> Part:
    part = waiting.take()
    assert part is not None
    return part


def test_a_segment_is_understood_when_it_has_ended() -> None:
    waiting = segments()
    waiting.add(speech(1))
    assert waiting.take() is None

    waiting.end()
    part = taken(waiting)
    assert (part.pcm, part.start_s) == (speech(1), 0.0)
    assert waiting.answers() == []

    answer = Transcript("Hello.", final=True, confidence=0.8, alternatives=("Hallo.",), language="en")
    waiting.settle(part, answer)
    assert part.pcm == b"", "its audio is not kept"
    assert waiting.answers() == [answer]
    assert waiting.answers() == []


def test_what_is_empty_or_too_short_says_nothing_and_is_answered_at_once() -> None:
    waiting = segments()
    waiting.end()
    waiting.add(speech(0.09))
    waiting.end()

    assert waiting.take() is None
    assert waiting.answers() == [said(""), said("")]


def test_half_a_sample_joins_its_other_half_and_is_left_out_at_the_end() -> None:
    waiting = segments()
    pcm = speech(1)
    waiting.add(pcm[:501])
    waiting.add(pcm[501:] + b"x")
    waiting.end()

    assert taken(waiting).pcm == pcm


def test_answers_keep_the_order_of_their_segments() -> None:
    waiting = segments()
    for _ in range(2):
        waiting.add(speech(1))
        waiting.end()
    first, second = taken(waiting), taken(waiting)

    waiting.settle(second, said("two"))
    assert waiting.answers() == []
    waiting.settle(first, said("one"))
    assert waiting.answers() == [said("one"), said("two")]


def test_a_long_segment_is_cut_in_the_pause_that_is_nearest_its_longest() -> None:
    waiting = segments()
    for pcm in (speech(6), pause(0.3), speech(2), pause(0.3), speech(2)):
        waiting.add(pcm)

    assert len(taken(waiting).pcm) / 2 / RATE == pytest.approx(8.55, abs=0.1)


def test_a_pause_that_is_too_early_does_not_make_a_short_part() -> None:
    waiting = segments()
    for pcm in (speech(2), pause(0.3), speech(8)):
        waiting.add(pcm)

    assert len(taken(waiting).pcm) / 2 / RATE >= 5


def test_the_parts_of_a_segment_are_answered_as_one() -> None:
    waiting = segments()
    waiting.add(speech(9) + pause(0.5) + speech(2))
    waiting.end()
    first, second = taken(waiting), taken(waiting)

    waiting.settle(second, said("at seven", confidence=0.9, words=True))
    waiting.settle(first, said("a table", confidence=0.6, words=True))
    (answer,) = waiting.answers()

    at = second.start_s
    assert at == pytest.approx(9.25, abs=0.2)
    assert (answer.text, answer.confidence) == ("a table at seven", 0.6)
    assert answer.words == (
        HeardWord("a", 0, 1),
        HeardWord("table", 1, 2),
        HeardWord("at", at, at + 1),
        HeardWord("seven", at + 1, at + 2),
    )


def test_times_of_only_some_of_the_words_are_not_told() -> None:
    waiting = segments()
    waiting.add(speech(11))
    waiting.end()
    first, second = taken(waiting), taken(waiting)

    waiting.settle(first, Transcript("a table", final=True, alternatives=("a cable",)))
    waiting.settle(second, said("at seven", words=True))

    assert waiting.answers() == [said("a table at seven")]


def test_a_part_in_which_nobody_spoke_takes_nothing_from_the_others() -> None:
    waiting = segments()
    waiting.add(speech(11))
    waiting.end()

    waiting.settle(taken(waiting), said("a table", confidence=0.7, words=True))
    waiting.settle(taken(waiting), said("", confidence=0.1))

    assert waiting.answers() == [said("a table", confidence=0.7, words=True)]


def test_of_too_much_that_waits_the_oldest_is_given_up() -> None:
    waiting = segments(kept_s=3)
    for n in range(5):
        waiting.add(speech(1, seed=n))
        waiting.end()

    assert waiting.lost_s == 2.0
    assert waiting.answers() == [said(""), said("")]
    assert [taken(waiting).pcm for _ in range(3)] == [speech(1, seed=n) for n in (2, 3, 4)]


def test_one_part_is_kept_however_long_it_is() -> None:
    waiting = segments(kept_s=3)
    waiting.add(speech(9))
    waiting.end()

    assert len(taken(waiting).pcm) == 2 * 9 * RATE


def test_a_segment_that_grows_may_be_guessed_at_now_and_then() -> None:
    waiting = segments()
    waiting.add(speech(0.9))
    assert waiting.guessable(1.0) is None
    waiting.add(speech(0.1))

    guess = waiting.guessable(1.0)
    assert guess is not None
    assert len(guess.pcm) == 2 * RATE
    assert waiting.guessable(1.0) is None
    assert waiting.guessed(guess, said("a ta")) == Transcript("a ta", final=False)


def test_a_guess_says_the_whole_segment_as_far_as_it_is_known() -> None:
    waiting = segments()
    waiting.add(speech(11))
    waiting.settle(taken(waiting), said("a table"))

    guess = waiting.guessable(0.5)
    assert guess is not None
    assert waiting.guessed(guess, said("at sev")).text == "a table at sev"


def test_there_is_no_guessing_while_something_is_more_important() -> None:
    waiting = segments()
    waiting.add(speech(1))
    waiting.end()
    waiting.add(speech(2))
    assert waiting.guessable(1.0) is None

    part = taken(waiting)
    assert waiting.guessable(1.0) is None
    waiting.settle(part, said("one"))
    assert waiting.guessable(1.0) is not None


@given(st.lists(st.binary(max_size=9000), max_size=12), st.sampled_from([0.2, 1.0, 3.0]))
def test_the_parts_of_a_segment_are_its_audio_and_none_is_too_long(pieces: list[bytes], longest_s: float) -> None:
    waiting = BatchSegments(RATE, shortest_s=0, longest_s=longest_s, kept_s=1e6)
    for piece in pieces:
        waiting.add(piece)
    waiting.end()
    parts = list(iter(waiting.take, None))

    audio = b"".join(pieces)
    assert b"".join(part.pcm for part in parts) == audio[: len(audio) // 2 * 2]
    assert all(0 < len(part.pcm) <= 2 * RATE * longest_s for part in parts)
