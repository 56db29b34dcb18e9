"""Words of a turn that will not be revised: those that recognition has come to twice in a row, or for good. Pure.

This is "local agreement" (Liu, Spanakis, Niehues: Low-Latency Sequence-to-Sequence Speech Recognition and Translation
by Partial Hypothesis Selection, Interspeech 2020), for a recogniser that hears a growing segment again and again.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentvoice.events import Transcript

_EDGES = ".,;:!?…\"'()"


class Stability:
    """One turn, which may have several segments."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._final: list[str] = []  # words of the segments that are understood for good
        self._last: list[str] = []

    def receive(self, transcript: Transcript) -> str:
        """Take a transcript of the segment that grows, or of one that has ended; return all that is certain, if it has
        become more, else nothing."""
        words = transcript.text.split()
        if transcript.final:
            self._final, self._last = self._final + words, []
            return self._extend(self._final)
        certain, self._last = _agreed(self._last, words), words
        return self._extend([*self._final, *certain])

    def _extend(self, words: Sequence[str]) -> str:
        """What was told stays as it was told, with the punctuation of then."""
        known = len(self._said)
        if len(words) <= known or list(map(_bare, words[:known])) != list(map(_bare, self._said)):
            return ""
        self._said += words[known:]
        return " ".join(self._said)


def _agreed(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the words with which both begin. The last of each is not among them: it may have been cut in half."""
    agreed: list[str] = []
    for word, again in zip(before[:-1], after[:-1], strict=False):
        if word != again:
            break
        agreed.append(word)
    return agreed


def _bare(word: str) -> str:
    return word.strip(_EDGES).casefold()
