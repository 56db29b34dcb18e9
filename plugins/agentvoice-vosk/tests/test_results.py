from __future__ import annotations

from agentvoice.events import Transcript
from agentvoice.utterance import HeardWord
from agentvoice_vosk._results import final, heard, partial

TABLE = """{
  "result" : [{
      "conf" : 1.000000,
      "end" : 7.110000,
      "start" : 6.870000,
      "word" : "a"
    }, {
      "conf" : 0.510112,
      "end" : 7.500000,
      "start" : 7.110000,
      "word" : "table"
    }],
  "text" : "a table"
}"""
NOTHING = '{\n  "text" : ""\n}'


def test_times_of_words_count_from_the_beginning_of_their_segment() -> None:
    words = heard(TABLE, began_s=6.5)

    assert [(w.word, round(w.start, 3), round(w.end, 3)) for w in words] == [("a", 0.37, 0.61), ("table", 0.61, 1.0)]


def test_no_word_begins_before_its_segment() -> None:
    assert heard(TABLE, began_s=6.9)[0].start == 0.0


def test_a_segment_is_as_certain_as_its_least_certain_word() -> None:
    words = heard(TABLE, began_s=6.5)

    assert final(words) == Transcript("a table", final=True, confidence=0.510112, words=tuple(words), language="en")


def test_nothing_understood_is_an_empty_transcript_and_no_certainty() -> None:
    assert final(heard(NOTHING, began_s=1.0)) == Transcript("", final=True, language="en")


def test_a_partial_transcript_has_what_is_settled_before_what_may_change() -> None:
    settled = [HeardWord("hello", 0.3, 0.8), HeardWord("there", 0.8, 1.1)]

    assert partial(settled, '{"partial" : "a table"}').text == "hello there a table"
    assert partial(settled, '{"partial" : ""}').text == "hello there"
    assert partial([], '{"partial" : ""}') == Transcript("", final=False, language="en")
