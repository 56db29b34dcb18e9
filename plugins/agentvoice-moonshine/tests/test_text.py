from __future__ import annotations

import pytest

from agentvoice_moonshine._model import Understood, read_vocabulary
from agentvoice_moonshine._text import modern, plausible


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a table for two to-night at seven.", "a table for two tonight at seven."),
        ("To-morrow, please.", "Tomorrow, please."),
        ("Thank you very much. good-bye.", "Thank you very much. Goodbye."),
        ("Good-evening, sir.", "Good evening, sir."),
        ("Ok,", "Okay,"),
        ("that's ok", "that's okay"),
        ("Yes, that is right. my name is Sarah.", "Yes, that is right. My name is Sarah."),
        ("a three-year-old to daydream", "a three-year-old to daydream"),
    ],
)
def test_old_spellings_are_modernised_and_nothing_else(old: str, new: str) -> None:
    assert modern(old) == new


def test_what_is_made_up_of_noise_is_not_plausible() -> None:
    assert plausible(Understood("A table for two.", 0.8))
    assert not plausible(Understood("And?", 0.3))
    assert not plausible(Understood("으�", 0.5))
    assert not plausible(Understood("", 1.0))


def test_the_vocabulary_is_a_list_of_tokens_behind_their_lengths() -> None:
    long = b"x" * 300

    assert read_vocabulary(b"\x02ab" + b"\x00" + bytes([128 | 300 & 127, 300 >> 7]) + long) == [b"ab", b"", long]
