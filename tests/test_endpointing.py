import math

import pytest

from agentvoice.commands import UtteranceEnded
from agentvoice.endpointing import Endpointer, Endpointing, UtteranceLikely, UtteranceResumed
from agentvoice.events import SpeechStarted, SpeechStopped, Transcript


def spoken(*segments: tuple[float, float, str], patience: Endpointing | None = None) -> Endpointer:
    """An endpointer that heard segments of speech, each understood at once."""
    endpointer = Endpointer(patience or Endpointing())
    for start, stop, text in segments:
        endpointer.receive(SpeechStarted(start))
        endpointer.receive(SpeechStopped(stop))
        endpointer.receive(Transcript(text, final=True, confidence=0.9))
    return endpointer


def test_an_utterance_ends_when_the_silence_has_lasted() -> None:
    endpointer = spoken((1.0, 2.0, "A table for two."), patience=Endpointing(silence_s=0.5))

    assert endpointer.handle_timer(now=2.49) == []
    assert endpointer.handle_timer(now=2.5) == [UtteranceEnded("A table for two.", 1.0, 2.0, 0.9)]
    assert endpointer.idle
    assert endpointer.deadline == math.inf


def test_it_is_likely_over_as_soon_as_it_is_understood() -> None:
    endpointer = Endpointer()
    endpointer.receive(SpeechStarted(1.0))
    assert endpointer.receive(SpeechStopped(2.0)) == []

    assert endpointer.receive(Transcript("Hello.", final=True)) == [UtteranceLikely("Hello.")]
    assert endpointer.likely == "Hello."


def test_the_same_words_are_likely_once() -> None:
    endpointer = spoken((1.0, 2.0, "Hello."))
    endpointer._owed = 1

    assert endpointer.receive(Transcript("", final=True)) == []


def test_speech_that_goes_on_makes_it_unlikely_again_and_is_one_utterance() -> None:
    endpointer = spoken((1.0, 2.0, "A table for two."))

    assert endpointer.receive(SpeechStarted(2.3)) == [UtteranceResumed()]
    assert endpointer.likely == ""
    endpointer.receive(SpeechStopped(3.0))
    endpointer.receive(Transcript("Tonight.", final=True))

    assert endpointer.handle_timer(now=9) == [UtteranceEnded("A table for two. Tonight.", 1.0, 3.0, None)]


@pytest.mark.parametrize(
    "text", ["I would like a table and", "My name is", "Um", "On the third, ", "Well...", "hold on"]
)
def test_words_that_are_not_an_end_are_waited_for(text: str) -> None:
    endpointer = spoken((1.0, 2.0, text), patience=Endpointing(silence_s=0.5, patience_s=1.4))

    assert endpointer.likely == ""
    assert endpointer.deadline == pytest.approx(3.4)


def test_a_recogniser_that_is_late_is_waited_for_and_then_the_partial_has_to_do() -> None:
    endpointer = Endpointer(Endpointing(transcript_s=1.5))
    endpointer.receive(SpeechStarted(1.0))
    endpointer.receive(Transcript("Hello the", final=False))
    endpointer.receive(SpeechStopped(2.0))

    assert endpointer.handle_timer(now=3.4) == []
    assert endpointer.handle_timer(now=3.5) == [UtteranceEnded("Hello the", 1.0, 2.0, None)]


def test_noise_without_a_word_ends_without_a_trace() -> None:
    endpointer = spoken((1.0, 1.2, " "))

    assert endpointer.handle_timer(now=9) == []
    assert endpointer.idle


def test_late_news_of_an_utterance_that_is_over_means_nothing() -> None:
    endpointer = Endpointer()

    assert endpointer.receive(SpeechStopped(2.0)) == []
    assert endpointer.receive(Transcript("Hello", final=False)) == []
    assert endpointer.receive(Transcript("Hello", final=True)) == []
    assert endpointer.idle
    assert endpointer.words == ""
