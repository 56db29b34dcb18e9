"""Every event and every command goes to JSON and comes back as it was."""

from dataclasses import fields
from typing import get_args

import msgspec
import pytest

from agentvoice import commands, events
from agentvoice.commands import Evidence, HeardText, SendAudio, TurnClosed, TurnState
from agentvoice.events import AudioReceived, BargeIn, BargeInKind, KeyPressed, SpeechStarted, Transcript, WordsReceived
from agentvoice.trace.codec import COMMANDS, EVENTS, Keep, Unknown, facts, value

CLOSED = TurnClosed(
    "t1",
    "c1",
    TurnState.INTERRUPTED,
    "one two three",
    HeardText("one two", 1.5, Evidence.MARKS, 0.2, complete=False),
    {"opened": 5.1, "first_token": 5.25},
    "cut",
)

SAMPLES = [
    SpeechStarted(1.25),
    Transcript("hello there", final=True, confidence=0.5),
    Transcript("hel", final=False),
    BargeIn(BargeInKind.ONSET, "voice", "wait"),
    AudioReceived("c1", b"\x01\x02"),
    WordsReceived("c1", (("Hello", 0.0, 0.4), ("there", 0.5, 0.9))),
    KeyPressed("#"),
    CLOSED,
    SendAudio("c1", b"\x01\x02"),
]


def through_json(plain):
    return msgspec.json.decode(msgspec.json.encode(plain))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_what_is_kept_whole_comes_back_equal(sample) -> None:
    kinds = EVENTS if type(sample).__name__ in EVENTS else COMMANDS

    assert value(kinds, type(sample).__name__, through_json(facts(sample, Keep.AUDIO))) == sample


def test_audio_that_is_not_kept_comes_back_in_its_length() -> None:
    plain = through_json(facts(AudioReceived("c1", b"\x01\x02\x03")))

    assert plain["audio"] == {"size": 3, "sha": "5f76d39b"}
    assert value(EVENTS, "AudioReceived", plain).audio == bytes(3)


def test_a_trace_without_words_holds_a_dot_for_each() -> None:
    assert facts(Transcript("my card is 4929", final=True), Keep.SHAPE)["text"] == "· · · ·"
    assert facts(KeyPressed("7"), Keep.SHAPE) == {"key": "·"}
    assert through_json(facts(SAMPLES[5], Keep.SHAPE))["words"] == [["·", 0.0, 0.4], ["·", 0.5, 0.9]]
    assert facts(BargeIn(BargeInKind.CONFIRM, "voice"), Keep.SHAPE)["words"] == ""


def test_a_trace_without_words_keeps_what_was_heard_in_seconds() -> None:
    plain = facts(CLOSED, Keep.SHAPE)

    assert plain["generated"] == "· · ·"
    assert plain["heard"] == {"text": "· ·", "seconds": 1.5, "evidence": "marks", "bound_s": 0.2, "complete": False}
    assert facts(TurnClosed("t", "c", TurnState.WITHDRAWN, "", None, {}), Keep.SHAPE)["heard"] is None


def test_a_trace_without_words_has_no_digest_by_which_audio_could_be_known() -> None:
    assert facts(AudioReceived("c1", b"\x01"), Keep.SHAPE)["audio"] == {"size": 1}


def test_what_is_not_known_is_kept_as_it_is() -> None:
    assert value(EVENTS, "Sneezed", {"loud": True}) == Unknown("Sneezed", {"loud": True})


def test_a_known_kind_of_another_shape_is_not_known() -> None:
    assert value(EVENTS, "SpeechStarted", {"when": 1}) == Unknown("SpeechStarted", {"when": 1})
    assert value(EVENTS, "AudioReceived", {"context_id": "c", "audio": {"size": "x"}}).kind == "AudioReceived"


def test_no_field_has_a_name_that_the_log_uses_itself() -> None:
    kinds = [*get_args(events.Event), *get_args(commands.Command)]

    assert not {item.name for kind in kinds for item in fields(kind)} & {"t", "now", "in", "out"}
