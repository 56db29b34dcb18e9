"""Piper's voices for agentvoice's speech server; and how texts are read, for other voices that espeak-ng reads to."""

from ._engine import PiperEngine as PiperEngine
from ._sounds import sounds as sounds
from ._spoken import spoken as spoken
from ._weights import ASSETS as ASSETS
from ._words import match as match

__all__ = ["ASSETS", "PiperEngine", "match", "sounds", "spoken"]
