from __future__ import annotations

import pytest

from agentvoice.audio import linear_to_mulaw, mulaw_to_linear
from agentvoice.testing.lexicon import Lexicon

SILENCE = bytes(2 * 800)


@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_every_text_is_heard_as_it_was_said(sample_rate: int) -> None:
    lexicon = Lexicon()
    texts = [f"sentence number {n} please" for n in range(60)]
    tones = [lexicon.say(text, sample_rate=sample_rate) for text in texts]

    assert [lexicon.hear(SILENCE + tone + SILENCE, sample_rate) for tone in tones] == texts


def test_words_survive_the_telephone_wherever_the_frames_fall() -> None:
    lexicon = Lexicon()
    for n in range(60):
        lexicon.say(f"filler {n}")
    tone = lexicon.say("no wait")

    for shift in (0, 14, 160, 306):
        pcm = bytes(shift) + tone + SILENCE
        assert lexicon.hear(mulaw_to_linear(linear_to_mulaw(pcm)), 8000) in {"filler 0", "no wait"}


def test_a_tone_that_is_cut_says_the_words_spoken_so_far() -> None:
    lexicon = Lexicon(words_per_s=4)
    tone = lexicon.say("a table for four people")

    assert lexicon.hear(tone[: 2 * 2000], 8000) == "a"
    assert lexicon.hear(tone[: 2 * 6200], 8000) == "a table for"


def test_two_tones_with_a_pause_between_them_are_two_texts() -> None:
    lexicon = Lexicon()
    one, other = lexicon.say("yes"), lexicon.say("that is right")

    assert lexicon.hear(one + SILENCE + other, 8000) == "yes that is right"


def test_neither_silence_nor_clicks_nor_an_empty_lexicon_say_anything() -> None:
    lexicon = Lexicon()
    assert lexicon.hear(b"\x00\x40" * 8000, 8000) == ""
    tone = lexicon.say("hello")

    assert lexicon.hear(SILENCE, 8000) == ""
    assert lexicon.hear(tone[:320], 8000) == ""
