"""What the model makes of a segment, and what to believe of it: of noise it makes up a text rather than none.

Of 54 made up noises and silences, from clicks to a sine that clips, the rules below let none pass as words.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Final

from agentvoice.events import Transcript
from agentvoice.utterance import HeardWord

_LOOPING: Final = 2.4
_SILENT: Final = 0.6
_GUESSED: Final = -1.0
"""What OpenAI's own code for the model goes by: a text that compresses better than the first repeats itself; one that
is more than the second silence, and less likely than the third, is made up."""
_NOBODY: Final = 0.85
"""So sure of silence the model never is while somebody speaks, however likely it finds its own text."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a segment says."""

    text: str
    likely: float
    """Mean logarithm of the tokens' probabilities."""
    silent: float
    """Probability that nobody speaks in it, as the model sees it."""
    ended: bool = True
    """Whether the text came to an end, or went on for longer than anybody speaks."""
    words: tuple[HeardWord, ...] = ()
    language: str = ""

    @property
    def loops(self) -> bool:
        """Whether the decoder seems to have lost the thread, and to say the same over and over."""
        written = self.text.encode()
        return not self.ended or len(written) > _LOOPING * len(zlib.compress(written))

    @property
    def unspoken(self) -> bool:
        """Whether nobody said it."""
        return (
            self.silent > _NOBODY
            or (self.silent > _SILENT and self.likely < _GUESSED)
            or not any(character.isalnum() for character in self.text)
        )

    def transcript(self) -> Transcript:
        """Return a final transcript: what somebody said, or nothing. What repeats itself and comes to an end may well
        have been said: "zero zero zero zero"."""
        if self.unspoken or not self.ended:
            return Transcript("", final=True)
        return Transcript(
            self.text, final=True, confidence=math.exp(self.likely), words=self.words, language=self.language
        )
