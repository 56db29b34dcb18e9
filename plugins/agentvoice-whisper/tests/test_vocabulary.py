from __future__ import annotations

import json
from pathlib import Path

from agentvoice_whisper._vocabulary import Vocabulary, read_vocabulary

TOKENS = ["It", "\u0120cost", "s", "\u0120\u00e2\u0124", "\u00ac", "5", ".", "<|endoftext|>", "<|en|>"]
"""As GPT-2 writes them: one character a byte, the euro sign in two halves."""
SAID = [0, 1, 2, 3, 4, 5, 6]


def test_tokens_are_spelled_byte_by_byte_without_marks() -> None:
    vocabulary = Vocabulary(TOKENS)

    assert vocabulary.spell([8, *SAID, 7]) == "It costs €5."
    assert vocabulary.spell([3]) == "\ufffd"
    assert vocabulary.spell([]) == ""


def test_a_word_begins_with_a_space() -> None:
    assert Vocabulary(TOKENS).words(SAID) == [[0], [1, 2], [3, 4, 5, 6]]
    assert Vocabulary(TOKENS).words([]) == []


def test_marks_are_found_by_their_names() -> None:
    vocabulary = Vocabulary(TOKENS)

    assert (vocabulary.end, vocabulary.mark("en"), vocabulary.mark("tlh")) == (7, 8, None)


def test_both_kinds_of_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.txt").write_text("".join(f"{token}\n" for token in TOKENS), encoding="utf-8")
    assert read_vocabulary(tmp_path).spell(SAID) == "It costs €5."

    (tmp_path / "vocabulary.json").write_text(json.dumps(TOKENS[1:]))
    assert read_vocabulary(tmp_path).end == 6
