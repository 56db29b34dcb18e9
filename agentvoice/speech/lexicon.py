"""Pronunciation dictionaries: what is read instead of what is written.

A file of them is TOML. What stands at its top holds for every text; a table is a dictionary by itself, which requests
ask for by its name (`pronunciation_dict_id`):

    ACME = "ack me"

    [medicine]
    "q.d." = "once daily"

An entry is a word or several, in any case, and what to read for it: a respelling, as all engines read text, or phonemes
(`<<m|ɛ|t>>`), which are respelled here, as they are where they stand in a transcript.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from agentvoice.errors import UsageError

from .respelling import PHONEMES, respell

_TOKEN: Final = re.compile(r"\S+")
_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reading:
    """Words of a transcript, and the words that are read for them."""

    written: tuple[str, ...]
    spoken: tuple[str, ...]


class Lexicon:
    """One dictionary."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        """Take what to read, by what is written."""
        self._entries = {_plain(written): read for written, read in entries.items()}
        longest_first = sorted(self._entries, key=len, reverse=True)
        words = [r"\s+".join(map(re.escape, written.split())) for written in longest_first]
        entries_pattern = rf"|(?<!\w)(?:{'|'.join(words)})(?!\w)" if words else ""
        self._pattern = re.compile(PHONEMES.pattern + entries_pattern, re.IGNORECASE)

    def read(self, text: str) -> Iterator[Reading]:
        """Yield the words of a text with what is read for them, in order. What stands around an entry stays."""
        entries = [found.span() for found in self._pattern.finditer(text)]
        start: int | None = None
        for token in _TOKEN.finditer(text):
            start = token.start() if start is None else start
            if any(first < token.end() < last for first, last in entries):
                continue  # an entry goes on in the next
            unit, start = text[start : token.end()], None
            yield from _readings(unit.split(), respell(self._pattern.sub(self._reads, unit)).split())

    def _reads(self, found: re.Match[str]) -> str:
        return found.group() if found["phonemes"] else self._entries[_plain(found.group())]


def _readings(written: list[str], spoken: list[str]) -> Iterator[Reading]:
    """Yield one for each word where there are as many as are read; they are each other's, mostly."""
    if len(written) == len(spoken):
        yield from (Reading((word,), (read,)) for word, read in zip(written, spoken, strict=True))
    else:
        yield Reading(tuple(written), tuple(spoken))


def _plain(written: str) -> str:
    return " ".join(written.lower().split())


class Lexicons:
    """All dictionaries of a server: one for every text, and others by their names."""

    def __init__(self, common: Mapping[str, str] = _EMPTY, named: Mapping[str, Mapping[str, str]] = _EMPTY) -> None:
        self._common = Lexicon(common)
        self._named = {name: Lexicon({**common, **entries}) for name, entries in named.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._named

    def find(self, name: str | None) -> Lexicon:
        """Return the dictionary of that name; where there is none, what holds for every text."""
        return self._named.get(name, self._common) if name else self._common

    @classmethod
    def load(cls, path: Path) -> Lexicons:
        """Read a file.

        Raises:
            UsageError: it is not there, or is not such a file; the message says what to write.
        """
        try:
            members = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f'cannot read the lexicon {path}: {why}; a line of it is: ACME = "ack me"') from error
        named = {name: entries for name, entries in members.items() if isinstance(entries, dict)}
        common = {written: read for written, read in members.items() if written not in named}
        for written, read in [pair for entries in (common, *named.values()) for pair in entries.items()]:
            if not isinstance(read, str) or not written.strip():
                raise UsageError(
                    f"the lexicon {path} has no reading for '{written}'; write: {written or 'ACME'} = \"ack me\""
                )
        return cls(common, named)
