"""Voice activity by Silero: one model for all calls of a process, a few kilobytes of state for each."""

from ._activity import Silero as Silero
from ._weights import ASSETS as ASSETS

__all__ = ["ASSETS", "Silero"]
