"""Tokens and what they spell. A token is written with one printable character for each of its bytes, as in GPT-2."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_PRINTABLE: Final = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
_OTHERS: Final = [byte for byte in range(256) if byte not in _PRINTABLE]
_BYTES: Final = {chr(byte): byte for byte in _PRINTABLE} | {chr(0x100 + n): byte for n, byte in enumerate(_OTHERS)}


class Vocabulary:
    """All the tokens that a model knows."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._ids = {token: number for number, token in enumerate(tokens)}
        self.end = self._ids["<|endoftext|>"]
        """The first that is a mark and not text; it ends a text."""

    def mark(self, name: str) -> int | None:
        """Return the token of a mark such as `transcribe`, or `en`; `None` where there is none."""
        return self._ids.get(f"<|{name}|>")

    def spell(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without marks."""
        written = "".join(self._tokens[token] for token in tokens if token < self.end)
        return bytes(_BYTES[character] for character in written).decode("utf-8", "replace").strip()

    def words(self, tokens: Sequence[int]) -> list[list[int]]:
        """Return the positions of the tokens of each word. A word begins with a space."""
        words: list[list[int]] = []
        for at, token in enumerate(tokens):
            if not words or self._tokens[token].startswith("\u0120"):
                words.append([])
            words[-1].append(at)
        return words


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read `vocabulary.json`, a list, or the older `vocabulary.txt`, a line each."""
    whole = folder / "vocabulary.json"
    if whole.exists():
        return Vocabulary(json.loads(whole.read_text(encoding="utf-8")))
    return Vocabulary((folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n"))
