"""The dialect of `/v2/listen`, on the messages that its documentation shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from agentvoice.errors import ProviderUnavailable
from agentvoice.events import (
    CallerTurnEnded,
    CallerTurnEvent,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    Transcript,
)
from agentvoice.utterance import HeardWord
from agentvoice_deepgram._flux import IDLE_S, Flux


def info(event: str, text: str = "", *, turn: int = 0, window: tuple[float, float] = (0.0, 2.0), **more: Any) -> str:
    """A `TurnInfo`, as the reference of the API shows it."""
    words = [
        {"word": word, "confidence": 0.9 - number / 100, "start": 1.0 + number / 2, "end": 1.4 + number / 2}
        for number, word in enumerate(text.split())
    ]
    return json.dumps(
        {
            "type": "TurnInfo",
            "request_id": "r",
            "sequence_id": 3,
            "event": event,
            "turn_index": turn,
            "audio_window_start": window[0],
            "audio_window_end": window[1],
            "transcript": text,
            "words": words,
            "end_of_turn_confidence": 0.4,
        }
        | more
    )


def flux(language: str = "en") -> Flux:
    return Flux(8000, language=language)


def told(flux: Flux, *messages: str | bytes) -> Sequence[CallerTurnEvent]:
    return [event for message in messages for event in flux.receive(message)]


def test_a_turn_from_its_start_to_its_end() -> None:
    connected = '{"type":"Connected","request_id":"r","sequence_id":0}'
    events = told(
        flux(),
        connected,
        info("Update"),
        info("StartOfTurn", "Hello"),
        info("Update", "Hello there"),
        info("Update", "Hello there"),
        info("EagerEndOfTurn", "Hello there."),
        info("TurnResumed", "Hello there."),
        info("Update", "Hello there, you"),
        info("EagerEndOfTurn", "Hello there, you."),
        info("EndOfTurn", "Hello there, you."),
        info("Update", turn=1),
    )
    *before, ended = events
    assert before == [
        CallerTurnStarted("Hello", 1.0),
        Transcript("Hello there", final=False, language="en"),
        CallerTurnLikely("Hello there."),
        CallerTurnResumed(),
        Transcript("Hello there, you", final=False, language="en"),
        CallerTurnLikely("Hello there, you."),
    ]
    assert ended == CallerTurnEnded(
        "Hello there, you.",
        0.88,
        (HeardWord("Hello", 1.0, 1.4, 0.9), HeardWord("there,", 1.5, 1.9, 0.89), HeardWord("you.", 2.0, 2.4, 0.88)),
        "en",
    )


def test_a_turn_without_words_yet_begins_where_the_audio_does_that_was_looked_at() -> None:
    assert told(flux(), info("StartOfTurn", window=(0.5, 0.9))) == [CallerTurnStarted("", 0.5)]


def test_words_of_a_turn_that_never_started_start_it() -> None:
    started, ended = told(flux(), info("EndOfTurn", "Hello."))
    assert started == CallerTurnStarted("Hello.", 1.0)
    assert isinstance(ended, CallerTurnEnded)


def test_what_comes_about_a_turn_that_has_ended_is_dropped() -> None:
    one = flux()
    told(one, info("StartOfTurn", "Hello"), info("EndOfTurn", "Hello."))
    assert told(one, info("Update", "Hello."), info("EndOfTurn", "Hello.")) == []
    assert told(one, info("StartOfTurn", "Yes", turn=1)) == [CallerTurnStarted("Yes", 1.0)]


def test_an_end_is_likely_once_until_the_turn_is_resumed() -> None:
    one = flux()
    told(one, info("StartOfTurn", "Hello"))
    eager = info("EagerEndOfTurn", "Hello.")
    assert told(one, eager, eager) == [CallerTurnLikely("Hello.")]
    assert told(one, info("EagerEndOfTurn", "Hello you.")) == [CallerTurnResumed(), CallerTurnLikely("Hello you.")]
    assert told(one, info("TurnResumed", "Hello you."), info("TurnResumed", "Hello you.")) == [CallerTurnResumed()]


def test_what_was_likely_of_one_turn_is_not_of_the_next() -> None:
    one = flux()
    told(one, info("StartOfTurn", "Hello"), info("EagerEndOfTurn", "Hello."), info("EndOfTurn", "Hello."))
    assert told(one, info("StartOfTurn", "Yes", turn=1), info("EagerEndOfTurn", "Yes.", turn=1)) == [
        CallerTurnStarted("Yes", 1.0),
        CallerTurnLikely("Yes."),
    ]


def test_a_turn_that_is_started_twice_has_started_once() -> None:
    events = told(flux(), info("StartOfTurn", "Hello"), info("StartOfTurn", "Hello you"))
    assert events == [CallerTurnStarted("Hello", 1.0), Transcript("Hello you", final=False, language="en")]


def test_the_language_is_the_one_that_was_heard() -> None:
    heard = info("EndOfTurn", "Guten Abend.", languages=["de", "en"], languages_hinted=["de"])
    ended = told(flux(language=""), info("StartOfTurn", "Guten"), heard)[-1]
    assert isinstance(ended, CallerTurnEnded)
    assert ended.language == "de"


def test_silence_that_was_put_in_is_not_counted() -> None:
    one = flux()
    one.idle()
    one.idle()
    one.feed(bytes(16000))
    one.idle()
    one.feed(bytes(16000))
    # the stream: 1.0 s of silence put in, 1.0 s fed, 0.5 s put in, 1.0 s fed
    words = [
        {"word": "early", "confidence": 1.0, "start": 0.5, "end": 1.25},
        {"word": "late", "confidence": 1.0, "start": 2.25, "end": 3.0},
    ]
    ended = told(one, info("StartOfTurn", "early"), info("EndOfTurn", "early late", words=words))[-1]
    assert isinstance(ended, CallerTurnEnded)
    assert [(word.start, word.end) for word in ended.words] == [(0.0, 0.25), (1.0, 1.5)]
    assert one.outbox.added_s == 2.0 + 3 * IDLE_S


def test_an_hour_of_nothing_is_remembered_as_one_gap() -> None:
    one = flux()
    for _ in range(7200):
        one.idle()
    assert one._filled == [(0.0, 3600.0)]


def test_words_without_times_are_left_out() -> None:
    words = [{"word": "Hello", "confidence": 0.5}]
    started, ended = told(flux(), info("EndOfTurn", "Hello", words=words, audio_window_start=None))
    assert started == CallerTurnStarted("Hello", None)
    assert ended == CallerTurnEnded("Hello", 0.5, (), "en")


def test_an_error_is_the_end_of_the_stream() -> None:
    error = '{"type":"Error","sequence_id":9,"code":"INTERNAL_SERVER_ERROR","description":"An internal error occurred"}'
    with pytest.raises(ProviderUnavailable, match="INTERNAL_SERVER_ERROR: An internal error occurred"):
        flux().receive(error)


@pytest.mark.parametrize(
    "odd",
    [
        "{",
        b"\xff",
        "[]",
        "[" * 5000,
        "{}",
        '{"type":"TurnInfo"}',
        '{"type":"TurnInfo","event":7,"transcript":null,"words":null}',
        '{"type":"TurnInfo","event":"StartOfTurn","transcript":7}',
        '{"type":"ConfigureSuccess","request_id":"r","thresholds":{},"keyterms":[],"sequence_id":1}',
        '{"type":"ConfigureFailure","request_id":"r","sequence_id":1}',
        '{"type":"Tomorrow"}',
    ],
)
def test_what_is_no_news_does_no_harm(odd: str | bytes) -> None:
    one = flux()
    assert told(one, odd) == []
    assert told(one, info("StartOfTurn", "Hello", novel=1), info("Tomorrow", "Hello you")) == [
        CallerTurnStarted("Hello", 1.0),
        Transcript("Hello you", final=False, language="en"),
    ]
