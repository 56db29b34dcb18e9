"""The dialect of `/v1/listen`, on the messages that its documentation shows."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st
from structlog.testing import capture_logs

from agentvoice.errors import ProviderUnavailable
from agentvoice.events import Transcript
from agentvoice.utterance import HeardWord
from agentvoice_deepgram._nova import ANSWER_S, FIRST_WORD_S, OPENING_S, Nova

SECOND = bytes(16000)
START = OPENING_S
"""Where the first segment begins, on the stream's clock."""


def result(start: float, end: float, text: str, *, final: bool = False, answer: bool = False, **more: Any) -> str:
    """A result, as the reference of the API shows it."""
    words = text.split()
    each = (end - start) / max(1, len(words))
    timed = [
        {
            "word": word.lower().strip(".,?"),
            "punctuated_word": word,
            "start": start + number * each,
            "end": start + (number + 1) * each,
            "confidence": 0.9,
        }
        for number, word in enumerate(words)
    ]
    reading = {"transcript": text, "confidence": 0.95 if text else 0.0, "words": timed} | more.pop("reading", {})
    return json.dumps(
        {
            "type": "Results",
            "channel_index": [0, 1],
            "start": start,
            "duration": end - start,
            "is_final": final,
            "speech_final": False,
            "from_finalize": answer,
            "channel": {"alternatives": [reading, *more.pop("others", [])]},
            "metadata": {"request_id": "r", "model_uuid": "u", "model_info": {"name": "general-nova-3"}},
        }
        | more
    )


def nova(*, language: str = "en") -> Nova:
    return Nova(8000, language=language)


def sent(nova: Nova) -> list[str | bytes]:
    messages = []
    while (message := nova.outbox.take()) is not None:
        messages.append(message)
    return messages


def spoken(nova: Nova, seconds: int = 1, *, now: float = 0.0) -> Sequence[Transcript]:
    """Feed a segment, and end it."""
    nova.feed(SECOND * seconds)
    return nova.finalize(now=now)


def finals(transcripts: Sequence[Transcript]) -> list[str]:
    return [transcript.text for transcript in transcripts if transcript.final]


# ------------------------------------------------------------------ what we say


def test_a_stream_begins_with_a_little_silence_so_that_it_can_be_kept_alive() -> None:
    one = nova()
    assert sent(one) == [bytes(round(START * 16000))]
    one.idle()
    assert sent(one) == ['{"type":"KeepAlive"}']


def test_a_segment_is_its_audio_and_a_finalize() -> None:
    one = nova()
    sent(one)
    assert spoken(one) == []
    *audio, finalize = sent(one)
    assert b"".join(message for message in audio if isinstance(message, bytes)) == SECOND
    assert finalize == '{"type":"Finalize"}'


# ------------------------------------------------------------------ one segment


def test_interim_results_are_partial_transcripts_each_in_place_of_the_one_before() -> None:
    one = nova()
    one.feed(SECOND * 2)
    texts = [
        [(transcript.text, transcript.final) for transcript in one.receive(message, now=0)]
        for message in (result(0, 1, "a table"), result(0, 1.2, "a table"), result(0, 2, ""), result(0, 2, "A table."))
    ]
    assert texts == [[("a table", False)], [], [], [("A table.", False)]]


def test_several_final_results_make_up_one_segment() -> None:
    one = nova()
    one.feed(SECOND * 3)
    assert one.receive(result(0, 1, "A table", final=True), now=0) == [one_of("A table", 0, 1)]
    (partial,) = one.receive(result(1, 2, "for two"), now=0)
    assert partial.text == "A table for two"
    one.finalize(now=0)
    assert finals(one.receive(result(1, 2, "for two", final=True), now=0)) == []

    (final,) = one.receive(result(2, 3 + START, "tonight.", final=True, answer=True), now=0)

    assert (final.text, final.final) == ("A table for two tonight.", True)
    assert [word.word for word in final.words] == ["A", "table", "for", "two", "tonight."]
    assert final.confidence == 0.95
    assert final.language == "en"


def one_of(text: str, start: float, end: float) -> Transcript:
    """A partial transcript of a segment that begins at `START`."""
    words = text.split()
    each = (end - start) / len(words)
    return Transcript(
        text,
        final=False,
        confidence=0.95,
        words=tuple(
            HeardWord(
                word,
                max(0.0, start + number * each - START),
                start + (number + 1) * each - START,
                0.9,
            )
            for number, word in enumerate(words)
        ),
        language="en",
    )


def test_words_count_from_the_first_sample_of_their_segment() -> None:
    one = nova()
    spoken(one, 2)
    one.receive(result(0, 2 + START, "Good evening.", final=True, answer=True), now=0)
    spoken(one)
    (final,) = one.receive(result(2 + START, 3 + START, "Hello.", final=True, answer=True), now=0)

    (word,) = final.words
    assert (word.word, word.start, word.end) == ("Hello.", pytest.approx(0), pytest.approx(1))


