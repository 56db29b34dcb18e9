"""Speech recognition by Whisper: one model for all calls of a process."""

from ._recognizer import Whisper as Whisper
from ._weights import ASSETS as ASSETS

__all__ = ["ASSETS", "Whisper"]
