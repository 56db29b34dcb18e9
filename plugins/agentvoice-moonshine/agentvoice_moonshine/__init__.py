"""English speech recognition by Moonshine tiny: one model for all calls of a process."""

from ._recognizer import Moonshine as Moonshine
from ._weights import ASSETS as ASSETS

__all__ = ["ASSETS", "Moonshine"]