def test_a_segment_in_which_nobody_spoke_is_empty() -> None:
    one = nova()
    spoken(one)
    (final,) = one.receive(result(0, 1 + START, "", final=True, answer=True), now=0)
    assert final == Transcript("", final=True)


def test_the_language_is_the_one_that_was_heard() -> None:
    one = nova(language="multi")
    spoken(one)
    heard = result(0, 1 + START, "Guten Abend.", final=True, answer=True, reading={"languages": ["de"]})
    assert one.receive(heard, now=0)[0].language == "de"


def test_other_readings_are_alternatives() -> None:
    one = nova()
    spoken(one)
    others = [{"transcript": "a cable", "words": []}, {"transcript": ""}]
    (final,) = one.receive(result(0, 1 + START, "a table", final=True, answer=True, others=others), now=0)
    assert final.alternatives == ("a cable",)


# ------------------------------------------------------------------ answers, and those that do not come


def test_a_segment_whose_end_final_results_reach_is_over_without_an_answer() -> None:
    one = nova()
    spoken(one)
    assert finals(one.receive(result(0, 1 + START, "Hello.", final=True), now=0)) == ["Hello."]

    one.feed(SECOND)
    one.receive(result(1 + START, 2 + START, "Yes.", final=True), now=0)
    assert finals(one.finalize(now=0)) == ["Yes."]


def test_an_answer_that_comes_after_all_is_not_taken_for_the_next_one() -> None:
    one = nova()
    spoken(one)
    one.receive(result(0, 1 + START, "Hello.", final=True), now=0)
    spoken(one)

    assert one.receive(result(1 + START, 1 + START, "", final=True, answer=True), now=0) == []
    assert finals(one.receive(result(1 + START, 2 + START, "Yes.", final=True, answer=True), now=0)) == ["Yes."]


def test_a_result_about_a_later_segment_settles_those_before_it() -> None:
    one = nova()
    spoken(one)
    spoken(one)
    heard = one.receive(result(1 + START, 1.9 + START, "Yes."), now=0)

    assert [(transcript.text, transcript.final) for transcript in heard] == [("", True), ("Yes.", False)]
    assert finals(one.receive(result(1 + START, 2 + START, "Yes.", final=True, answer=True), now=0)) == ["Yes."]


def test_what_was_heard_so_far_is_the_final_when_no_answer_comes() -> None:
    one = nova()
    one.feed(SECOND * 2)
    one.receive(result(0, 1, "A table", final=True), now=1.0)
    one.receive(result(1, 2, "for two"), now=2.0)
    one.finalize(now=2.1)
    assert one.deadline == 2.1 + ANSWER_S
    assert one.handle_timer(now=2.2) == []

    assert finals(one.handle_timer(now=one.deadline)) == ["A table for two"]
    assert one.deadline == math.inf


def test_a_service_that_works_off_a_backlog_is_given_the_time() -> None:
    one = nova()
    spoken(one, 10, now=0.0)
    for second in range(1, 10):
        one.receive(result(0, second, "and so on"), now=second)
        assert one.deadline == second + ANSWER_S


def test_a_segment_that_nothing_is_said_about_is_empty_after_a_while() -> None:
    one = nova()
    spoken(one, now=5.0)
    assert one.deadline == 5.0 + FIRST_WORD_S
    assert finals(one.handle_timer(now=one.deadline)) == [""]


def test_a_service_that_says_nothing_about_two_segments_is_stuck() -> None:
    one = nova()
    spoken(one, now=0.0)
    one.handle_timer(now=10.0)
    spoken(one, now=11.0)
    with pytest.raises(ProviderUnavailable, match="said nothing about 2 segments"):
        one.handle_timer(now=20.0)


def test_one_that_speaks_between_two_such_segments_is_not() -> None:
    one = nova()
    spoken(one, now=0.0)
    assert finals(one.handle_timer(now=10.0)) == [""]
    spoken(one, now=11.0)
    one.receive(result(1 + START, 2 + START, "Yes.", final=True, answer=True), now=11.2)
    spoken(one, now=12.0)
    assert finals(one.handle_timer(now=20.0)) == [""]


def test_what_comes_about_a_segment_that_was_given_up_is_dropped() -> None:
    one = nova()
    spoken(one, now=0.0)
    assert finals(one.handle_timer(now=FIRST_WORD_S)) == [""]
    one.feed(SECOND)

    assert one.receive(result(0, 1 + START, "Hello.", final=True, answer=True), now=4.0) == []
    (partial,) = one.receive(result(1 + START, 2, "Yes."), now=4.1)
    assert partial.text == "Yes."


def test_a_segment_without_audio_needs_no_answer_but_waits_for_those_before_it() -> None:
    one = nova()
    assert one.finalize(now=0) == [Transcript("", final=True)]
    spoken(one)
    assert one.finalize(now=0) == []
    spoken(one)

    assert finals(one.receive(result(0, 1 + START, "Hello.", final=True, answer=True), now=0)) == ["Hello.", ""]
    assert finals(one.receive(result(1 + START, 2 + START, "Yes.", final=True, answer=True), now=0)) == ["Yes."]
    assert sent(one).count('{"type":"Finalize"}') == 2


