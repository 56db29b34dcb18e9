"""What a speech server can do for a request: which voice speaks it, how words are read, and what has to be left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from agentvoice.tts.wire import Generate

from .lexicon import Lexicon, Lexicons
from .markup import SOUNDS
from .voices import VoiceDirectory

_FEELINGS: Final = re.compile(r"<\s*emotion\b", re.IGNORECASE)


class Repertoire:
    """Voices and dictionaries."""

    def __init__(self, voices: VoiceDirectory, lexicons: Lexicons | None = None) -> None:
        self._voices = voices
        self._lexicons = lexicons or Lexicons()

    def voice(self, request: Generate) -> str:
        """Return the voice that speaks a request.

        Raises:
            RequestRejected: there is no such voice, or no such model.
        """
        return self._voices.find(request)

    def lexicon(self, request: Generate) -> Lexicon:
        """Return what tells how its words are read."""
        return self._lexicons.find(request.pronunciation_dict_id)

    def overlooks(self, request: Generate) -> Iterator[str]:
        """Yield what a request asks for and does not get; it is spoken without."""
        yield from self._voices.overlooks(request)
        generation, text = request.generation, request.transcript
        if (generation and (generation.emotion or "neutral").lower() != "neutral") or _FEELINGS.search(text):
            yield "emotion"
        if SOUNDS.search(text):
            yield "sound"
        if request.pronunciation_dict_id and request.pronunciation_dict_id not in self._lexicons:
            yield "pronunciation_dict"
        if request.normalization not in (None, "auto"):
            yield "normalization"
