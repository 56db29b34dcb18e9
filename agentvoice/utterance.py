"""What the caller says, as it was heard: words with their times, and whole utterances."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word that a recogniser has understood, and when it was spoken.

    A recogniser counts seconds from the first sample of the segment that it was fed; hearing puts them on the call's
    clock, by the far end's own count of samples, before anybody else sees them.
    """

    word: str
    """As it stands in the text, with its punctuation, without spaces."""
    start: float
    end: float
    confidence: float | None = None
    """Between 0 and 1, where the recogniser says."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One contribution of the caller. Times are seconds on the call's clock."""

    text: str
    started_at: float
    """When the caller began to speak."""
    ended_at: float
    """When the caller fell silent, which is earlier than the decision that this was the end."""
    confidence: float | None = None
    """Between 0 and 1: that of its least certain part, where the recogniser says."""
    words: tuple[HeardWord, ...] = ()
    """The words with their times; none from a recogniser that does not know them."""
    alternatives: tuple[str, ...] = ()
    """Other readings of the whole, the likeliest first."""
    language: str = ""
    """In which language, such as `en`; empty where the recogniser does not say."""