def test_an_answer_that_nobody_asked_for_is_none() -> None:
    one = nova()
    one.feed(SECOND)
    assert finals(one.receive(result(0, 0, "", final=True, answer=True), now=0)) == []


def test_an_answer_without_a_window_is_the_next_one() -> None:
    one = nova()
    spoken(one)
    one.receive(result(0, 0.9, "Hello.", final=True), now=0)
    assert finals(one.receive(result(0, 0, "", final=True, answer=True), now=0)) == ["Hello."]


def test_an_answer_settles_the_segment_at_whose_end_it_is_and_not_the_next() -> None:
    one = nova()
    spoken(one)
    one.feed(SECOND[:4000])
    one.finalize(now=0)

    assert finals(one.receive(result(0, 1.03 + START, "Hello.", final=True, answer=True), now=0)) == ["Hello."]
    assert finals(one.receive(result(1 + START, 1.25 + START, "Yes.", final=True, answer=True), now=0)) == ["Yes."]


def test_an_answer_that_never_came_is_not_expected_beyond_the_next() -> None:
    one = nova()
    spoken(one)
    one.receive(result(0, 1 + START, "Hello.", final=True), now=0)
    spoken(one)
    one.receive(result(1 + START, 2 + START, "Yes.", final=True, answer=True), now=0)
    spoken(one)
    one.receive(result(2 + START, 2.9 + START, "Two.", final=True), now=0)

    assert finals(one.receive(result(0, 0, "", final=True, answer=True), now=0)) == ["Two."]


SEGMENTS = st.tuples(st.integers(0, 3), st.sampled_from(["answer", "final", "interim", "nothing"]), st.booleans())
"""Seconds, one word in each; what the service says about the last of them; whether it is a segment behind with that."""


@given(st.lists(SEGMENTS, max_size=8))
def test_every_finalize_has_one_answer_in_order_whatever_the_service_leaves_out(
    segments: list[tuple[int, str, bool]],
) -> None:
    one, said, expected = nova(), list[Transcript](), list[str]()
    coming: list[str] = []
    at, now = START, 0.0
    for number, (seconds, last, behind) in enumerate(segments):
        words = [f"{number}.{second}" for second in range(seconds)]
        kind = "answer" if last == "nothing" and seconds < 2 else last  # of two of those in a row it would despair
        one.feed(SECOND * seconds)
        coming += [result(at + n, at + n + 1, word, final=True) for n, word in enumerate(words[:-1])]
        said += one.finalize(now=now)
        at += seconds
        if words and kind == "nothing":
            words.pop()
        elif words:
            coming.append(result(at - 1, at, words[-1], final=kind != "interim", answer=kind == "answer"))
        expected.append(" ".join(words))
        while coming and not behind:
            said += one.receive(coming.pop(0), now=now)
    for message in coming:
        said += one.receive(message, now=now)
    while (now := one.deadline) < math.inf:
        said += one.handle_timer(now=now)

    assert finals(said) == expected


# ------------------------------------------------------------------ what nobody expects


@pytest.mark.parametrize(
    "odd",
    [
        "{",
        b"\xff",
        "[]",
        "null",
        "[" * 5000,
        "{}",
        '{"type":"Metadata","transaction_key":"deprecated","request_id":"r","sha256":"e3","created":"","duration":0.0,"channels":0}',
        '{"type":"SpeechStarted","channel":[0,1],"timestamp":9.54}',
        '{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.39}',
        '{"type":"Results"}',
        '{"type":"Results","channel":{"alternatives":[]}}',
        '{"type":"Results","start":"soon","channel":{"alternatives":[{}]}}',
        '{"type":"Tomorrow"}',
    ],
)
def test_what_is_no_result_does_no_harm(odd: str | bytes) -> None:
    one = nova()
    spoken(one)
    assert one.receive(odd, now=0) == []
    assert finals(one.receive(result(0, 1 + START, "Hello.", final=True, answer=True, novel=1), now=0)) == ["Hello."]


def test_an_error_is_told() -> None:
    error = '{"type":"Error","description":"Bad keyterms","message":"","variant":"KeytermsNotSupported"}'
    with capture_logs() as logs:
        assert nova().receive(error, now=0) == []
    assert [(line["event"], line["reason"]) for line in logs] == [("deepgram_error", "Bad keyterms")]


def test_words_without_times_are_left_out() -> None:
    one = nova()
    spoken(one)
    words = [{"word": "hello"}, {"word": "you", "start": 0.5, "end": 1.0}]
    heard = result(0, 1 + START, "Hello you", final=True, answer=True, reading={"words": words})
    (final,) = one.receive(heard, now=0)
    assert final.text == "Hello you"
    assert final.words == (HeardWord("you", pytest.approx(0.4), pytest.approx(0.9)),)
