import math

import pytest

from agentvoice.commands import JudgePause, UtteranceEnded
from agentvoice.endpointing import Endpointer, Endpointing, UtteranceLikely, UtteranceResumed
from agentvoice.events import (
    CallerTurnEnded,
    CallerTurnLikely,
    CallerTurnResumed,
    CallerTurnStarted,
    EndOfTurnJudged,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from agentvoice.utterance import HeardWord


def spoken(*segments: tuple[float, float, str], patience: Endpointing | None = None) -> Endpointer:
    """An endpointer that heard segments of speech, each understood at once."""
    endpointer = Endpointer(patience or Endpointing())
    for start, stop, text in segments:
        endpointer.receive(SpeechStarted(start), now=start)
        endpointer.receive(SpeechStopped(stop), now=stop)
        endpointer.receive(Transcript(text, final=True, confidence=0.9), now=stop)
    return endpointer


def test_an_utterance_ends_when_the_silence_has_lasted() -> None:
    endpointer = spoken((1.0, 2.0, "A table for two."), patience=Endpointing(silence_s=0.5))

    assert endpointer.handle_timer(now=2.49) == []
    assert endpointer.handle_timer(now=2.5) == [UtteranceEnded("A table for two.", 1.0, 2.0, 0.9)]
    assert endpointer.idle
    assert endpointer.deadline == math.inf


def test_it_is_likely_over_as_soon_as_it_is_understood() -> None:
    endpointer = Endpointer()
    endpointer.receive(SpeechStarted(1.0), now=1.0)
    assert endpointer.receive(SpeechStopped(2.0), now=2.0) == []

    assert endpointer.receive(Transcript("Hello.", final=True), now=3.0) == [UtteranceLikely("Hello.")]
    assert endpointer.likely == "Hello."


def test_the_same_words_are_likely_once() -> None:
    endpointer = spoken((1.0, 2.0, "Hello."))
    endpointer._owed = 1

    assert endpointer.receive(Transcript("", final=True), now=3.0) == []


def test_speech_that_goes_on_makes_it_unlikely_again_and_is_one_utterance() -> None:
    endpointer = spoken((1.0, 2.0, "A table for two."))

    assert endpointer.receive(SpeechStarted(2.3), now=2.3) == [UtteranceResumed()]
    assert endpointer.likely == ""
    endpointer.receive(SpeechStopped(3.0), now=3.0)
    endpointer.receive(Transcript("Tonight.", final=True), now=3.0)

    assert endpointer.handle_timer(now=9) == [UtteranceEnded("A table for two. Tonight.", 1.0, 3.0, 0.9)]


@pytest.mark.parametrize(
    "text", ["I would like a table and", "My name is", "Um", "On the third, ", "Well...", "My number is 555, 01"]
)
def test_words_that_are_not_an_end_are_waited_for(text: str) -> None:
    endpointer = spoken((1.0, 2.0, text), patience=Endpointing(silence_s=0.5, patience_s=1.4))

    assert endpointer.likely == ""
    assert endpointer.deadline == pytest.approx(3.4)


def test_a_recogniser_that_is_late_is_waited_for_and_then_the_partial_has_to_do() -> None:
    endpointer = Endpointer(Endpointing(transcript_s=1.5))
    endpointer.receive(SpeechStarted(1.0), now=1.0)
    endpointer.receive(Transcript("Hello the", final=False), now=3.0)
    endpointer.receive(SpeechStopped(2.0), now=2.0)

    assert endpointer.handle_timer(now=3.4) == []
    assert endpointer.handle_timer(now=3.5) == [UtteranceEnded("Hello the", 1.0, 2.0, None)]


def test_noise_without_a_word_ends_without_a_trace() -> None:
    endpointer = spoken((1.0, 1.2, " "))

    assert endpointer.handle_timer(now=9) == []
    assert endpointer.idle


def test_late_news_of_an_utterance_that_is_over_means_nothing() -> None:
    endpointer = Endpointer()

    assert endpointer.receive(SpeechStopped(2.0), now=2.0) == []
    assert endpointer.receive(Transcript("Hello", final=False), now=3.0) == []
    assert endpointer.receive(Transcript("Hello", final=True), now=3.0) == []
    assert endpointer.idle
    assert endpointer.words == ""


def test_who_asks_for_time_is_given_it() -> None:
    endpointer = spoken((1.0, 2.0, "Hold on a second."), patience=Endpointing(wait_s=8.0))

    assert endpointer.likely == ""
    assert endpointer.deadline == 10.0


# ---------------------------------------------------------------------- what a model makes of a pause


def test_a_model_that_finds_the_caller_finished_shortens_the_silence() -> None:
    endpointer = spoken((1.0, 2.0, "A table for two."), patience=Endpointing(silence_s=0.5, sure_s=0.3))

    endpointer.receive(EndOfTurnJudged(0.9), now=2.3)

    assert endpointer.deadline == pytest.approx(2.3)


def test_a_model_that_does_not_lengthens_it() -> None:
    endpointer = spoken((1.0, 2.0, "A table for two."), patience=Endpointing(patience_s=1.4))

    endpointer.receive(EndOfTurnJudged(0.1), now=2.3)

    assert endpointer.deadline == pytest.approx(3.4)


def test_words_that_lead_on_count_for_more_than_the_model() -> None:
    endpointer = spoken((1.0, 2.0, "My name is"), patience=Endpointing(patience_s=1.4))

    endpointer.receive(EndOfTurnJudged(0.9), now=2.3)

    assert endpointer.deadline == pytest.approx(3.4)


def test_what_a_model_thought_of_a_pause_says_nothing_of_the_next() -> None:
    endpointer = spoken((1.0, 2.0, "A table for two."), patience=Endpointing(silence_s=0.5))
    endpointer.receive(EndOfTurnJudged(0.1), now=2.3)

    endpointer.receive(SpeechStarted(2.5), now=2.6)
    assert endpointer.receive(EndOfTurnJudged(0.9), now=2.7) == [], "the caller speaks: too late"
    endpointer.receive(SpeechStopped(3.0), now=3.2)
    endpointer.receive(Transcript("Tonight.", final=True), now=3.3)

    assert endpointer.deadline == pytest.approx(3.55, abs=0.1)


# ---------------------------------------------------------------------- the caller's own pace


def test_a_caller_who_makes_long_pauses_is_given_longer() -> None:
    hasty = spoken((1.0, 2.0, "A table for two."))
    slow = spoken((1.0, 2.0, "A table"), (2.45, 3.0, "for two."), (3.45, 4.0, "Tonight."))

    assert slow.deadline - 4.0 > hasty.deadline - 2.0
    assert slow.deadline - 4.0 < 0.45 * 1.5 + 0.01


def test_speech_that_is_said_to_start_twice_has_no_pause_in_between() -> None:
    endpointer = spoken((1.0, 2.0, "A table"))
    endpointer.receive(SpeechStarted(2.3), now=2.4)
    endpointer.receive(SpeechStarted(9.0), now=9.0)
    endpointer.receive(SpeechStopped(10.0), now=10.2)
    endpointer.receive(Transcript("for two.", final=True), now=10.3)

    assert endpointer.deadline == pytest.approx(10.5)


# ---------------------------------------------------------------------- a recogniser that knows turns


def in_turn(*, speaking: bool = False) -> Endpointer:
    """An endpointer that a recogniser has told of a turn. The caller fell silent at 2, unless still `speaking`."""
    endpointer = Endpointer()
    endpointer.receive(SpeechStarted(1.0), now=1.1)
    endpointer.receive(CallerTurnStarted("a table"), now=1.6)
    if not speaking:
        endpointer.receive(SpeechStopped(2.0), now=2.2)
    return endpointer


def test_a_recogniser_that_knows_turns_ends_the_utterance_at_once() -> None:
    words = (HeardWord("A", 1.0, 1.1), HeardWord("table.", 1.1, 1.9))

    ended = in_turn().receive(CallerTurnEnded("A table. ", 0.8, words, "en"), now=2.3)

    assert ended == [UtteranceEnded("A table.", 1.0, 2.0, 0.8, words, (), "en")]


def test_its_turns_last_while_it_does_not_say_otherwise() -> None:
    endpointer = in_turn()

    assert endpointer.deadline == 2.0 + Endpointing().turn_s
    assert [each.text for each in endpointer.handle_timer(now=9.0)] == ["a table"]
    assert endpointer.idle


def test_while_the_caller_speaks_its_turn_has_no_deadline() -> None:
    assert in_turn(speaking=True).deadline == math.inf


def test_it_knows_of_a_likely_end_and_takes_it_back() -> None:
    endpointer = in_turn()

    assert endpointer.receive(CallerTurnLikely("A table."), now=2.3) == [UtteranceLikely("A table.")]
    assert endpointer.receive(CallerTurnLikely("A table."), now=2.3) == []
    assert endpointer.receive(CallerTurnResumed(), now=2.4) == [UtteranceResumed()]
    assert endpointer.receive(CallerTurnResumed(), now=2.4) == []


def test_a_turn_that_voice_activity_did_not_notice_is_one_all_the_same() -> None:
    endpointer = Endpointer()
    endpointer.receive(CallerTurnStarted("yes", 4.0), now=4.5)
    endpointer.receive(Transcript("yes please", final=False), now=4.6)

    assert endpointer.words == "yes please"
    assert endpointer.receive(CallerTurnEnded("Yes, please."), now=5.0) == [UtteranceEnded("Yes, please.", 4.0, 4.0)]


def test_the_end_of_a_turn_whose_beginning_was_lost_is_an_utterance() -> None:
    assert Endpointer().receive(CallerTurnEnded("Yes."), now=5.0) == [UtteranceEnded("Yes.", 5.0, 5.0)]


def test_a_turn_that_ends_while_there_is_still_noise_ends_now() -> None:
    ended = in_turn(speaking=True).receive(CallerTurnEnded("A table."), now=2.3)

    assert ended == [UtteranceEnded("A table.", 1.0, 2.3)]


def test_what_is_likely_of_no_turn_means_nothing() -> None:
    endpointer = Endpointer()

    assert endpointer.receive(CallerTurnLikely("Yes."), now=5.0) == []
    assert endpointer.receive(CallerTurnResumed(), now=5.0) == []
    assert endpointer.idle


# ---------------------------------------------------------------------- the utterance


def test_an_utterance_has_the_words_of_all_its_segments_and_is_as_sure_as_the_least_of_them() -> None:
    endpointer = Endpointer()
    for at, word, confidence in ((1.0, "Two.", 0.9), (2.2, "Tonight.", 0.6)):
        endpointer.receive(SpeechStarted(at), now=at)
        endpointer.receive(SpeechStopped(at + 1), now=at + 1)
        heard = Transcript(
            word, True, confidence, (HeardWord(word, at, at + 1),), (word.replace("T", "B"),), language="en"
        )
        endpointer.receive(heard, now=at + 1.1)

    (ended,) = endpointer.handle_timer(now=9.0)

    assert ended.text == "Two. Tonight."
    assert ended.confidence == 0.6
    assert [(word.word, word.start) for word in ended.words] == [("Two.", 1.0), ("Tonight.", 2.2)]
    assert ended.alternatives == ("Bwo. Tonight.", "Two. Bonight.")
    assert ended.language == "en"


# ---------------------------------------------------------------------- asking a model


def test_each_pause_after_words_that_sound_finished_is_judged_once() -> None:
    endpointer = Endpointer(judged=True)
    endpointer.receive(SpeechStarted(1.0), now=1.0)
    endpointer.receive(SpeechStopped(2.0), now=2.2)

    assert endpointer.receive(Transcript("For two.", final=True), now=2.3) == [
        JudgePause("For two."),
        UtteranceLikely("For two."),
    ]
    assert endpointer.receive(EndOfTurnJudged(0.9), now=2.35) == []


def test_words_that_lead_on_need_no_judge() -> None:
    endpointer = Endpointer(judged=True)
    endpointer.receive(SpeechStarted(1.0), now=1.0)
    endpointer.receive(SpeechStopped(2.0), now=2.2)

    assert endpointer.receive(Transcript("For two and", final=True), now=2.3) == []


def test_a_recogniser_that_has_understood_nothing_yet_is_given_longer() -> None:
    endpointer = Endpointer(Endpointing(transcript_s=1.5, late_s=4.0))
    endpointer.receive(SpeechStarted(1.0), now=1.0)
    endpointer.receive(SpeechStopped(2.0), now=2.2)
    assert endpointer.deadline == 6.0

    endpointer.receive(Transcript("Hello", final=False), now=2.5)

    assert endpointer.deadline == 3.5
