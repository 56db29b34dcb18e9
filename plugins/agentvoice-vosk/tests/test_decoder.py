from __future__ import annotations

import pytest

from agentvoice.errors import ProviderUnavailable
from agentvoice_vosk._decoder import Decoder

from .scripted import ScriptedKaldi

WORD = bytes(3200)


def test_each_segment_begins_at_its_own_first_sample() -> None:
    decoder = Decoder(ScriptedKaldi())
    for words in (["0", "1"], ["2"]):
        decoder.begin()
        decoder.hear(WORD * len(words))
        said = decoder.finish()

        assert [word.word for word in said.words] == words
        assert said.words[0].start == pytest.approx(0.0)
        assert said.words[-1].end == pytest.approx(len(words) / 10)


def test_sentences_that_kaldi_ends_within_a_segment_are_joined() -> None:
    kaldi = ScriptedKaldi(sentence=2)
    decoder = Decoder(kaldi)
    decoder.begin()
    for _ in range(5):
        decoder.hear(WORD)

    assert kaldi.sentences == 2
    assert decoder.partial().text == "0 1 2 3 4"
    said = decoder.finish()
    assert said.text == "0 1 2 3 4"
    assert [round(word.start, 3) for word in said.words] == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_what_is_left_of_a_segment_that_was_given_up_does_not_get_into_the_next() -> None:
    decoder = Decoder(ScriptedKaldi(sentence=2))
    decoder.begin()
    for _ in range(3):
        decoder.hear(WORD)

    decoder.begin()
    decoder.hear(WORD)

    assert decoder.partial().text == "3"
    assert [(word.word, round(word.start, 3)) for word in decoder.finish().words] == [("3", 0.0)]


def test_of_warming_up_nothing_is_left_to_be_heard() -> None:
    decoder = Decoder(ScriptedKaldi())
    decoder.warm_up()
    decoder.begin()
    decoder.hear(WORD)

    assert [(word.word, round(word.start, 3)) for word in decoder.finish().words] == [("40", 0.0)]


def test_when_kaldi_gives_up_another_attempt_may_help() -> None:
    kaldi = ScriptedKaldi()
    kaldi.broken = True

    with pytest.raises(ProviderUnavailable, match="vosk: Failed to process waveform"):
        Decoder(kaldi).hear(WORD)
