"""English speech recognition by Vosk, as one speaks: one model for all calls of a process."""

from ._recognizer import Vosk as Vosk
from ._weights import ASSETS as ASSETS

__all__ = ["ASSETS", "Vosk"]
